internal import MeshCompiler
internal import MeshCore
internal import MeshModel

/// The changes that an update of a ``ConfigEncoder`` made, for all views; ``ConfigEncoder/change(_:in:)`` says what one sees of it.
package struct EncodedChange: Sendable {
    var clusters = ResourceDelta()
    var proxylessClusters = ResourceDelta()
    var endpoints = ResourceDelta()
    var proxylessEndpoints = ResourceDelta()
    /// Hosts whose virtual hosts changed, or who sees them, with what they were.
    var routes: [Host: EncodedHost] = [:]
    /// Hosts that not everybody sees, or saw, with what they were and are: what is different is for each namespace to say.
    var partial: [Host: (old: EncodedHost, new: EncodedHost)] = [:]
    /// Proxies that let in something else now, with what it was.
    var inbound: [NamespacedName: EncodedInbound] = [:]

    /// Whether no view sees anything of it.
    package var isEmpty: Bool {
        clusters.isEmpty && proxylessClusters.isEmpty && endpoints.isEmpty && proxylessEndpoints.isEmpty
            && routes.isEmpty && partial.isEmpty && inbound.isEmpty
    }

    /// Whether anything of it is in a view of a workload.
    package var reachesWorkloads: Bool { !inbound.isEmpty }

    init() {}

    /// The changes of one host.
    init(of host: Host, from old: EncodedHost, to new: EncodedHost) {
        let hasRoutes = !old.virtualHosts.isEmpty || !new.virtualHosts.isEmpty
        // gRPC clients have no targets where there are no clusters for them.
        let isForProxyless = [old, new].map { !$0.proxylessClusters.isEmpty }
        let isOther =
            old.virtualHosts != new.virtualHosts || old.visibility != new.visibility
            || isForProxyless[0] != isForProxyless[1]
        if hasRoutes && isOther {
            routes[host] = old
        }
        guard old.isForEverybody && new.isForEverybody else {
            partial[host] = (old, new)
            return
        }
        clusters = ResourceDelta(from: old.clusters, to: new.clusters)
        proxylessClusters = ResourceDelta(from: old.proxylessClusters, to: new.proxylessClusters)
        endpoints = ResourceDelta(from: old.endpoints, to: new.endpoints)
        proxylessEndpoints = ResourceDelta(from: old.proxylessEndpoints, to: new.proxylessEndpoints)
    }

    /// Adds what another host did.
    mutating func add(_ other: EncodedChange) {
        clusters.add(other.clusters)
        proxylessClusters.add(other.proxylessClusters)
        endpoints.add(other.endpoints)
        proxylessEndpoints.add(other.proxylessEndpoints)
        routes.merge(other.routes) { _, last in last }
        partial.merge(other.partial) { _, last in last }
    }
}

/// The difference between two lists of resources of one type.
struct ResourceDelta: Hashable, Sendable {
    var changed: [ConfigResource] = []
    var removed: [String] = []

    init() {}

    init(from old: [ConfigResource], to new: [ConfigResource]) {
        guard old != new else { return }
        let before = Dictionary(old.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
        changed = new.filter { before[$0.name] != $0.bytes }
        let now = Set(new.map(\.name))
        removed = old.map(\.name).filter { !now.contains($0) }
    }

    var isEmpty: Bool { changed.isEmpty && removed.isEmpty }

    mutating func add(_ other: ResourceDelta) {
        changed += other.changed
        removed += other.removed
    }
}

extension ResourceChange {
    /// - Parameters:
    ///   - delta: of hosts that everybody sees.
    ///   - partial: of others, of which a namespace may see some.
    mutating func set(
        _ type: ConfigType, _ delta: ResourceDelta, _ partial: [Host: (old: EncodedHost, new: EncodedHost)],
        _ part: (EncodedHost) -> [ConfigResource], from namespace: Name
    ) {
        var delta = delta
        for (_, host) in partial.sorted(by: { $0.key < $1.key }) {
            let seen = [host.old, host.new].map { $0.visibility.contains(namespace) ? part($0) : [] }
            delta.add(ResourceDelta(from: seen[0], to: seen[1]))
        }
        set(type, delta)
    }

    /// Leaves out removals of what another host has: one may have what the other has no more.
    mutating func set(_ type: ConfigType, _ delta: ResourceDelta) {
        if !delta.changed.isEmpty { changed[type] = delta.changed }
        guard !delta.removed.isEmpty else { return }
        let names = Set(delta.changed.map(\.name))
        let gone = delta.removed.filter { !names.contains($0) }
        if !gone.isEmpty { removed[type] = gone }
    }
}
