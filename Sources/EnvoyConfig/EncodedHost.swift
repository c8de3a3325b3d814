internal import EnvoyProtos
internal import MeshCompiler

/// A host's resources, encoded once for all who see them.
struct EncodedHost: Sendable {
    var clusters: [ConfigResource] = []
    /// ``clusters`` for gRPC clients.
    var proxylessClusters: [ConfigResource] = []
    var endpoints: [ConfigResource] = []
    /// ``endpoints`` for gRPC clients; most are the same.
    var proxylessEndpoints: [ConfigResource] = []
    var virtualHosts: [EncodedVirtualHost] = []
    /// ``virtualHosts`` as parts of a route configuration, for callers of the host's namespace and for others.
    var ownRoutes = MessageBytes()
    var foreignRoutes = MessageBytes()

    /// The namespaces that see the host.
    var visibility = IR.Visibility.only([])

    /// Whether there is no namespace that does not see it; true of nothing.
    var isForEverybody: Bool { isEmpty || visibility == .everybody }
    var isEmpty: Bool { clusters.isEmpty && endpoints.isEmpty && virtualHosts.isEmpty }

    mutating func updateClusters(_ compiled: CompiledClusters?) {
        let all = compiled?.clusters ?? []
        visibility = compiled?.visibility ?? .only([])
        let messages = all.map { ClusterMessage($0) }
        clusters = messages.map { ConfigResource($0) }
        // gRPC resolves the names of members in another way, and of one only (gRFC A37).
        proxylessClusters = zip(all, messages).filter { $0.0.names == nil }.map { cluster, message in
            var message = message
            message.limitForProxyless(cluster.policy)
            return ConfigResource(message)
        }
    }

    mutating func updateEndpoints(_ all: [IR.Endpoints]) {
        endpoints = all.map { ConfigResource($0) }
        proxylessEndpoints = zip(all, endpoints).map { endpoints, encoded in
            let proxyless = endpoints.proxyless
            return proxyless == endpoints ? encoded : ConfigResource(proxyless)
        }
    }

    mutating func updateRoutes(_ hosts: [IR.VirtualHost]) {
        virtualHosts = hosts.map { EncodedVirtualHost($0) }
        ownRoutes = MessageBytes(virtualHosts.map { $0.part(domains: $0.domains(forOwnNamespace: true)) })
        foreignRoutes = MessageBytes(virtualHosts.map { $0.part(domains: $0.domains(forOwnNamespace: false)) })
    }
}

/// The listeners of one sidecar for what it lets in, and the clusters behind them.
struct EncodedInbound: Hashable, Sendable {
    private(set) var listeners: [ConfigResource] = []
    private(set) var clusters: [ConfigResource] = []

    init() {}

    init(_ all: [IR.Inbound]) {
        // Ports may share a listener and its cluster.
        for inbound in all {
            listeners.addMissing(ConfigResource(name: inbound.listenerName, bytes: ListenerMessage(inbound).encoded))
            clusters.addMissing(ConfigResource(ClusterMessage(inbound)))
        }
    }

    var isEmpty: Bool { listeners.isEmpty && clusters.isEmpty }
}

extension ConfigResource {
    fileprivate init(_ cluster: ClusterMessage) {
        self.init(name: cluster.name, bytes: cluster.encoded)
    }

    fileprivate init(_ endpoints: IR.Endpoints) {
        self.init(name: endpoints.cluster.text, bytes: EndpointsMessage(endpoints).encoded)
    }
}

extension [ConfigResource] {
    /// A sidecar has few.
    fileprivate mutating func addMissing(_ other: ConfigResource) {
        if !contains(where: { $0.name == other.name }) { append(other) }
    }
}
