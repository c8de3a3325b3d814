internal import HTTPTypes
internal import MeshControl
internal import MeshCore
internal import MeshModel
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
            }
        ]
    }
}
