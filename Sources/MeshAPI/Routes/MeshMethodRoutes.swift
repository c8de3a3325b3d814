internal import HTTPTypes
internal import MeshControl
internal import MeshModel

/// Custom methods of meshes.
struct MeshMethodRoutes: Sendable {
    let control: ControlPlane

    var routes: [Route] {
        [
            Route(
                .post, ObjectPaths.mesh + ":analyze", "analyzeMesh", .needs(.custom("analyze", of: .mesh)),
                body: .json(required: false),
                query: ["namespace"]
            ) { try await self.analyze($0) }
        ]
    }

    private func analyze(_ request: APIRequest) async throws -> APIAnswer {
        let namespace = request.query.name("namespace")
        try request.query.check()
        return .document(
            try await control.analyze(request.mesh(), namespace: namespace, request.body, by: request.caller))
    }
}
