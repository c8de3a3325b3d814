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

    /// What a console shows; at most 200 characters. Default: the mesh's name.
    package var displayName: String?

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional(
            "displayName", \.displayName, .string(atMost: 200), "What a console shows. Default: the mesh's name.")
    ]
}

extension Kind {
    package static let mesh = kinds[MeshSpec.self]
}
