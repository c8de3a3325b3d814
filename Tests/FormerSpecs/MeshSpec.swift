import Documents
import MeshCore

/// A mesh of a tenant: what its namespaces stand in. Every tenant has the mesh `default`, as long as it is there.
package struct MeshSpec: Spec {

    /// What a console shows; at most 200 bytes. Default: the mesh's name.
    package var displayName: String?

    package init?(reading fields: inout FieldReader) {
        displayName = fields.string("displayName", maxLength: 200)
        fields.finish()
    }

    package var json: JSONValue { .fields(["displayName": displayName.map(JSONValue.string)]) }
}

