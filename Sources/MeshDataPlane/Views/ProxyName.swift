internal import MeshCore
internal import MeshIdentity

/// The name under which a proxy's state is kept: `tenant/mesh/namespace/name`.
struct ProxyName {
    var mesh: MeshKey
    var name: NamespacedName

    init(mesh: MeshKey, name: NamespacedName) {
        self.mesh = mesh
        self.name = name
    }

    init(_ claims: ProxyClaims) {
        mesh = claims.mesh
        name = NamespacedName(namespace: claims.namespace, name: claims.proxy)
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).compactMap { Name(String($0)) }
        guard parts.count == 4 else { return nil }
        mesh = MeshKey(tenant: parts[0], mesh: parts[1])
        name = NamespacedName(namespace: parts[2], name: parts[3])
    }

    var text: String { "\(mesh)/\(name)" }
}
