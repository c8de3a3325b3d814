package import GRPCServer

/// All that the xDS port serves.
package struct XDSServices: GRPCService {
    let discovery: DiscoveryService
    let csds: CSDSService
    let lrs: LRSService

    package init(discovery: DiscoveryService, csds: CSDSService, lrs: LRSService) {
        self.discovery = discovery
        self.csds = csds
        self.lrs = lrs
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        discovery.open(call) ?? csds.open(call) ?? lrs.open(call)
    }
}
