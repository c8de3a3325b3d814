internal import GRPCServer

/// A gRPC method of a discovery service: the aggregated service all types on one stream, each of the others one type
/// ("RPC Services and Methods for Each Variant", xDS protocol).
struct DiscoveryMethod: Equatable {
    let variant: Variant
    /// The one type of the method; `nil`: all.
    let type: ResourceType?

    /// - Returns: `nil` for methods that there are not.
    init?(_ path: GRPCPath) {
        let served: (type: ResourceType?, resources: String)
        switch path.service {
        case "envoy.service.discovery.v3.AggregatedDiscoveryService": served = (nil, "AggregatedResources")
        case "envoy.service.cluster.v3.ClusterDiscoveryService": served = (.cluster, "Clusters")
        case "envoy.service.endpoint.v3.EndpointDiscoveryService": served = (.endpoint, "Endpoints")
        case "envoy.service.listener.v3.ListenerDiscoveryService": served = (.listener, "Listeners")
        case "envoy.service.route.v3.ScopedRoutesDiscoveryService": served = (.scopedRoute, "ScopedRoutes")
        case "envoy.service.route.v3.RouteDiscoveryService": served = (.route, "Routes")
        case "envoy.service.route.v3.VirtualHostDiscoveryService": served = (.virtualHost, "VirtualHosts")
        case "envoy.service.extension.v3.ExtensionConfigDiscoveryService":
            served = (.extensionConfig, "ExtensionConfigs")
        case "envoy.service.secret.v3.SecretDiscoveryService": served = (.secret, "Secrets")
        case "envoy.service.runtime.v3.RuntimeDiscoveryService": served = (.runtime, "Runtime")
        default: return nil
        }
        switch path.method {
        case "Stream\(served.resources)": variant = .stateOfTheWorld
        case "Delta\(served.resources)": variant = .delta
        default: return nil
        }
        type = served.type
        if let type, !type.isServed(in: variant) { return nil }
    }
}
