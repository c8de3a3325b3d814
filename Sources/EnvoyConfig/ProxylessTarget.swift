internal import EnvoyProtos
internal import MeshModel
internal import SwiftProtobuf

/// What a gRPC client without sidecar is given for a target such as `xds:///reviews.shop:9080`: it asks for a listener of
/// that name (gRFC A27).
struct ProxylessTarget {
    let listeners: [EncodedResource]
    let routes: EncodedResource

    init(_ host: EncodedVirtualHost, from namespace: Name) {
        let service = host.service
        let routesName = "\(service.name).\(service.namespace):\(host.port)"
        let names =
            (service.namespace == namespace ? ["\(service.name):\(host.port)"] : [])
            + [routesName, "\(HostName.full(service)):\(host.port)"]
        listeners = names.map { name in
            EncodedResource(name: name, bytes: ListenerMessage(proxyless: name, routes: routesName).encoded)
        }
        let head = RouteConfigurationMessage.with { $0.name = routesName }.encoded
        // The client looks for its target's name; the listener has already decided, so any is right.
        routes = EncodedResource(name: routesName, bytes: head + host.field(domains: ["*"]))
    }
}

extension EncodedResource {
    /// A cluster as gRPC clients take it: they refuse `LEAST_REQUEST`, and report load only where the cluster says so. A
    /// field that stands twice in a serialized message has its last value, so what is different is put behind.
    var proxyless: EncodedResource { EncodedResource(name: name, bytes: bytes + Self.roundRobin + Self.reporting) }

    /// `lb_policy: ROUND_ROBIN`: field 6, varint 0, which an encoder would leave out as the default.
    private static let roundRobin: [UInt8] = [0x30, 0x00]

    /// Load is reported to the server that the cluster comes from, over the same connection.
    private static let reporting = ClusterMessage.with { $0.lrsServer.self_p = .init() }.encoded
}
