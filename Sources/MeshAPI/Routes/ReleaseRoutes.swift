internal import Analysis
internal import Documents
internal import GrayRelease
internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// Routes that releases have besides the verbs of every object: custom methods and events.
struct ReleaseRoutes: Sendable {
    let control: ControlPlane
    let routeDifferences: RouteDifferenceSource

    var routes: [Route] {
        let item = ObjectPaths.item(.release)
        let verbs = ReleaseVerb.Name.allCases.map { verb in
            Route(
                .post, "\(item):\(verb.rawValue)", "\(verb.rawValue)Release", .needs(verb.permission),
                body: .json(required: false),
                query: ObjectRoutes.writeQuery
            ) { try await self.act($0, verb) }
        }
        let events = Route(
            .get, "\(item)/events", "listReleaseEvents", .needs(.read(.release)), query: ["pageSize", "pageToken"]
        ) {
            try await self.events($0)
        }
        let preview = Route(
            .post, "\(item):preview", "previewRelease", .needs(.read(.release)), body: .json(required: false)
        ) { request in
            .document(
                try await control.preview(
                    request.key(.release), request.body, by: request.caller, routesFrom: routeDifferences))
        }
        return verbs + [events, preview] + analyses
    }

    private var analyses: [Route] {
        let runs = ObjectPaths.item(.release) + "/analysisRuns"
        return [
            Route(.get, runs, "listAnalysisRuns", .needs(.read(.release))) { request in
                let runs = try await control.analysisRuns(of: request.key(.release), by: request.caller)
                return .page(runs.map(\.shown), next: nil)
            },
            Route(.get, "\(runs)/{analysisRun}", "getAnalysisRun", .needs(.read(.release))) { request in
                let run = try await control.analysisRun(
                    request.text("analysisRun"), of: request.key(.release), by: request.caller)
                return .document(run.shown)
            },
            Route(
                .get, "\(runs)/{analysisRun}/measurements", "listMeasurements", .needs(.read(.release)),
                query: ["pageSize", "pageToken"]
            ) { try await self.measurements($0) },
        ]
    }

    private func measurements(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query) { parts -> MeasurementCursor? in
            guard parts.count == 3, let k = Int(parts[2]) else { return nil }
            return MeasurementCursor(template: parts[0], metric: parts[1], k: k)
        }
        try request.query.check()
        let page = try await control.measurements(
            of: request.text("analysisRun"), request.key(.release), pageSize: paging.size, after: paging.after,
            by: request.caller)
        return .page(page.items.map(\.json), next: page.next.map { [$0.template, $0.metric, String($0.k)] })
    }

    private func act(_ request: APIRequest, _ verb: ReleaseVerb.Name) async throws -> APIAnswer {
        let outcome = try await control.act(
            on: request.key(.release), verb, request.body, request.writeOptions(), by: request.caller,
            recording: { APIAnswer.written($0).stored })
        return APIAnswer(outcome) { .written($0) }
    }

    private func events(_ request: APIRequest) async throws -> APIAnswer {
        let paging = Paging(request.query) { parts in parts.count == 1 ? Int64(parts[0]) : nil }
        try request.query.check()
        let page = try await control.releaseEvents(
            of: request.key(.release), pageSize: paging.size, after: paging.after, by: request.caller)
        return .page(page.items.map(\.json), next: page.next.map { [String($0)] })
    }
}

extension MeasurementRow {
    fileprivate var json: JSONValue {
        guard case .object(var members) = measurement else { return measurement }
        members["template"] = .string(template)
        members["metric"] = .string(metric.text)
        return .object(members)
    }
}

extension ReleaseEventRow {
    fileprivate var json: JSONValue {
        [
            "sequence": .integer(sequence),
            "type": .string(type),
            "actor": .string(actor),
            "time": .string(at.text),
            "payload": payload,
        ]
    }
}
