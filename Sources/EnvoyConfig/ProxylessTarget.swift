internal import EnvoyProtos
internal import MeshCore
internal import MeshModel
internal import SwiftProtobuf

/// The resources that a gRPC client without sidecar is given for a target such as `xds:///reviews.shop:9080`: it asks for a listener of
/// that name (gRFC A27).
struct ProxylessTarget {
    let listeners: [ConfigResource]
    let routes: ConfigResource

    /// - Parameter taken: names by which the namespace means other hosts.
    init(_ host: EncodedVirtualHost, from namespace: Name, except taken: Set<String>) {
        let names = host.host.targets(from: namespace, except: taken).map { "\($0):\(host.port)" }
        let routesName = "\(host.host.routesName):\(host.port)"
        listeners = names.map { name in
            ConfigResource(name: name, bytes: ListenerMessage(proxyless: name, routes: routesName).encoded)
        }
        let head = MessageBytes(RouteConfigurationMessage.with { $0.name = routesName })
        // The client looks for its target's name; the listener has already decided, so any is right.
        routes = ConfigResource(
            name: routesName, bytes: MessageBytes([head, host.part(domains: ["*"], proxyless: true)]).bytes)
    }
}

extension ClusterMessage {
    /// Makes it a cluster as gRPC clients take it: they refuse `LEAST_REQUEST`, and report load only where the cluster says so, to
    /// the server that it comes from.
    ///
    /// Consistent hashing is a ring for them, whatever the algorithm (gRFC A42).
    mutating func limitForProxyless(_ policy: TrafficPolicy.Blocks) {
        lrsServer.self_p = .init()
        if case .consistentHash(let hash)? = policy.loadBalancer {
            if case .maglev = hash.algorithm {
                lbPolicy = .ringHash
                ringHashLbConfig = .init()
            }
        } else {
            lbPolicy = .roundRobin
        }
        if let detection = policy.outlierDetection { outlierDetection.limitForProxyless(detection) }
    }
}
