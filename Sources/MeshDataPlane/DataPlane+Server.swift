internal import Documents
package import GRPCServer
package import MeshIdentity
internal import MeshModel
package import NIOCore
internal import XDSServer

extension DataPlane {
    /// The xDS server, with bounds on what one tenant, one address or one stream may cause. Of one data plane there is one.
    ///
    /// - Parameters:
    ///   - adminToken: whose bearer may see the status of all proxies; `nil`: nobody.
    ///   - loadReportInterval: how often proxies report their load; `nil`: they do not.
    package func server(
        on listener: GRPCServer.Listener, adminToken: AdminToken?, loadReportInterval: Duration?,
        eventLoopGroup: any EventLoopGroup
    ) -> GRPCServer {
        GRPCServer(
            configuration: Self.configuration(listener), service: services(adminToken, loadReportInterval),
            eventLoopGroup: eventLoopGroup, logger: logger)
    }

    private static func configuration(_ listener: GRPCServer.Listener) -> GRPCServer.Configuration {
        var configuration = GRPCServer.Configuration(listeners: [listener])
        // Streams never move by themselves; closing them now and then spreads proxies over the replicas.
        configuration.maxConnectionAge = .minutes(30)
        configuration.gracePeriod = .seconds(1)
        configuration.maxConnections = Limits.connections.value
        configuration.maxConnectionsPerAddress = Limits.connectionsPerAddress.value
        configuration.strangerTimeout = .seconds(Int64(Limits.silentSeconds.value))
        return configuration
    }

    private func services(_ adminToken: AdminToken?, _ loadReportInterval: Duration?) -> XDSServices {
        let places = TenantPlaces(
            TenantLimits(
                streams: .init(Limits.streamsPerTenant.value, Limits.streamsPerTenant.rule),
                groups: .init(Limits.viewsPerTenant.value, Limits.viewsPerTenant.rule)))
        var names = NameLimits()
        (names.names, names.namesLimitName) = (Limits.namesPerStream.value, Limits.namesPerStream.name)
        (names.nameBytes, names.nameBytesLimitName) = (Limits.nameBytesPerStream.value, Limits.nameBytesPerStream.name)
        return XDSServices(
            discovery: DiscoveryService(
                delegate: admission, store: snapshots, registry: registry, places: places, names: names,
                logger: logger),
            csds: CSDSService(
                delegate: StatusAdmission(admission: admission, adminToken: adminToken), store: snapshots),
            lrs: LRSService(
                admission: admission, delegate: loads, store: snapshots, places: places, interval: loadReportInterval),
            stats: StatsService(admission: admission, delegate: stats))
    }
}
