internal import MeshCompiler
internal import MeshCore

/// A service's resources, encoded once for all who see them.
struct EncodedService: Sendable {
    var clusters: [EncodedResource] = []
    /// ``clusters`` for gRPC clients.
    var proxylessClusters: [EncodedResource] = []
    var endpoints: [EncodedResource] = []
    /// ``endpoints`` for gRPC clients; most are the same.
    var proxylessEndpoints: [EncodedResource] = []
    /// By proxy: listeners and the clusters behind them.
    var inbound: [Name: Inbound] = [:]
    var virtualHosts: [EncodedVirtualHost] = []
    /// ``virtualHosts`` as fields of a route configuration, for callers of the service's namespace and for others.
    var ownRoutes: [UInt8] = []
    var foreignRoutes: [UInt8] = []

    struct Inbound: Hashable, Sendable {
        var listeners: [EncodedResource] = []
        var clusters: [EncodedResource] = []

        /// Adds what is not there: ports may share a listener and its cluster.
        mutating func add(_ other: Inbound) {
            listeners.addMissing(other.listeners)
            clusters.addMissing(other.clusters)
        }
    }

    mutating func update(_ service: CompiledService, _ parts: CompiledService.Parts) {
        if parts.contains(.clusters) {
            clusters = service.clusters.map { EncodedResource(name: $0.name.text, bytes: ClusterMessage($0).encoded) }
            proxylessClusters = zip(service.clusters, clusters).map { $1.proxyless($0.policy) }
        }
        if parts.contains(.endpoints) {
            endpoints = service.endpoints.map { EncodedResource($0) }
            proxylessEndpoints = zip(service.endpoints, endpoints).map { endpoints, encoded in
                let proxyless = endpoints.proxyless
                return proxyless == endpoints ? encoded : EncodedResource(proxyless)
            }
        }
        if parts.contains(.inbound) { inbound = Self.inbound(service.inbound) }
        if parts.contains(.routes) {
            virtualHosts = service.virtualHosts.map { EncodedVirtualHost($0) }
            ownRoutes = virtualHosts.flatMap { $0.field(domains: $0.domains(forOwnNamespace: true)) }
            foreignRoutes = virtualHosts.flatMap { $0.field(domains: $0.domains(forOwnNamespace: false)) }
        }
    }

    private static func inbound(_ all: [IR.Inbound]) -> [Name: Inbound] {
        var result: [Name: Inbound] = [:]
        for inbound in all {
            let listener = EncodedResource(name: inbound.listenerName, bytes: ListenerMessage(inbound).encoded)
            let cluster = EncodedResource(name: inbound.clusterName, bytes: ClusterMessage(inbound).encoded)
            result[inbound.proxy, default: Inbound()].add(Inbound(listeners: [listener], clusters: [cluster]))
        }
        return result
    }
}

extension EncodedResource {
    fileprivate init(_ endpoints: IR.Endpoints) {
        self.init(name: endpoints.cluster.text, bytes: EndpointsMessage(endpoints).encoded)
    }
}

extension [EncodedResource] {
    /// A sidecar has few.
    fileprivate mutating func addMissing(_ others: [EncodedResource]) {
        for other in others where !contains(where: { $0.name == other.name }) { append(other) }
    }
}
