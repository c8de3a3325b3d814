internal import MeshCore
internal import MeshModel
internal import MeshStore
internal import XDSServer

extension ProxyRegistry {
    /// The Envoys that are connected, by the mesh that they are served of; gRPC's clients count nothing.
    var connectedEnvoys: [TrafficMesh: Set<NamespacedName>] {
        var envoys: [TrafficMesh: Set<NamespacedName>] = [:]
        for report in connected {
            guard let proxy = ProxyName(report.proxy), let life = report.owner.flatMap(MeshLife.init),
                case .envoy? = ProxyView(report.view)?.client.program
            else { continue }
            envoys[TrafficMesh(tenant: proxy.mesh.tenant, uid: life.mesh), default: []].insert(proxy.name)
        }
        return envoys
    }
}
