/// The place of an object: what its name is unique in. Parts that a kind's scope does not have are `nil`.
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

    package var meshKey: MeshKey? {
        guard let tenant, let mesh else { return nil }
        return MeshKey(tenant: tenant, mesh: mesh)
    }
}
