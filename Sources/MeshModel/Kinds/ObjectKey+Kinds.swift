package import Documents
package import MeshCore

extension ObjectScope {
    /// The scope in which a caller needs the permission for an operation on the object. For a tenant or a mesh it is
    /// that tenant or mesh itself.
    package init(_ key: ObjectKey) {
        self.init(
            tenant: key.tenant, mesh: key.kind == .mesh ? key.name : key.mesh, namespace: key.namespace,
            service: key.service)
    }

    /// The key of an object that stands here; parts that the kind's scope does not have are left aside.
    ///
    /// - Returns: `nil` if a part is missing.
    package func key(_ kind: Kind, _ name: Name) -> ObjectKey? {
        switch (kind.scope, tenant, mesh, namespace, service) {
        case (.platform, _, _, _, _):
            ObjectKey(kind, name, of: name, mesh: nil, namespace: nil, service: nil)
        case (.tenant, let tenant?, _, _, _):
            ObjectKey(kind, name, of: tenant, mesh: nil, namespace: nil, service: nil)
        case (.namespace, let tenant?, let mesh?, let namespace?, _):
            ObjectKey(kind, name, of: tenant, mesh: mesh, namespace: namespace, service: nil)
        case (.child, let tenant?, let mesh?, let namespace?, let service?):
            ObjectKey(kind, name, of: tenant, mesh: mesh, namespace: namespace, service: service)
        default: nil
        }
    }
}

extension ObjectKey {
    package static func tenant(_ name: Name) -> ObjectKey {
        ObjectKey(.tenant, name, of: name, mesh: nil, namespace: nil, service: nil)
    }

    package static func cluster(_ name: Name, of tenant: Name) -> ObjectKey {
        ObjectKey(.cluster, name, of: tenant, mesh: nil, namespace: nil, service: nil)
    }

    package static func mesh(_ name: Name, of tenant: Name) -> ObjectKey {
        ObjectKey(.mesh, name, of: tenant, mesh: nil, namespace: nil, service: nil)
    }

    /// A key of a kind whose scope is a namespace.
    package static func namespaced(_ kind: Kind, _ name: NamespacedName, in mesh: MeshKey) -> ObjectKey {
        precondition(kind.scope == .namespace, "the kind's scope is not a namespace")
        return ObjectKey(
            kind, name.name, of: mesh.tenant, mesh: mesh.mesh, namespace: name.namespace, service: nil)
    }

    package static func endpoint(_ name: Name, of service: NamespacedName, in mesh: MeshKey) -> ObjectKey {
        ObjectKey(
            .endpoint, name, of: mesh.tenant, mesh: mesh.mesh, namespace: service.namespace, service: service.name)
    }
}

extension ObjectKey {
    /// The object that this one is a child of; `nil` if its kind has no parents.
    package var parent: ObjectKey? {
        guard case .child(let name) = kind.scope, let kind = kinds.kind(named: name), let service else { return nil }
        return ObjectKey(kind, service, of: tenant, mesh: mesh, namespace: namespace, service: nil)
    }

    /// How the object is named to those who see its mesh: `{"kind", "namespace", "service", "name"}`.
    package var reference: JSONValue { reference(from: self) }

    /// The object's ``reference``, with its `mesh` if the other object stands in another one.
    package func reference(from other: ObjectKey) -> JSONValue {
        .fields([
            "kind": .string(kind.name), "mesh": mesh == other.mesh ? nil : mesh.map { .string($0.text) },
            "namespace": namespace.map { .string($0.text) },
            "service": service.map { .string($0.text) }, "name": .string(name.text),
        ])
    }
}
