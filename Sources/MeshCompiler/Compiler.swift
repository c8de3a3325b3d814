internal import Parallel
package import MeshCore
package import MeshModel

/// Compiles a mesh, and after that only what a change touches.
///
/// Pure and total: equal states give equal results whatever the way to them, and what is wrong with an object becomes a
/// ``Diagnostic`` while everything else goes on. What there is to compile falls into passes, each over the subjects of one sort
/// (``Pass``); a pass sees the mesh through a ``MeshView``, by which it is known what has to be looked at again.
package struct Compiler: Sendable {
    private var index: MeshIndex?
    private var workloads = PassTable<WorkloadPass>()
    private var clusters = PassTable<ClusterPass>()
    private var endpoints = PassTable<EndpointPass>()
    private var routes = PassTable<RoutePass>()
    private var budget = RouteBudget()
    private var earlier = MeshView.Earlier()

    package init() {}

    /// Compiles a state from nothing.
    package init(_ state: MeshState) {
        self.init()
        _ = update(state, .all)
    }

    /// Compiles some hosts, and the proxies that an index knows.
    init(_ index: MeshIndex, hosts: Set<Host>) { _ = compile(index, [], hosts: hosts, proxies: index.proxies) }

    /// Compiles the members of hosts that requests are sent to, where somebody else's rules are all that was compiled of them.
    mutating func compileDestinations() {
        guard let index else { return }
        var missing: Set<Host> = []
        for route in routes.results.values.flatMap({ $0.flatMap(\.routes) }) {
            guard case .forward(let forward) = route.action else { continue }
            for host in forward.destinations.map(\.cluster.host) where endpoints.results[host] == nil {
                missing.insert(host)
            }
        }
        // Nothing is said of them that nobody has asked about.
        var (members, names) = (PassTable<EndpointPass>(), PassTable<ClusterPass>())
        _ = members.run(missing, in: MeshView(index, earlier))
        _ = names.run(missing.filter { $0.service == nil }, in: MeshView(index, earlier))
        endpoints.take(members.results)
        clusters.take(names.results)
    }

    // MARK: - Results

    /// The one that was compiled last.
    package var mesh: MeshKey? { index?.state.mesh }

    /// The clusters of a host; `nil` for a host that nobody defines.
    package func clusters(of host: Host) -> CompiledClusters? { clusters.results[host] }

    /// Members, one for each cluster of a host and in the same order.
    package func endpoints(of host: Host) -> [IR.Endpoints] { endpoints.results[host] ?? [] }

    /// One for each HTTP port of a host, in the order of the service.
    package func virtualHosts(of host: Host) -> [IR.VirtualHost] { routes.results[host] ?? [] }

    /// The inbound listeners of a proxy, by service and port.
    package func inbound(of proxy: NamespacedName) -> [IR.Inbound] { workloads.results[proxy]?.inbound ?? [] }

    /// Hosts that come to something.
    package var hosts: Set<Host> { Set(clusters.results.keys).union(routes.results.keys) }

    /// Proxies that let something in.
    package var proxies: some Sequence<NamespacedName> { workloads.results.keys }

    /// Everything that there is, as a change.
    package var everything: CompiledChange {
        var change = CompiledChange()
        change.clusters = Set(clusters.results.keys)
        change.endpoints = Set(endpoints.results.keys)
        change.routes = Set(routes.results.keys)
        change.workloads = Set(workloads.results.keys)
        return change
    }

    /// The diagnostics of hosts, in the order of the hosts' names; each once, although an object that is about several hosts is
    /// found wrong with each.
    package var diagnostics: [Diagnostic] {
        var all: [Host: [Diagnostic]] = [:]
        for diagnostics in [clusters.diagnostics, endpoints.diagnostics, routes.diagnostics] {
            for (host, found) in diagnostics { all[host, default: []] += found }
        }
        var seen: Set<Diagnostic> = []
        return all.sorted { $0.key < $1.key }.flatMap(\.value).filter { seen.insert($0).inserted }
    }

    // MARK: - Changes

    /// Takes over a new state.
    ///
    /// - Parameters:
    ///   - state: the whole mesh as it is now.
    ///   - change: at least what is different from the state of the last call.
    /// - Returns: which results are different from those before.
    package mutating func update(_ state: MeshState, _ change: MeshChange) -> CompiledChange {
        guard !change.everything, state.mesh == mesh, var index else { return compile(MeshIndex(state)) }
        // So that changing it copies nothing.
        self.index = nil
        let touched = index.update(to: state, change)
        return compile(
            index, touched, hosts: index.hosts(concernedBy: touched), proxies: Set(touched.compactMap(\.proxy)))
    }

    /// Compiles everything anew.
    private mutating func compile(_ index: MeshIndex) -> CompiledChange {
        let before = self
        self = Compiler()
        let all = compile(index, [], hosts: index.hosts, proxies: index.proxies)
        return before.everything.isEmpty ? all : difference(from: before)
    }

    /// - Parameters:
    ///   - touched: what has another answer than before, perhaps.
    ///   - hosts: those that there may be on account of it; and so on.
    private mutating func compile(
        _ index: MeshIndex, _ touched: Set<Question>, hosts: Set<Host>, proxies: Set<NamespacedName>
    ) -> CompiledChange {
        var touched = touched
        var change = CompiledChange()
        // Who has which port of a sidecar decides which endpoints callers are sent to.
        let sidecars = workloads.subjects(concernedBy: touched, found: proxies)
        let changed = workloads.run(sidecars, in: MeshView(index))
        change.workloads = Set(changed.keys)
        touched.formUnion(updateUnservedPorts(changed))
        let view = MeshView(index, earlier)
        change.clusters = Set(
            clusters.run(clusters.subjects(concernedBy: touched, found: hosts), in: view).keys)
        change.endpoints = Set(
            endpoints.run(endpoints.subjects(concernedBy: touched, found: hosts), in: view).keys)
        // What all rules come to together decides which of them are left out.
        var routed = routes.subjects(concernedBy: touched, found: hosts)
        let excess = updateBudget(routed, in: view)
        routed.formUnion(routes.subjects(concernedBy: excess, found: []))
        change.routes = Set(routes.run(routed, in: MeshView(index, earlier)).keys)
        self.index = index
        return change
    }

    /// - Parameter changed: proxies that let something else in, with what they let in before.
    /// - Returns: what is touched by it.
    private mutating func updateUnservedPorts(_ changed: [NamespacedName: CompiledWorkload?]) -> Set<Question> {
        var touched: Set<NamespacedName> = []
        for (proxy, before) in changed {
            let (old, new) = (before?.unservedPorts ?? [], workloads.results[proxy]?.unservedPorts ?? [])
            guard old != new else { continue }
            for port in old {
                earlier.unservedPorts[port.service]?.removeAll { $0.holder.proxy == port.holder.proxy }
            }
            for port in new { earlier.unservedPorts[port.service, default: []].append(port) }
            touched.formUnion((old + new).map(\.service))
        }
        for service in touched {
            // In one order, whatever the way to it.
            earlier.unservedPorts[service]?.sort { ($0.endpoint, $0.port) < ($1.endpoint, $1.port) }
            if earlier.unservedPorts[service]?.isEmpty == true { earlier.unservedPorts[service] = nil }
        }
        return Set(touched.map(Question.unservedPorts))
    }

    /// Has hosts looked at whose rules are too much now, or no longer.
    private mutating func updateBudget(_ hosts: Set<Host>, in view: MeshView) -> Set<Question> {
        guard !hosts.isEmpty else { return [] }
        // Whatever this asks, the routes of the host ask too.
        let costs = Array(hosts).mapInParallel { host in
            var view = view
            return (name: host, cost: RoutePass.cost(of: host, &view))
        }
        let touched = budget.update(costs)
        earlier.excess = budget.leftOut
        return Set(touched.map(Question.excess))
    }

    /// The difference from the results before everything was compiled anew.
    private func difference(from before: Compiler) -> CompiledChange {
        func names<P: Pass>(_ table: (Compiler) -> PassTable<P>) -> Set<P.Subject> {
            let (old, new) = (table(before).results, table(self).results)
            return Set(Set(old.keys).union(new.keys).filter { old[$0] != new[$0] })
        }
        var change = CompiledChange()
        change.workloads = names(\.workloads)
        change.clusters = names(\.clusters)
        change.endpoints = names(\.endpoints)
        change.routes = names(\.routes)
        return change
    }
}
