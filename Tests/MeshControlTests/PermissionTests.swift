import MeshControl
import MeshCore
import MeshModel
import Testing

@Suite("Permissions")
struct PermissionTests {
    /// Who may do what; a change here is a decision.
    private static let golden = """
        permission              viewer developer releaser meshAdmin tenantAdmin platformAdmin
        analysisTemplates.read  x      x         x        x         x           x
        analysisTemplates.write -      x         x        x         x           x
        apiKeys.read            -      -         -        -         x           x
        apiKeys.write           -      -         -        -         x           x
        clusters.enableMesh     -      -         -        x         x           x
        clusters.read           x      x         x        x         x           x
        clusters.write          -      -         -        x         x           x
        destinationRules.read   x      x         x        x         x           x
        destinationRules.write  -      x         -        x         x           x
        endpoints.read          x      x         x        x         x           x
        endpoints.write         -      x         -        x         x           x
        freezeWindows.read      x      x         x        x         x           x
        freezeWindows.write     -      -         -        x         x           x
        meshes.analyze          x      x         x        x         x           x
        meshes.create           -      -         -        -         x           x
        meshes.delete           -      -         -        -         x           x
        meshes.read             x      x         x        x         x           x
        meshes.update           -      -         -        x         x           x
        metricProviders.read    x      x         x        x         x           x
        metricProviders.write   -      -         -        x         x           x
        notificationChannels.read x    x         x        x         x           x
        notificationChannels.write -   x         -        x         x           x
        operations.read         x      x         x        x         x           x
        proxies.bootstrap       -      x         -        x         x           x
        proxies.goodbye         -      x         -        x         x           x
        proxies.read            x      x         x        x         x           x
        releases.abort          -      -         x        x         x           x
        releases.approve        -      x         x        x         x           x
        releases.goto           -      -         x        x         x           x
        releases.overrideFreeze -      -         -        x         x           x
        releases.pause          -      x         x        x         x           x
        releases.promote        -      -         x        x         x           x
        releases.promoteFull    -      -         x        x         x           x
        releases.read           x      x         x        x         x           x
        releases.reject         -      x         x        x         x           x
        releases.resume         -      x         x        x         x           x
        releases.retryAnalysis  -      x         x        x         x           x
        releases.rollback       -      x         x        x         x           x
        releases.skip           -      -         x        x         x           x
        releases.skipApproval   -      -         -        x         x           x
        releases.start          -      x         x        x         x           x
        releases.write          -      x         x        x         x           x
        secrets.read            x      x         x        x         x           x
        secrets.write           -      x         -        x         x           x
        serviceEntries.read     x      x         x        x         x           x
        serviceEntries.write    -      x         -        x         x           x
        services.clearPromotions - -        x        x         x           x
        services.clearStable    -      -         x        x         x           x
        services.read           x      x         x        x         x           x
        services.write          -      x         -        x         x           x
        tenants.create          -      -         -        -         -           x
        tenants.delete          -      -         -        -         -           x
        tenants.read            x      x         x        x         x           x
        tenants.update          -      -         -        -         x           x
        virtualServices.read    x      x         x        x         x           x
        virtualServices.write   -      x         -        x         x           x
        """

    @Test("are as the table says")
    func matrix() {
        let lines = Self.golden.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines[0].dropFirst() == Role.allCases.map(\.rawValue)[...])
        let actual = Permission.all.sorted { $0.name < $1.name }.map { permission in
            [permission.name] + Role.allCases.map { permission.roles.contains($0) ? "x" : "-" }
        }
        #expect(actual == Array(lines.dropFirst()))
    }
}
