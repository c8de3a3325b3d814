/// What somebody may do, from least to most. Which role has which permission is decided in MeshControl.
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
