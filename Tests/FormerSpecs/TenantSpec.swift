import Documents
import MeshCore

/// A customer of the platform: everything else belongs to one.
package struct TenantSpec: Spec {

    /// What a console shows; at most 200 bytes. Default: the tenant's name.
    package var displayName: String?

    package init?(reading fields: inout FieldReader) {
        displayName = fields.string("displayName", maxLength: 200)
        fields.finish()
    }

    package var json: JSONValue { .fields(["displayName": displayName.map(JSONValue.string)]) }
}

