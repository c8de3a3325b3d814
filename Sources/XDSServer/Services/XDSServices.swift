package import GRPCServer

/// All that the xDS port serves.
package struct XDSServices: GRPCService {
    let discovery: DiscoveryService
    let csds: CSDSService
    let lrs: LRSService
    let stats: StatsService

    package init(discovery: DiscoveryService, csds: CSDSService, lrs: LRSService, stats: StatsService) {
        self.discovery = discovery
        self.csds = csds
        self.lrs = lrs
        self.stats = stats
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        discovery.open(call) ?? csds.open(call) ?? lrs.open(call) ?? stats.open(call)
    }
}
