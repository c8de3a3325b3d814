internal import Parallel
internal import EnvoyProtos
package import MeshCompiler
internal import MeshCore
internal import MeshModel

/// Envoy's resources for a compiled mesh. After a change only what it touched is encoded again; layers are put together
/// from what is there.
package struct ConfigEncoder: Sendable {
    private(set) var hosts: [Host: EncodedHost] = [:]
    /// The hosts that have virtual hosts, sorted.
    private(set) var routed: [Host] = []
    /// The hosts of these whose names could be services': whoever sees one means it by that name, and no service.
    private var aliases: Set<Host> = []
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
            if change.clusters.contains(host) { new.updateClusters(compiler.clusters(of: host)) }
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

    /// All resources of a layer.
    package func resources(of layer: LayerID) -> ConfigSet {
        switch layer {
        case .outbound(let namespace):
            return [
                .cluster: sorted(\.clusters, from: namespace), .endpoints: sorted(\.endpoints, from: namespace),
                .routes: [outboundRoutes(from: namespace)],
            ]
        case .sidecar(let port):
            let listener = ListenerMessage(outboundProxyOn: port)
            return [.listener: [ConfigResource(name: listener.name, bytes: listener.encoded)]]
        case .workload(let workload):
            let inbound = inbound[workload.name] ?? EncodedInbound()
            return [.listener: inbound.listeners, .cluster: inbound.clusters]
        case .proxyless(let namespace):
            var set: ConfigSet = [
                .cluster: sorted(\.proxylessClusters, from: namespace),
                .endpoints: sorted(\.proxylessEndpoints, from: namespace),
            ]
            let targets = targets(
                of: routed.compactMap { hosts[$0] }, from: namespace, except: takenNames(from: namespace))
            set[.listener] = targets.flatMap(\.listeners)
            set[.routes] = targets.map(\.routes)
            return set
        }
    }

    /// The part of `change` that is in a layer.
    package func change(_ change: EncodedChange, in layer: LayerID) -> ResourceChange {
        var result = ResourceChange()
        switch layer {
        case .outbound(let namespace):
            result.set(.cluster, change.clusters, change.partial, \.clusters, from: namespace)
            result.set(.endpoints, change.endpoints, change.partial, \.endpoints, from: namespace)
            let isSeen = change.routes.contains { host, old in
                old.visibility.contains(namespace) || hosts[host]?.visibility.contains(namespace) == true
            }
            if isSeen { result.changed[.routes] = [outboundRoutes(from: namespace)] }
        case .sidecar: break
        case .workload(let workload):
            guard let old = change.inbound[workload.name] else { break }
            let new = inbound[workload.name] ?? EncodedInbound()
            result.set(.listener, ResourceDelta(from: old.listeners, to: new.listeners))
            result.set(.cluster, ResourceDelta(from: old.clusters, to: new.clusters))
        case .proxyless(let namespace):
            result.set(.cluster, change.proxylessClusters, change.partial, \.proxylessClusters, from: namespace)
            result.set(
                .endpoints, change.proxylessEndpoints, change.partial, \.proxylessEndpoints, from: namespace)
            var listeners = ResourceDelta()
            var routes = ResourceDelta()
            for (old, new) in targets(changedBy: change, from: namespace) {
                listeners.add(ResourceDelta(from: old.flatMap(\.listeners), to: new.flatMap(\.listeners)))
                routes.add(ResourceDelta(from: old.map(\.routes), to: new.map(\.routes)))
            }
            result.set(.listener, listeners)
            result.set(.routes, routes)
        }
        return result
    }

    private func sorted(_ part: (EncodedHost) -> [ConfigResource], from namespace: Name) -> [ConfigResource] {
        hosts.filter { $0.value.visibility.contains(namespace) }.sorted { $0.key < $1.key }.flatMap { part($0.value) }
    }

    private func outboundRoutes(from namespace: Name) -> ConfigResource {
        let taken = takenNames(from: namespace)
        let parts = routed.map { host -> MessageBytes in
            guard let encoded = hosts[host], encoded.visibility.contains(namespace) else { return MessageBytes() }
            let isOwn = host.namespace == namespace
            guard !taken.isEmpty, !taken.isDisjoint(with: host.domains(forOwnNamespace: isOwn)) else {
                return isOwn ? encoded.ownRoutes : encoded.foreignRoutes
            }
            return MessageBytes(
                encoded.virtualHosts.map {
                    $0.part(domains: $0.domains(forOwnNamespace: isOwn, except: taken))
                })
        }
        let message = MessageBytes([OutboundRoutes.head] + parts + [OutboundRoutes.tail])
        return ConfigResource(name: OutboundRoutes.name, bytes: message.bytes)
    }

    /// The names by which a namespace calls other hosts that could be the names of services.
    ///
    /// - Parameter change: before it.
    func takenNames(from namespace: Name, before change: EncodedChange? = nil) -> Set<String> {
        let before = change?.routes ?? [:]
        let candidates = aliases.union(before.keys.filter(\.isNamedAsService))
        return Set(
            candidates.filter { host in
                guard let encoded = before[host] ?? hosts[host] else { return false }
                return encoded.visibility.contains(namespace) && !encoded.virtualHosts.isEmpty
            }.map(\.text))
    }

    private func targets(
        of hosts: [EncodedHost], from namespace: Name, except taken: Set<String>
    ) -> [ProxylessTarget] {
        // Who has no clusters for them is asked for in vain.
        hosts.filter { $0.visibility.contains(namespace) && !$0.proxylessClusters.isEmpty }.flatMap(\.virtualHosts).map
        {
            ProxylessTarget($0, from: namespace, except: taken)
        }
    }

    /// The targets of hosts before and now, where they may have changed: their own, or because another one has their name.
    private func targets(
        changedBy change: EncodedChange, from namespace: Name
    ) -> [(old: [ProxylessTarget], new: [ProxylessTarget])] {
        let (before, now) = (takenNames(from: namespace, before: change), takenNames(from: namespace))
        var changed = change.routes
        for name in before.symmetricDifference(now) {
            guard let service = HostName.service(name, from: namespace).map(Host.service) else { continue }
            if changed[service] == nil { changed[service] = hosts[service] }
        }
        return changed.sorted { $0.key < $1.key }.map { host, old in
            (
                targets(of: [old], from: namespace, except: before),
                targets(of: hosts[host].map { [$0] } ?? [], from: namespace, except: now)
            )
        }
    }

    /// Keeps ``routed`` in order, with a search instead of a sort unless many hosts came.
    private mutating func updateOrder(for changed: Set<Host>) {
        for host in changed where host.isNamedAsService {
            if hosts[host]?.virtualHosts.isEmpty == false { aliases.insert(host) } else { aliases.remove(host) }
        }
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
