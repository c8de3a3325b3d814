internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel

/// Custom methods of services.
struct ServiceMethodRoutes: Sendable {
    let control: ControlPlane

    var routes: [Route] {
        let item = ObjectPaths.item(.service)
        return [
            Route(.post, "\(item):simulate", "simulateService", .needs(.read(.service)), body: .json(required: true)) {
                try await self.simulate($0)
            },
            Route(
                .post, "\(item):clearStable", "clearStableService", .needs(.custom("clearStable", of: .service)),
                body: .json(required: false),
                query: ObjectRoutes.writeQuery
            ) { try await self.clearStable($0) },
            Route(
                .post, "\(item):clearPromotions", "clearServicePromotions",
                .needs(.custom("clearPromotions", of: .service)), body: .json(required: false),
                query: ObjectRoutes.writeQuery
            ) { try await self.clearPromotions($0) },
        ]
    }

    private func simulate(_ request: APIRequest) async throws -> APIAnswer {
        let result = try await control.simulate(
            request.namespaced("service"), in: request.mesh(), request.body, by: request.caller)
        return .document(result)
    }

    private func clearPromotions(_ request: APIRequest) async throws -> APIAnswer {
        let outcome = try await control.clearPromotions(
            of: request.key(.service), request.body, request.writeOptions(), by: request.caller,
            recording: { APIAnswer.written($0).stored })
        return APIAnswer(outcome) { .written($0) }
    }

    private func clearStable(_ request: APIRequest) async throws -> APIAnswer {
        let outcome = try await control.clearStable(
            of: request.key(.service), request.body, request.writeOptions(), by: request.caller,
            recording: { APIAnswer.written($0).stored })
        return APIAnswer(outcome) { .written($0) }
    }
}
