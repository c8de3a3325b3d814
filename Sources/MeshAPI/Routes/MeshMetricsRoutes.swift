internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel
internal import MeshTelemetry
internal import Prometheus

/// A mesh's metrics, which are for those who may see the mesh; the server's own are at `/metrics`.
struct MeshMetricsRoutes: Sendable {
    let control: ControlPlane
    let metrics: @Sendable (MeshKey, MeshLife) -> String

    var routes: [Route] {
        [
            Route(.get, ObjectPaths.mesh + "/metrics", "getMeshMetrics", .needs(.readProxies)) { request in
                let life = try await control.checkMetrics(of: request.mesh(), by: request.caller)
                return try .text(metrics(request.mesh(), life), type: Exposition.type)
            },
            Route(
                .get, ObjectPaths.mesh + "/metrics/timeseries", "getMeshTimeseries", .needs(.readProxies),
                query: ["metric", "service", "namespace", "by", "from", "to", "step"]
            ) { try await self.timeseries($0) },
        ]
    }

    private func timeseries(_ request: APIRequest) async throws -> APIAnswer {
        let query = request.query
        let metric = query.choice("metric", TrafficMetric.allCases.map(\.rawValue), required: true)
        let service = query.name("service", required: true)
        let namespace = query.name("namespace", required: true)
        let dimensions = query.choices("by", TrafficQuery.Dimension.allCases.map(\.rawValue))
        let (from, to) = (query.time("from"), query.time("to"))
        let step = query.duration("step", atLeast: .seconds(10))
        try query.check()
        guard let metric = metric.flatMap(TrafficMetric.init), let service, let namespace else {
            throw ControlError.fault("required parameters were not reported")
        }
        let answer = try await control.traffic(
            TrafficQuery(
                metric: metric, service: NamespacedName(namespace: namespace, name: service),
                dimensions: Set(dimensions.compactMap(TrafficQuery.Dimension.init)), from: from, to: to, step: step),
            in: request.mesh(), by: request.caller)
        return .document(answer)
    }
}
