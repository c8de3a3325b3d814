internal import EnvoyConfig
internal import MeshCore
internal import MeshIdentity
internal import MeshStore
internal import XDSServer

/// The view of a proxy: everything that decides its configuration. Proxies that agree in all of it share a view.
struct ProxyView: Hashable, Sendable {
    var mesh: MeshKey
    var namespace: Name
    var proxy: Name
    var client: ProxyClient

    init(mesh: MeshKey, name: NamespacedName, client: ProxyClient) {
        self.mesh = mesh
        namespace = name.namespace
        proxy = name.name
        self.client = client
    }

    /// Reads who the proxy is from its verified token, and what it wants from its own words.
    init(_ claims: ProxyClaims, _ node: NodeInfo) {
        mesh = claims.mesh
        namespace = claims.namespace
        proxy = claims.proxy
        if node.metadata["GENERATOR"] == "grpc" {
            client = ProxyClient(.grpc, service: claims.service)
        } else {
            let port = node.metadata["HTTP_PROXY_PORT"].flatMap(Int.init) ?? Self.defaultPort
            client = ProxyClient(
                .envoy(httpProxyPort: (1...65_535).contains(port) ? port : Self.defaultPort), service: claims.service)
        }
    }

    private static let defaultPort = 15_080

    /// The proxy's.
    var name: NamespacedName { NamespacedName(namespace: namespace, name: proxy) }

    var id: ViewID {
        let mesh = mesh.description
        return switch client.program {
        case .envoy(let port):
            ViewID("\(mesh)/\(namespace)/\(client.service)/\(proxy)/envoy/\(port)", of: mesh)
        case .grpc: ViewID("\(mesh)/\(namespace)/\(client.service)/\(proxy)/grpc", of: mesh)
        }
    }

    /// The views that have layers in common with this one: those of one group share all but their own.
    var group: String {
        switch client.program {
        case .envoy(let port): "\(mesh)/\(namespace)/envoy/\(port)"
        case .grpc: "\(mesh)/\(namespace)/grpc"
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
            client = ProxyClient(.envoy(httpProxyPort: port), service: names[3])
        case ("grpc", 6): client = ProxyClient(.grpc, service: names[3])
        default: return nil
        }
        mesh = MeshKey(tenant: names[0], mesh: names[1])
        (namespace, proxy) = (names[2], names[4])
    }

    /// The layers that it is made of: those that many proxies have, and then its own.
    var layers: [LayerID] {
        switch client.program {
        case .envoy(let port):
            [
                .outbound(namespace: namespace), .sidecar(httpProxyPort: port),
                .workload(
                    LayerID.Workload(namespace: namespace, service: client.service, proxy: proxy, httpProxyPort: port)),
            ]
        case .grpc: [.proxyless(namespace: namespace)]
        }
    }
}

extension LayerID {
    /// Whether many proxies may have it.
    var isCommon: Bool {
        if case .workload = self { false } else { true }
    }
}
