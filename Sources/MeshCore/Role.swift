/// What somebody may do, from least to most. The table of kinds says which role may do what with objects; `Permission` (MeshControl) has the rest.
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
    /// Those who run the meshes of a tenant, and everybody above them.
    package static let operators: Self = [.meshAdmin, .tenantAdmin, .platformAdmin]
    /// Those who write what the meshes are made of.
    package static let developers = operators.union([.developer])
}
