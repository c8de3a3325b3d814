package import Documents

/// The kinds of objects that clients write, with the names that the API uses for them.
///
/// Adding a resource begins here: a case, its collection and its scope; the store, the change feed and the REST tree
/// follow from them.
package enum Kind: String, CaseIterable, Sendable, Hashable {
    case tenant = "Tenant"
    case cluster = "Cluster"
    case service = "Service"
    case endpoint = "Endpoint"
    case virtualService = "VirtualService"
    case destinationRule = "DestinationRule"
    case release = "Release"

    /// What an object's name must be unique in.
    package enum Scope: Sendable {
        case platform, tenant, namespace, service
    }

    package var scope: Scope {
        switch self {
        case .tenant: .platform
        case .cluster: .tenant
        case .service, .virtualService, .destinationRule, .release: .namespace
        case .endpoint: .service
        }
    }

    /// The path segment of the collection, for example `virtualServices`.
    package var collection: String {
        switch self {
        case .tenant: "tenants"
        case .cluster: "clusters"
        case .service: "services"
        case .endpoint: "endpoints"
        case .virtualService: "virtualServices"
        case .destinationRule: "destinationRules"
        case .release: "releases"
        }
    }

    /// Whether the object belongs to a mesh, so that writing it changes what proxies are sent.
    package var isInMesh: Bool { scope == .namespace || scope == .service }
}

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

    private init(kind: Kind, tenant: Name, mesh: Name?, namespace: Name?, service: Name?, name: Name) {
        self.kind = kind
        self.tenant = tenant
        self.mesh = mesh
        self.namespace = namespace
        self.service = service
        self.name = name
    }

    package static func tenant(_ name: Name) -> ObjectKey {
        ObjectKey(kind: .tenant, tenant: name, mesh: nil, namespace: nil, service: nil, name: name)
    }

    package static func cluster(_ name: Name, of tenant: Name) -> ObjectKey {
        ObjectKey(kind: .cluster, tenant: tenant, mesh: nil, namespace: nil, service: nil, name: name)
    }

    /// A key of a kind whose scope is a namespace.
    package static func namespaced(_ kind: Kind, _ name: NamespacedName, in mesh: MeshKey) -> ObjectKey {
        precondition(kind.scope == .namespace, "the kind's scope is not a namespace")
        return ObjectKey(
            kind: kind, tenant: mesh.tenant, mesh: mesh.mesh, namespace: name.namespace, service: nil, name: name.name)
    }

    package static func endpoint(_ name: Name, of service: NamespacedName, in mesh: MeshKey) -> ObjectKey {
        ObjectKey(
            kind: .endpoint, tenant: mesh.tenant, mesh: mesh.mesh, namespace: service.namespace, service: service.name,
            name: name)
    }

    /// The mesh that the object belongs to, if its kind is one of a mesh.
    package var meshKey: MeshKey? { mesh.map { MeshKey(tenant: tenant, mesh: $0) } }

    /// Namespace and name, if the object is in a namespace. For an endpoint: of its service.
    package var namespacedName: NamespacedName? {
        namespace.map { NamespacedName(namespace: $0, name: service ?? name) }
    }
}

extension ObjectKey {
    /// How the object is named to those who see its mesh: `{"kind", "namespace", "service", "name"}`.
    package var reference: JSONValue {
        .fields([
            "kind": .string(kind.rawValue), "namespace": namespace.map { .string($0.text) },
            "service": service.map { .string($0.text) }, "name": .string(name.text),
        ])
    }
}
