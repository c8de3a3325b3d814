internal import EnvoyProtos
package import MeshCompiler
internal import MeshCore
internal import MeshModel

/// Envoy's resources for a compiled mesh. After a change only what it touched is encoded again; views are put together
/// from what is there.
package struct ConfigEncoder: Sendable {
    private(set) var hosts: [Host: EncodedHost] = [:]
    /// The hosts that have virtual hosts, sorted.
    private(set) var routed: [Host] = []
    /// By proxy, where there is something.
    private var inbound: [NamespacedName: EncodedInbound] = [:]

    package init() {}

    /// Takes over what a compiler has.
    ///
    /// - Parameters:
    ///   - change: what the compiler's last update answered.
    ///   - compiler: after that update.
    package mutating func update(_ change: CompiledChange, of compiler: Compiler) -> EncodedChange {
        var encoded = EncodedChange()
        let changed = change.clusters.union(change.endpoints).union(change.routes)
        let results = changed.sorted().mapInParallel { [hosts] host in
            let old = hosts[host] ?? EncodedHost()
            var new = old
            if change.clusters.contains(host) { new.updateClusters(compiler.clusters(of: host)?.clusters ?? []) }
            if change.endpoints.contains(host) { new.updateEndpoints(compiler.endpoints(of: host)) }
            if change.routes.contains(host) { new.updateRoutes(compiler.virtualHosts(of: host)) }
            return (host: host, new: new, change: EncodedChange(of: host, from: old, to: new))
        }
        for result in results {
            hosts[result.host] = result.new.isEmpty ? nil : result.new
            encoded.add(result.change)
        }
        updateOrder(for: change.routes)
        let workloads = Array(change.workloads).mapInParallel { proxy in
            (proxy: proxy, inbound: EncodedInbound(compiler.inbound(of: proxy)))
        }
        for (proxy, new) in workloads {
            let old = inbound[proxy] ?? EncodedInbound()
            guard old != new else { continue }
            encoded.inbound[proxy] = old
            inbound[proxy] = new.isEmpty ? nil : new
        }
        return encoded
    }

    /// The whole of a view.
    package func resources(of view: View) -> ResourceSet {
        switch view {
        case .outbound(let namespace):
            return [
                .cluster: sorted(\.clusters), .endpoints: sorted(\.endpoints),
                .routes: [outboundRoutes(from: namespace)],
            ]
        case .sidecar(let port):
            let listener = ListenerMessage(outboundProxyOn: port)
            return [.listener: [EncodedResource(name: listener.name, bytes: listener.encoded)]]
        case .workload(let workload):
            let inbound = inbound[workload.name] ?? EncodedInbound()
            return [.listener: inbound.listeners, .cluster: inbound.clusters]
        case .proxyless(let namespace):
            var set: ResourceSet = [
                .cluster: sorted(\.proxylessClusters), .endpoints: sorted(\.proxylessEndpoints),
            ]
            let targets = routed.flatMap { hosts[$0]?.virtualHosts ?? [] }.map {
                ProxylessTarget($0, from: namespace)
            }
            set[.listener] = targets.flatMap(\.listeners)
            set[.routes] = targets.map(\.routes)
            return set
        }
    }

    /// What of `change` a view sees.
    package func change(_ change: EncodedChange, in view: View) -> ResourceChange {
        var result = ResourceChange()
        switch view {
        case .outbound(let namespace):
            result.set(.cluster, change.clusters)
            result.set(.endpoints, change.endpoints)
            if !change.routes.isEmpty { result.changed[.routes] = [outboundRoutes(from: namespace)] }
        case .sidecar: break
        case .workload(let workload):
            guard let old = change.inbound[workload.name] else { break }
            let new = inbound[workload.name] ?? EncodedInbound()
            result.set(.listener, ResourceDelta(from: old.listeners, to: new.listeners))
            result.set(.cluster, ResourceDelta(from: old.clusters, to: new.clusters))
        case .proxyless(let namespace):
            result.set(.cluster, change.proxylessClusters)
            result.set(.endpoints, change.proxylessEndpoints)
            var listeners = ResourceDelta()
            var routes = ResourceDelta()
            for (name, before) in change.routes.sorted(by: { $0.key < $1.key }) {
                let old = before.map { ProxylessTarget($0, from: namespace) }
                let new = (hosts[name]?.virtualHosts ?? []).map { ProxylessTarget($0, from: namespace) }
                listeners.add(ResourceDelta(from: old.flatMap(\.listeners), to: new.flatMap(\.listeners)))
                routes.add(ResourceDelta(from: old.map(\.routes), to: new.map(\.routes)))
            }
            result.set(.listener, listeners)
            result.set(.routes, routes)
        }
        return result
    }

    private func sorted(_ part: (EncodedHost) -> [EncodedResource]) -> [EncodedResource] {
        hosts.sorted { $0.key < $1.key }.flatMap { part($0.value) }
    }

    private func outboundRoutes(from namespace: Name) -> EncodedResource {
        let parts = routed.map { host in
            (host.namespace == namespace ? hosts[host]?.ownRoutes : hosts[host]?.foreignRoutes) ?? []
        }
        var bytes = OutboundRoutes.head
        bytes.reserveCapacity(parts.reduce(bytes.count + OutboundRoutes.tail.count) { $0 + $1.count })
        for part in parts { bytes += part }
        bytes += OutboundRoutes.tail
        return EncodedResource(name: OutboundRoutes.name, bytes: bytes)
    }

    /// Keeps ``routed`` in order, with a search instead of a sort unless many hosts came.
    private mutating func updateOrder(for changed: Set<Host>) {
        if changed.count > 32 {
            routed = hosts.filter { !$0.value.virtualHosts.isEmpty }.keys.sorted()
            return
        }
        for host in changed {
            let index = routed.partitioningIndex { !($0 < host) }
            let isThere = index < routed.count && routed[index] == host
            let belongs = hosts[host]?.virtualHosts.isEmpty == false
            if belongs && !isThere { routed.insert(host, at: index) }
            if !belongs && isThere { routed.remove(at: index) }
        }
    }
}

extension [Host] {
    /// The first index from which on `belongs` holds; it must hold for all that follow one for which it does.
    fileprivate func partitioningIndex(where belongs: (Host) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
