internal import Documents
package import MeshCore
package import MeshModel

/// Compiles a mesh, and after that only what a change touches.
///
/// Pure and total: equal states give equal results whatever the way to them, and what is wrong with an object becomes a
/// ``Diagnostic`` while everything else goes on.
package struct Compiler: Sendable {
    /// Results that are not empty, by service.
    package private(set) var services: [NamespacedName: CompiledService] = [:]
    private var references = References()
    /// The one that was compiled last.
    private(set) var mesh: MeshKey?
    private var budget = RouteBudget()

    package init() {}

    /// Compiles a state from nothing.
    package init(_ state: MeshState) {
        self.init()
        _ = update(state, .all)
    }

    /// What could not be done as asked, by service, in the order of names.
    package var diagnostics: [Diagnostic] {
        services.filter { !$0.value.diagnostics.isEmpty }.sorted { $0.key < $1.key }.flatMap(\.value.diagnostics)
    }

    /// Takes over a new state.
    ///
    /// - Parameters:
    ///   - state: the whole mesh as it is now.
    ///   - change: at least what is different from the state of the last call.
    /// - Returns: which results are different from those before.
    package mutating func update(_ state: MeshState, _ change: MeshChange) -> CompiledChange {
        mesh = state.mesh
        var touched: [NamespacedName: CompiledService.Parts] = [:]
        if change.everything {
            touchEverything(in: state, &touched)
        } else {
            touch(change, in: state, &touched)
        }
        updateBudget(of: state, &touched)
        var compiled = CompiledChange()
        // Each service depends on the state alone, not on what the others come to.
        let results = Array(touched).mapInParallel { [self] name, parts in
            (name: name, result: recompiled(name, parts, of: state))
        }
        for (name, result) in results {
            services[name] = result.service.isEmpty ? nil : result.service
            if !result.differences.isEmpty { compiled.services[name] = result.differences }
        }
        return compiled
    }

    // MARK: - What to look at

    private mutating func touchEverything(
        in state: MeshState, _ touched: inout [NamespacedName: CompiledService.Parts]
    ) {
        for name in services.keys { touched[name] = .all }
        for name in state.services.keys { touched[name] = .all }
        for name in state.endpoints.keys { touched[name] = .all }
        references = References()
        for (name, endpoints) in state.endpoints { _ = references.replace(name, withEndpoints: endpoints) }
        for (name, rules) in state.virtualServices {
            for host in references.replace(name, with: rules.spec) { touched[host] = .all }
        }
        for (name, policies) in state.destinationRules {
            for (service, _) in references.replace(name, with: policies.spec) { touched[service] = .all }
        }
        for (name, traffic) in state.releases {
            for service in references.replace(name, with: traffic) { touched[service] = .all }
        }
    }

    private mutating func touch(
        _ change: MeshChange, in state: MeshState, _ touched: inout [NamespacedName: CompiledService.Parts]
    ) {
        for name in change.virtualServices {
            for host in references.replace(name, with: state.virtualServices[name]?.spec) {
                touched[host, default: []].insert(.routes)
            }
        }
        for name in change.destinationRules {
            for (service, concernsRoutes) in references.replace(name, with: state.destinationRules[name]?.spec) {
                touched[service, default: []].insert(.clusters)
                guard concernsRoutes else { continue }
                touched[service, default: []].insert(.routes)
                for dependent in references.dependents(on: service) { touched[dependent, default: []].insert(.routes) }
            }
        }
        for name in change.releases {
            for service in references.replace(name, with: state.releases[name]) {
                touched[service, default: []].insert(.routes)
                for dependent in references.dependents(on: service) { touched[dependent, default: []].insert(.routes) }
            }
        }
        for name in change.services {
            touched[name] = .all
            for dependent in references.dependents(on: name) { touched[dependent, default: []].insert(.routes) }
            for neighbour in references.neighbours(of: name) { touched[neighbour, default: []].insert(.endpoints) }
        }
        for name in change.endpoints {
            touched[name, default: []].insert(.endpoints)
            for neighbour in references.replace(name, withEndpoints: state.endpoints[name] ?? [:]) {
                touched[neighbour, default: []].insert(.endpoints)
            }
        }
    }

    /// Has services looked at whose rules are too much now, or no longer.
    private mutating func updateBudget(
        of state: MeshState, _ touched: inout [NamespacedName: CompiledService.Parts]
    ) {
        let changed = touched.filter { $0.value.contains(.routes) }.keys
        guard !changed.isEmpty else { return }
        let costs = Array(changed).mapInParallel { [self] name in (name: name, cost: cost(of: name, in: state)) }
        for name in budget.update(costs) { touched[name, default: []].insert(.routes) }
    }

    /// What the rules that hold for a service come to.
    private func cost(of name: NamespacedName, in state: MeshState) -> RouteCost {
        guard let service = state.services[name] else { return RouteCost() }
        var lowering = RouteLowering(state: state, name: name, service: service, references: references)
        return lowering.owner().flatMap { state.virtualServices[$0]?.spec.cost(for: service.spec) } ?? RouteCost()
    }

    // MARK: - A part of a mesh

    /// Knows who has to do with whom, but for sidecars (``indexSidecars(of:in:)``), and has compiled nothing.
    init(indexing state: MeshState) {
        mesh = state.mesh
        for (name, rules) in state.virtualServices { _ = references.replace(name, with: rules.spec) }
        for (name, policies) in state.destinationRules { _ = references.replace(name, with: policies.spec) }
        for (name, traffic) in state.releases { _ = references.replace(name, with: traffic) }
    }

    /// Takes note of the sidecars of some services, which say who their neighbours are.
    mutating func indexSidecars(of names: Set<NamespacedName>, in state: MeshState) {
        for name in names { _ = references.replace(name, withEndpoints: state.endpoints[name] ?? [:]) }
    }

    /// Takes over a change without compiling it.
    mutating func services(touchedBy change: MeshChange, in state: MeshState) -> Set<NamespacedName> {
        var touched: [NamespacedName: CompiledService.Parts] = [:]
        touch(change, in: state, &touched)
        return Set(touched.keys)
    }

    /// Compiles some services, and the endpoints that requests to them go to.
    mutating func compile(_ names: Set<NamespacedName>, of state: MeshState) {
        for name in names { services[name] = recompiled(name, .all, of: state).service }
        let routes = names.flatMap { services[$0]?.virtualHosts.flatMap(\.routes) ?? [] }
        for route in routes {
            guard case .forward(let forward) = route.action else { continue }
            for service in forward.destinations.map(\.cluster.service) where services[service] == nil {
                var destination = CompiledService()
                destination.endpoints = recompiled(service, .endpoints, of: state).service.endpoints
                services[service] = destination
            }
        }
    }

    // MARK: - One service

    private func recompiled(
        _ name: NamespacedName, _ parts: CompiledService.Parts, of state: MeshState
    ) -> (service: CompiledService, differences: CompiledService.Parts) {
        let old = services[name] ?? CompiledService()
        var new = old
        if let service = state.services[name] {
            compile(service, name, parts, of: state, into: &new)
        } else {
            new = CompiledService()
            new.endpointDiagnostics = orphans(state.endpoints[name] ?? [:], of: name, in: state.mesh)
            new.routeDiagnostics = unknownHosts(name, in: state)
            new.policyDiagnostics = policies(of: name, in: state).diagnostics
        }
        // A service that is gone loses all its parts, whatever was asked for.
        return (new, new.differences(from: old, among: state.services[name] == nil ? .all : parts))
    }

    private func compile(
        _ service: MeshState.Service, _ name: NamespacedName, _ parts: CompiledService.Parts, of state: MeshState,
        into result: inout CompiledService
    ) {
        let lowering = ClusterLowering(mesh: state.mesh, name: name, spec: service.spec)
        if parts.contains(.clusters) {
            let policies = policies(of: name, in: state)
            result.clusters = lowering.clusters(policies)
            result.policySource = policies.source
            result.policyDiagnostics = policies.diagnostics
        }
        if parts.contains(.endpoints) {
            let endpoints = state.endpoints[name] ?? [:]
            var diagnostics: [Diagnostic] = []
            let inbound = InboundLowering(of: name, beside: references.neighbours(of: name), in: state)
            result.endpoints = lowering.endpoints(
                endpoints, on: state.enabledClusters, except: inbound.refused, diagnostics: &diagnostics)
            result.inbound = inbound.inbound
            result.endpointDiagnostics = diagnostics + inbound.diagnostics
        }
        if parts.contains(.routes) {
            var lowering = RouteLowering(
                state: state, name: name, service: service, references: references, excess: budget.leftOut[name])
            result.virtualHosts = lowering.virtualHosts()
            result.routeDiagnostics = lowering.diagnostics.sorted()
        }
    }

    private func policies(of service: NamespacedName, in state: MeshState) -> PolicyLowering {
        PolicyLowering(state: state, service: service, rules: references.policies(of: service))
    }

    private func orphans(
        _ endpoints: [Name: MeshState.Endpoint], of service: NamespacedName, in mesh: MeshKey
    ) -> [Diagnostic] {
        endpoints.keys.sorted().map {
            Diagnostic(.endpoint($0, of: service, in: mesh), .root, .unknownReference, "there is no service \(service)")
        }
    }

    /// What those that are about a service have to be told when there is none.
    private func unknownHosts(_ service: NamespacedName, in state: MeshState) -> [Diagnostic] {
        let detail = "there is no service \(service)"
        let rules = references.rules(for: service).sorted().compactMap { name -> Diagnostic? in
            guard let spec = state.virtualServices[name]?.spec,
                let index = spec.hosts.firstIndex(where: { HostName.service($0, from: name.namespace) == service })
            else { return nil }
            let pointer = JSONPointer(["spec", "hosts"]).appending(index)
            return Diagnostic(.namespaced(.virtualService, name, in: state.mesh), pointer, .unknownReference, detail)
        }
        let releases = references.releases(of: service).sorted().map {
            Diagnostic(
                .namespaced(.release, $0, in: state.mesh), .spec.appending("service"), .unknownReference, detail)
        }
        return rules + releases
    }
}

extension [Diagnostic] {
    /// By object, then in the order in which they were found.
    fileprivate func sorted() -> [Diagnostic] {
        enumerated().sorted { a, b in
            let (x, y) = (a.element.object.sortKey, b.element.object.sortKey)
            return x == y ? a.offset < b.offset : x < y
        }.map(\.element)
    }
}

extension ObjectKey {
    fileprivate var sortKey: String { "\(kind.name) \(namespace?.text ?? "") \(name.text)" }
}
