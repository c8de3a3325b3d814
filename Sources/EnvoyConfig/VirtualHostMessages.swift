internal import EnvoyProtos
internal import MeshCompiler
internal import MeshModel
internal import SwiftProtobuf

/// A virtual host whose routes, which are the same for all callers, are encoded once. Only the names by which callers know the
/// service differ.
struct EncodedVirtualHost: Hashable, Sendable {
    let host: Host
    let port: Int
    let isDefaultPort: Bool
    /// All of the message but its domains.
    private let body: MessageBytes
    /// ``body`` for gRPC clients, if it is different.
    private let proxylessBody: MessageBytes?

    init(_ host: IR.VirtualHost) {
        self.host = host.host
        port = host.port
        isDefaultPort = host.isDefaultPort
        var message = VirtualHostMessage()
        message.name = host.name
        message.includeRequestAttemptCount = true
        message.routes = host.routes.map { RouteMessage($0) }
        body = MessageBytes(message)
        let plain = message.routes
        for (index, route) in host.routes.enumerated() { message.routes[index].limitForProxyless(route) }
        proxylessBody = message.routes == plain ? nil : MessageBytes(message)
    }

    /// The part of a `RouteConfiguration` that has this as a virtual host.
    ///
    /// - Parameter proxyless: for gRPC clients.
    func part(domains: [String], proxyless: Bool = false) -> MessageBytes {
        let names = MessageBytes(VirtualHostMessage.with { $0.domains = domains })
        let virtualHosts: UInt8 = 2
        return MessageBytes(field: virtualHosts, [proxyless ? proxylessBody ?? body : body, names])
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

/// The parts around the virtual hosts of the route configuration of a sidecar's HTTP proxy port.
enum OutboundRoutes {
    static let name = "http_proxy"

    static let head = MessageBytes(
        RouteConfigurationMessage.with {
            $0.name = name
            // Routes come after the clusters that they name, and must be taken even if those are still warming.
            $0.validateClusters = Google_Protobuf_BoolValue(false)
        })

    /// For hosts that no service has: 502. Nothing leaves the mesh by accident.
    static let tail = MessageBytes(
        RouteConfigurationMessage.with {
            var route = RouteMessage()
            route.name = "block_all"
            route.match.prefix = "/"
            route.directResponse.status = 502
            var host = VirtualHostMessage()
            host.name = "block_all"
            host.domains = ["*"]
            host.routes = [route]
            $0.virtualHosts = [host]
        })
}
