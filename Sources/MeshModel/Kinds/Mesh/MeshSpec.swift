package import Documents
package import MeshCore

/// A mesh of a tenant: what its namespaces stand in. Every tenant has the mesh `default`, as long as it is there.
package struct MeshSpec: ResourceKind {
    package static let info = KindInfo(
        "Mesh", plural: "meshes", in: .tenant,
        roles: KindRoles(
            create: [.tenantAdmin, .platformAdmin], update: .operators, delete: [.tenantAdmin, .platformAdmin]),
        // Ask what is wrong in a mesh.
        methods: [CustomMethod("analyze", .everybody)])

    /// The name that a console shows; at most 200 characters. Default: the mesh's name.
    package var displayName: String?
    /// Whether hosts that are no services of the mesh may be at private addresses (``IPAddress/isPrivate(_:)``), where a platform's
    /// own systems are. Where they may not, they are not resolved by DNS either, which may answer anything.
    package var allowsPrivateHosts = true
    /// The namespace whose objects may be about all others.
    package var rootNamespace = Name.defaultRootNamespace

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional(
            "displayName", \.displayName, .string(atMost: 200), "What a console shows. Default: the mesh's name."),
        .defaulted(
            "allowPrivateHosts", \.allowsPrivateHosts, .bool, isWritten: false,
            """
            Whether ServiceEntries may send requests to private addresses: of private networks, of the machine itself and its \
            link. Where they may not, DNS is no resolution either, as it may answer anything. Asked when an entry is written.
            """),
        .defaulted(
            "rootNamespace", \.rootNamespace, .name, isWritten: false,
            "The namespace whose objects may be about all others: a FreezeWindow there holds for all namespaces."),
    ]
}

extension Kind {
    package static let mesh = kinds[MeshSpec.self]
}
