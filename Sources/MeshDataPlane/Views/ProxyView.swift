internal import Documents
internal import EnvoyConfig
internal import MeshCore
internal import MeshIdentity
internal import XDSServer

/// What a proxy is served: everything that decides its configuration. Proxies that agree in all of it share a view.
struct ProxyView: Hashable, Sendable {
    enum Client: Hashable, Sendable {
        /// An Envoy, with the port on loopback that it serves outbound traffic on.
        case envoy(httpProxyPort: Int)
        /// gRPC's own xDS client.
        case proxyless
    }

    var mesh: MeshKey
    var namespace: Name
    var service: Name
    var proxy: Name
    var client: Client

    /// Reads who the proxy is from its verified token, and what it wants from its own words.
    init(_ claims: ProxyClaims, _ node: NodeInfo) {
        mesh = claims.mesh
        namespace = claims.namespace
        service = claims.service
        proxy = claims.proxy
        if node.metadata["GENERATOR"] == "grpc" {
            client = .proxyless
        } else {
            let port = node.metadata["HTTP_PROXY_PORT"].flatMap(Int.init) ?? Self.defaultPort
            client = .envoy(httpProxyPort: (1...65_535).contains(port) ? port : Self.defaultPort)
        }
    }

    private static let defaultPort = 15_080

    /// The proxy's.
    var name: NamespacedName { NamespacedName(namespace: namespace, name: proxy) }

    var id: ViewID {
        switch client {
        case .envoy(let port): ViewID("\(mesh)/\(namespace)/\(service)/\(proxy)/envoy/\(port)")
        case .proxyless: ViewID("\(mesh)/\(namespace)/\(service)/\(proxy)/grpc")
        }
    }

    /// What it has in common with others: those of one group share all but what lies on top (``commonLayers``).
    var group: String {
        switch client {
        case .envoy(let port): "\(mesh)/\(namespace)/envoy/\(port)"
        case .proxyless: "\(mesh)/\(namespace)/grpc"
        }
    }

    /// Reads an ``id``; `nil` for any other.
    init?(_ id: ViewID) {
        let parts = id.description.split(separator: "/", omittingEmptySubsequences: false)
        let names = parts.prefix(5).compactMap { Name(String($0)) }
        guard names.count == 5 else { return nil }
        switch (parts.dropFirst(5).first, parts.count) {
        case ("envoy", 7):
            guard let port = Int(parts[6]) else { return nil }
            client = .envoy(httpProxyPort: port)
        case ("grpc", 6): client = .proxyless
        default: return nil
        }
        mesh = MeshKey(tenant: names[0], mesh: names[1])
        (namespace, service, proxy) = (names[2], names[3], names[4])
    }

    /// All that is not in the proxy's name, as it is stored: `{"kind", "service", "httpProxyPort"}`.
    var clientJSON: JSONValue {
        switch client {
        case .envoy(let port):
            ["kind": "envoy", "service": .string(service.text), "httpProxyPort": .integer(Int64(port))]
        case .proxyless: ["kind": "grpc", "service": .string(service.text)]
        }
    }

    /// Reads what ``clientJSON`` wrote.
    ///
    /// - Returns: `nil` for anything else, such as what was written before this was.
    init?(mesh: MeshKey, name: NamespacedName, clientJSON document: JSONValue) {
        guard let service = document["service"]?.stringValue.flatMap(Name.init) else { return nil }
        switch document["kind"] {
        case "envoy":
            guard let port = document["httpProxyPort"]?.integerValue, (1...65_535).contains(port) else { return nil }
            client = .envoy(httpProxyPort: Int(port))
        case "grpc": client = .proxyless
        default: return nil
        }
        self.mesh = mesh
        namespace = name.namespace
        proxy = name.name
        self.service = service
    }

    /// What is common to many proxies, and then what less of them have, each lying above the one before.
    var commonLayers: [View] {
        switch client {
        case .envoy(let port): [.outbound(namespace: namespace), .sidecar(httpProxyPort: port)]
        case .proxyless: [.proxyless(namespace: namespace)]
        }
    }

    /// What lies on top of those, for this proxy alone.
    var ownLayer: View? {
        guard case .envoy(let port) = client else { return nil }
        return .workload(
            View.Workload(namespace: namespace, service: service, proxy: proxy, httpProxyPort: port))
    }
}
