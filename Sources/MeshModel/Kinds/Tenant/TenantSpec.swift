package import Documents
package import MeshCore

/// A customer of the platform: everything else belongs to one.
package struct TenantSpec: ResourceKind {
    package static let info = KindInfo(
        "Tenant", in: .platform,
        roles: KindRoles(
            create: [.platformAdmin], update: [.tenantAdmin, .platformAdmin], delete: [.platformAdmin]))

    /// The name that a console shows; at most 200 characters. Default: the tenant's name.
    package var displayName: String?

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional(
            "displayName", \.displayName, .string(atMost: 200), "What a console shows. Default: the tenant's name.")
    ]
}

extension Kind {
    package static let tenant = kinds[TenantSpec.self]
}
