package import GRPCServer

/// All that the xDS port serves.
package struct XDSServices: GRPCService {
    let ads: DiscoveryService
    let csds: CSDSService
    let lrs: LRSService

    package init(ads: DiscoveryService, csds: CSDSService, lrs: LRSService) {
        self.ads = ads
        self.csds = csds
        self.lrs = lrs
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        ads.open(call) ?? csds.open(call) ?? lrs.open(call)
    }
}
