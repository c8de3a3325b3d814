/// A mesh of a tenant: what a snapshot is compiled from and what a proxy belongs to.
package struct MeshKey: Hashable, Sendable, CustomStringConvertible {
    package var tenant: Name
    package var mesh: Name

    package init(tenant: Name, mesh: Name) {
        self.tenant = tenant
        self.mesh = mesh
    }

    package var description: String { "\(tenant)/\(mesh)" }
}

/// A name in a namespace of one mesh: a service, a virtual service, a release.
package struct NamespacedName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var namespace: Name
    package var name: Name

    package init(namespace: Name, name: Name) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { "\(namespace)/\(name)" }

    package static func < (a: Self, b: Self) -> Bool {
        (a.namespace, a.name) < (b.namespace, b.name)
    }
}

/// The full identity of an object. Parts that a kind's scope does not have are `nil`.
package struct ObjectKey: Hashable, Sendable {
    package let kind: Kind
    /// For a tenant its own name, so that every row has its tenant.
    package let tenant: Name
    package let mesh: Name?
    package let namespace: Name?
    /// The service that an endpoint belongs to.
    package let service: Name?
    package let name: Name

    /// A key; parts that the kind's scope does not have are `nil`. For those who know the scope; `ObjectScope.key` looks whether it has.
    package init(_ kind: Kind, _ name: Name, of tenant: Name, mesh: Name?, namespace: Name?, service: Name?) {
        self.kind = kind
        self.tenant = tenant
        self.mesh = mesh
        self.namespace = namespace
        self.service = service
        self.name = name
    }

    /// The mesh that the object belongs to, if its kind is one of a mesh.
    package var meshKey: MeshKey? { mesh.map { MeshKey(tenant: tenant, mesh: $0) } }

    /// Namespace and name, if the object is in a namespace. For an endpoint: of its service.
    package var namespacedName: NamespacedName? {
        namespace.map { NamespacedName(namespace: $0, name: service ?? name) }
    }
}
