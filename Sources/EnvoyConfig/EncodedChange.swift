internal import MeshCore
internal import MeshModel

/// What an update of a ``ConfigEncoder`` changed, for all views; ``ConfigEncoder/change(_:in:)`` says what one sees of it.
package struct EncodedChange: Sendable {
    var clusters = ResourceDelta()
    var proxylessClusters = ResourceDelta()
    var endpoints = ResourceDelta()
    var proxylessEndpoints = ResourceDelta()
    /// Hosts whose virtual hosts changed, with what they were.
    var routes: [Host: [EncodedVirtualHost]] = [:]
    /// Proxies that let in something else now, with what it was.
    var inbound: [NamespacedName: EncodedInbound] = [:]

    /// Whether no view sees anything of it.
    package var isEmpty: Bool {
        clusters.isEmpty && proxylessClusters.isEmpty && endpoints.isEmpty && proxylessEndpoints.isEmpty
            && routes.isEmpty && inbound.isEmpty
    }

    /// Whether anything of it is in a view of a workload.
    package var reachesWorkloads: Bool { !inbound.isEmpty }

    init() {}

    /// What one host did.
    init(of host: Host, from old: EncodedHost, to new: EncodedHost) {
        clusters = ResourceDelta(from: old.clusters, to: new.clusters)
        proxylessClusters = ResourceDelta(from: old.proxylessClusters, to: new.proxylessClusters)
        endpoints = ResourceDelta(from: old.endpoints, to: new.endpoints)
        proxylessEndpoints = ResourceDelta(from: old.proxylessEndpoints, to: new.proxylessEndpoints)
        if old.virtualHosts != new.virtualHosts { routes[host] = old.virtualHosts }
    }

    /// Adds what another host did.
    mutating func add(_ other: EncodedChange) {
        clusters.add(other.clusters)
        proxylessClusters.add(other.proxylessClusters)
        endpoints.add(other.endpoints)
        proxylessEndpoints.add(other.proxylessEndpoints)
        routes.merge(other.routes) { _, last in last }
    }
}

/// What is different between two lists of resources of one type.
struct ResourceDelta: Hashable, Sendable {
    var changed: [EncodedResource] = []
    var removed: [String] = []

    init() {}

    init(from old: [EncodedResource], to new: [EncodedResource]) {
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
    mutating func set(_ type: ResourceType, _ delta: ResourceDelta) {
        if !delta.changed.isEmpty { changed[type] = delta.changed }
        if !delta.removed.isEmpty { removed[type] = delta.removed }
    }
}
