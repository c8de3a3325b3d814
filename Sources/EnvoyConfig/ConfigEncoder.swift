internal import EnvoyProtos
package import MeshCompiler
internal import MeshCore
internal import MeshModel

/// Envoy's resources for a compiled mesh. After a change only what it touched is encoded again; views are put together
/// from what is there.
package struct ConfigEncoder: Sendable {
    private(set) var services: [NamespacedName: EncodedService] = [:]
    /// The services that have virtual hosts, sorted.
    private(set) var routed: [NamespacedName] = []
    /// By proxy, the services for which it lets something in, sorted.
    private var servicesByProxy: [NamespacedName: [NamespacedName]] = [:]

    package init() {}

    /// Takes over what a compiler has.
    ///
    /// - Parameters:
    ///   - change: what the compiler's last update answered.
    ///   - compiler: after that update.
    package mutating func update(_ change: CompiledChange, of compiler: Compiler) -> EncodedChange {
        let results = change.services.sorted(by: { $0.key < $1.key }).mapInParallel { [services] name, parts in
            let old = services[name]
            let compiled = compiler.services[name]
            var new = compiled == nil ? nil : old ?? EncodedService()
            if let compiled { new?.update(compiled, parts) }
            let change = EncodedChange(of: name, from: old ?? EncodedService(), to: new ?? EncodedService())
            return (name: name, service: new, change: change)
        }
        var encoded = EncodedChange()
        for result in results {
            services[result.name] = result.service
            encoded.add(result.change)
        }
        updateOrder(for: change)
        for (proxy, services) in encoded.inbound { updateServices(behind: proxy, services.keys) }
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
            let inbound = inbound(of: workload)
            return [.listener: inbound.listeners, .cluster: inbound.clusters]
        case .proxyless(let namespace):
            var set: ResourceSet = [
                .cluster: sorted(\.proxylessClusters), .endpoints: sorted(\.proxylessEndpoints),
            ]
            let targets = routed.flatMap { services[$0]?.virtualHosts ?? [] }.map {
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
            let changed = change.inbound[workload.name] ?? [:]
            guard !changed.isEmpty else { break }
            // Services share clusters, and a listener may go over from one to another, so what all of them had is compared.
            let (old, new) = (inbound(of: workload, before: changed), inbound(of: workload))
            result.set(.listener, ResourceDelta(from: old.listeners, to: new.listeners))
            result.set(.cluster, ResourceDelta(from: old.clusters, to: new.clusters))
        case .proxyless(let namespace):
            result.set(.cluster, change.proxylessClusters)
            result.set(.endpoints, change.proxylessEndpoints)
            var listeners = ResourceDelta()
            var routes = ResourceDelta()
            for (name, before) in change.routes.sorted(by: { $0.key < $1.key }) {
                let old = before.map { ProxylessTarget($0, from: namespace) }
                let new = (services[name]?.virtualHosts ?? []).map { ProxylessTarget($0, from: namespace) }
                listeners.add(ResourceDelta(from: old.flatMap(\.listeners), to: new.flatMap(\.listeners)))
                routes.add(ResourceDelta(from: old.map(\.routes), to: new.map(\.routes)))
            }
            result.set(.listener, listeners)
            result.set(.routes, routes)
        }
        return result
    }

    /// What the workload's sidecar lets in, by the order of services.
    ///
    /// - Parameter before: what it let in for some of them before a change, to have what it let in for all.
    private func inbound(
        of workload: View.Workload, before: [NamespacedName: EncodedService.Inbound] = [:]
    ) -> EncodedService.Inbound {
        var all = EncodedService.Inbound()
        for name in Set(servicesBehind(workload.name)).union(before.keys).sorted() {
            if let one = before[name] ?? services[name]?.inbound[workload.proxy] { all.add(one) }
        }
        return all
    }

    /// The services for which a proxy lets something in, sorted.
    func servicesBehind(_ proxy: NamespacedName) -> [NamespacedName] { servicesByProxy[proxy] ?? [] }

    private mutating func updateServices(behind proxy: NamespacedName, _ changed: some Sequence<NamespacedName>) {
        var behind = Set(servicesBehind(proxy))
        for name in changed {
            if services[name]?.inbound[proxy.name] != nil { behind.insert(name) } else { behind.remove(name) }
        }
        servicesByProxy[proxy] = behind.isEmpty ? nil : behind.sorted()
    }

    private func sorted(_ part: (EncodedService) -> [EncodedResource]) -> [EncodedResource] {
        services.sorted { $0.key < $1.key }.flatMap { part($0.value) }
    }

    private func outboundRoutes(from namespace: Name) -> EncodedResource {
        let parts = routed.map { name in
            (name.namespace == namespace ? services[name]?.ownRoutes : services[name]?.foreignRoutes) ?? []
        }
        var bytes = OutboundRoutes.head
        bytes.reserveCapacity(parts.reduce(bytes.count + OutboundRoutes.tail.count) { $0 + $1.count })
        for part in parts { bytes += part }
        bytes += OutboundRoutes.tail
        return EncodedResource(name: OutboundRoutes.name, bytes: bytes)
    }

    /// Keeps ``routed`` in order, with a search instead of a sort unless many services came.
    private mutating func updateOrder(for change: CompiledChange) {
        let names = change.services.filter { $0.value.contains(.routes) }.keys
        if names.count > 32 {
            routed = services.filter { !$0.value.virtualHosts.isEmpty }.keys.sorted()
            return
        }
        for name in names {
            let index = routed.partitioningIndex { !($0 < name) }
            let isThere = index < routed.count && routed[index] == name
            let belongs = services[name]?.virtualHosts.isEmpty == false
            if belongs && !isThere { routed.insert(name, at: index) }
            if !belongs && isThere { routed.remove(at: index) }
        }
    }
}

extension [NamespacedName] {
    /// The first index from which on `belongs` holds; it must hold for all that follow one for which it does.
    fileprivate func partitioningIndex(where belongs: (NamespacedName) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
