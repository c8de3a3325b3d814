package import GRPCServer

/// All that the xDS port serves.
package struct DiscoveryServices: GRPCService {
    let ads: ADSService
    let csds: CSDSService

    package init(ads: ADSService, csds: CSDSService) {
        self.ads = ads
        self.csds = csds
    }

    package func open(_ call: GRPCCall) -> (any GRPCCallHandler)? { ads.open(call) ?? csds.open(call) }
}
