internal import EnvoyProtos
internal import MeshCore
internal import MeshModel
internal import SwiftProtobuf

/// The resources that a gRPC client without sidecar is given for a target such as `xds:///reviews.shop:9080`: it asks for a listener of
/// that name (gRFC A27).
struct ProxylessTarget {
    let listeners: [EncodedResource]
    let routes: EncodedResource

    /// - Parameter taken: names by which the namespace means other hosts.
    init(_ host: EncodedVirtualHost, from namespace: Name, except taken: Set<String>) {
        let names = host.host.targets(from: namespace, except: taken).map { "\($0):\(host.port)" }
        let routesName = "\(host.host.routesName):\(host.port)"
        listeners = names.map { name in
            EncodedResource(name: name, bytes: ListenerMessage(proxyless: name, routes: routesName).encoded)
        }
        let head = RouteConfigurationMessage.with { $0.name = routesName }.encoded
        // The client looks for its target's name; the listener has already decided, so any is right.
        routes = EncodedResource(name: routesName, bytes: head + host.field(domains: ["*"], proxyless: true))
    }
}

extension EncodedResource {
    /// A cluster as gRPC clients take it: they refuse `LEAST_REQUEST`, and report load only where the cluster says so. A
    /// field that stands twice in a serialized message has its last value, so what is different is put behind.
    ///
    /// Consistent hashing is a ring for them, whatever the algorithm (gRFC A42).
    func proxyless(_ policy: TrafficPolicy.Blocks) -> EncodedResource {
        var tail = Self.reporting
        if case .consistentHash(let hash)? = policy.loadBalancer {
            if case .maglev = hash.algorithm { tail += Self.ring }
        } else {
            tail += Self.roundRobin
        }
        if let detection = policy.outlierDetection {
            // Is merged with what the cluster has.
            tail += ClusterMessage.with { $0.outlierDetection = .init(proxyless: detection) }.encoded
        }
        return EncodedResource(name: name, bytes: bytes + tail)
    }

    private static let ring = ClusterMessage.with {
        $0.lbPolicy = .ringHash
        $0.ringHashLbConfig = .init()
    }.encoded

    /// `lb_policy: ROUND_ROBIN`: field 6, varint 0, which an encoder would leave out as the default.
    private static let roundRobin: [UInt8] = [0x30, 0x00]

    /// Load is reported to the server that the cluster comes from, over the same connection.
    private static let reporting = ClusterMessage.with { $0.lrsServer.self_p = .init() }.encoded
}
