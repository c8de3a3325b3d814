/// A right to do things, from least to most. The table of kinds says which role may do what with objects; `Permission` (MeshControl) has the rest.
package enum Role: String, CaseIterable, Sendable {
    /// Reads everything of the tenant.
    case viewer
    /// Writes services, endpoints and rules, and runs releases up to promotion.
    case developer
    /// Runs releases, promotion included.
    case releaser
    /// Everything inside the meshes of the tenant.
    case meshAdmin
    /// Everything of the tenant.
    case tenantAdmin
    /// Everything of all tenants.
    case platformAdmin
}

extension Set<Role> {
    package static let everybody = Set(Role.allCases)
    /// The role of those who run the meshes of a tenant, and all above it.
    package static let operators: Self = [.meshAdmin, .tenantAdmin, .platformAdmin]
    /// The role of those who write what the meshes are made of, and all above it.
    package static let developers = operators.union([.developer])
}
