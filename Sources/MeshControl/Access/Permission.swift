package import MeshIdentity

/// Something that a caller may or may not do. The raw value is what a refusal names.
package enum Permission: String, CaseIterable, Sendable {
    case readTenant = "tenants.read"
    case createTenant = "tenants.create"
    case updateTenant = "tenants.update"
    case deleteTenant = "tenants.delete"
    case readClusters = "clusters.read"
    case writeClusters = "clusters.write"
    /// `mesh:enable` and `mesh:disable`, and enabling at creation.
    case enableMesh = "clusters.enableMesh"
    case readServices = "services.read"
    case writeServices = "services.write"
    case readEndpoints = "endpoints.read"
    case writeEndpoints = "endpoints.write"
    case readVirtualServices = "virtualServices.read"
    case writeVirtualServices = "virtualServices.write"
    case readDestinationRules = "destinationRules.read"
    case writeDestinationRules = "destinationRules.write"
    case readReleases = "releases.read"
    case writeReleases = "releases.write"
    case startReleases = "releases.start"
    case pauseReleases = "releases.pause"
    case resumeReleases = "releases.resume"
    case promoteReleases = "releases.promote"
    /// Skip everything that is left of a plan.
    case promoteReleasesFully = "releases.promoteFull"
    /// Granted wider than promotion: whoever sees that something is wrong may stop it.
    case rollBackReleases = "releases.rollback"
    case abortReleases = "releases.abort"
    /// Forgets which version of a service is in charge.
    case clearStable = "services.clearStable"
    /// Ends the redirection of retired versions.
    case clearPromotions = "services.clearPromotions"
    /// Ask what is wrong in a mesh.
    case analyzeMesh = "meshes.analyze"
    case readProxies = "proxies.read"
    /// A bootstrap carries a token with which a proxy joins the mesh.
    case bootstrapProxies = "proxies.bootstrap"
    /// Says that a proxy's workload ends, so that no release waits for it.
    case dismissProxies = "proxies.goodbye"
    case readOperations = "operations.read"
    case readAPIKeys = "apiKeys.read"
    case writeAPIKeys = "apiKeys.write"

    /// The roles that have the permission. Golden in the tests: a change here is a change of who may do what.
    package var roles: Set<Role> {
        switch self {
        case .createTenant, .deleteTenant: [.platformAdmin]
        case .updateTenant, .readAPIKeys, .writeAPIKeys: [.tenantAdmin, .platformAdmin]
        case .writeClusters, .enableMesh: Self.operators
        case .writeServices, .writeEndpoints, .writeVirtualServices, .writeDestinationRules, .bootstrapProxies,
            .dismissProxies:
            Self.operators.union([.developer])
        case .writeReleases, .startReleases, .pauseReleases, .resumeReleases, .rollBackReleases:
            Self.operators.union([.developer, .releaser])
        case .promoteReleases, .promoteReleasesFully, .abortReleases, .clearStable, .clearPromotions:
            Self.operators.union([.releaser])
        case .readTenant, .readClusters, .readServices, .readEndpoints, .readVirtualServices, .readDestinationRules,
            .readReleases, .analyzeMesh, .readProxies, .readOperations:
            Set(Role.allCases)
        }
    }

    /// Those who run the meshes of a tenant, and everybody above them.
    private static let operators: Set<Role> = [.meshAdmin, .tenantAdmin, .platformAdmin]
}
