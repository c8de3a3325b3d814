package import MeshCore

/// Where objects of a kind stand: what an object's name is unique in. Parts that a kind's scope does not have are `nil`.
package struct ObjectScope: Hashable, Sendable {
    /// `nil`: the platform, where tenants are.
    package var tenant: Name?
    package var mesh: Name?
    package var namespace: Name?
    package var service: Name?

    package init(tenant: Name? = nil, mesh: Name? = nil, namespace: Name? = nil, service: Name? = nil) {
        self.tenant = tenant
        self.mesh = mesh
        self.namespace = namespace
        self.service = service
    }

    package init(_ mesh: MeshKey, namespace: Name? = nil, service: Name? = nil) {
        self.init(tenant: mesh.tenant, mesh: mesh.mesh, namespace: namespace, service: service)
    }

    package init(_ key: ObjectKey) {
        self.init(
            tenant: key.kind == .tenant ? nil : key.tenant, mesh: key.mesh, namespace: key.namespace,
            service: key.service)
    }

    package var meshKey: MeshKey? {
        guard let tenant, let mesh else { return nil }
        return MeshKey(tenant: tenant, mesh: mesh)
    }

    /// The key of an object that stands here.
    ///
    /// - Returns: `nil` if the kind's scope has other parts.
    package func key(_ kind: Kind, _ name: Name) -> ObjectKey? {
        switch (kind.scope, tenant, meshKey, namespace, service) {
        case (.platform, _, _, _, _): return .tenant(name)
        case (.tenant, let tenant?, _, _, _): return .cluster(name, of: tenant)
        case (.namespace, _, let mesh?, let namespace?, _):
            return .namespaced(kind, NamespacedName(namespace: namespace, name: name), in: mesh)
        case (.service, _, let mesh?, let namespace?, let service?):
            return .endpoint(name, of: NamespacedName(namespace: namespace, name: service), in: mesh)
        default: return nil
        }
    }
}
