package import GRPCServer

/// All that the xDS port serves.
package struct DiscoveryServices: GRPCService {
    let ads: ADSService
    let csds: CSDSService
    let lrs: LRSService

    package init(ads: ADSService, csds: CSDSService, lrs: LRSService) {
        self.ads = ads
        self.csds = csds
        self.lrs = lrs
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? {
        ads.open(call) ?? csds.open(call) ?? lrs.open(call)
    }
}
