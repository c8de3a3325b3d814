internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

/// A virtual host in pieces that are encoded once and put together as often as needed.
///
/// Fields of a serialized protobuf message may be concatenated: repeated fields add up
/// (https://protobuf.dev/programming-guides/encoding/#last-one-wins). So the routes, which are the same for all callers,
/// are encoded once, and only the names by which callers know the service differ.
struct EncodedVirtualHost: Hashable, Sendable {
    let host: Host
    let port: Int
    let isDefaultPort: Bool
    /// All of the message but its domains.
    private let body: [UInt8]
    /// ``body`` for gRPC clients, if it is different.
    private let proxylessBody: [UInt8]?

    init(_ host: IR.VirtualHost) {
        self.host = host.host
        port = host.port
        isDefaultPort = host.isDefaultPort
        var message = VirtualHostMessage()
        message.name = host.name
        message.includeRequestAttemptCount = true
        message.routes = host.routes.map { RouteMessage($0) }
        body = message.encoded
        let plain = message.routes
        for (index, route) in host.routes.enumerated() { message.routes[index].limitForProxyless(route) }
        proxylessBody = message.routes == plain ? nil : message.encoded
    }

    /// `virtual_hosts` of a `RouteConfiguration`, with this as its only element.
    ///
    /// - Parameter proxyless: for gRPC clients.
    func field(domains: [String], proxyless: Bool = false) -> [UInt8] {
        let body = proxyless ? proxylessBody ?? self.body : self.body
        var message = VirtualHostMessage()
        message.domains = domains
        let names = message.encoded
        var field: [UInt8] = []
        field.reserveCapacity(body.count + names.count + 8)
        field.append(0x12)  // field 2, length-delimited
        field.appendVarint(UInt64(body.count + names.count))
        field += body
        field += names
        return field
    }

    /// The names by which callers in the host's own namespace, or in others, say which port they want.
    ///
    /// - Parameter taken: those by which they mean other hosts.
    func domains(forOwnNamespace isOwn: Bool, except taken: Set<String> = []) -> [String] {
        host.domains(forOwnNamespace: isOwn).filter { !taken.contains($0) || $0 == host.text }.flatMap {
            isDefaultPort ? [$0, "\($0):\(port)"] : ["\($0):\(port)"]
        }
    }
}

extension [UInt8] {
    /// Base 128, least significant group first.
    fileprivate mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}

/// The bytes around the virtual hosts of the route configuration of a sidecar's HTTP proxy port.
enum OutboundRoutes {
    static let name = "http_proxy"

    static let head: [UInt8] = RouteConfigurationMessage.with {
        $0.name = name
        // Routes come after the clusters that they name, and must be taken even if those are still warming.
        $0.validateClusters = Google_Protobuf_BoolValue(false)
    }.encoded

    /// For hosts that no service has: 502. Nothing leaves the mesh by accident.
    static let tail: [UInt8] = RouteConfigurationMessage.with {
        var route = RouteMessage()
        route.name = "block_all"
        route.match.prefix = "/"
        route.directResponse.status = 502
        var host = VirtualHostMessage()
        host.name = "block_all"
        host.domains = ["*"]
        host.routes = [route]
        $0.virtualHosts = [host]
    }.encoded
}
