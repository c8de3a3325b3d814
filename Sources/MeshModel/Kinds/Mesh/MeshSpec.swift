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

    /// What a console shows; at most 200 bytes. Default: the mesh's name.
    package var displayName: String?

    package init?(reading fields: inout FieldReader) {
        displayName = fields.string("displayName", maxLength: 200)
        fields.finish()
    }

    package var json: JSONValue { .fields(["displayName": displayName.map(JSONValue.string)]) }
}

extension Kind {
    package static let mesh = kinds[MeshSpec.self]
}
