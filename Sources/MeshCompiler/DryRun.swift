internal import MeshCore
package import MeshModel

/// What a change of a mesh brings about, without the rest of the mesh being compiled.
package struct DryRun {
    /// What there is to be said, before and after the change, about whatever it touches.
    package let before: [Diagnostic]
    package let after: [Diagnostic]

    /// - Parameter change: in what the states differ, at least; of services, endpoints, VirtualServices and DestinationRules.
    package init(_ change: MeshChange, from old: MeshState, to new: MeshState) {
        let scope = Scope(of: change, old, new)
        var before = Compiler(indexing: scope.part(of: old))
        before.indexSidecars(of: Self.sharers(of: change, old, new), in: old)
        var after = before
        let touched = scope.withSiblings(after.services(touchedBy: change, in: new), old, new)
        before.compile(touched, of: old)
        after.compile(touched, of: new)
        self.before = before.diagnostics + before.emptyDestinations(in: touched)
        self.after = after.diagnostics + after.emptyDestinations(in: touched)
    }

    /// Services with an endpoint behind a sidecar that a service with changes has one behind too; such as that itself.
    private static func sharers(of change: MeshChange, _ states: MeshState...) -> Set<NamespacedName> {
        func sidecars(_ endpoints: [Name: MeshState.Endpoint]?) -> [Name] {
            (endpoints ?? [:]).values.compactMap(\.spec.sidecar?.proxy)
        }
        var proxies: [Name: Set<Name>] = [:]
        for state in states {
            for name in change.services.union(change.endpoints) {
                proxies[name.namespace, default: []].formUnion(sidecars(state.endpoints[name]))
            }
        }
        guard proxies.contains(where: { !$0.value.isEmpty }) else { return [] }
        let found = states.flatMap { state in
            state.endpoints.filter { name, endpoints in
                guard let proxies = proxies[name.namespace], !proxies.isEmpty else { return false }
                return sidecars(endpoints).contains(where: proxies.contains)
            }.keys
        }
        return Set(found)
    }

    /// What the change is to blame for.
    package var caused: [Diagnostic] {
        let known = Set(before)
        return after.filter { !known.contains($0) }
    }
}

/// The services whose rules and policies can matter to a change, by the first labels of their host names: to look at
/// those takes a fraction of reading all names of a mesh.
private struct Scope {
    /// Of services whose rules are compiled.
    private var hosts: Set<Substring> = []
    /// Of services whose policies say what the destinations of those rules are.
    private var destinations: Set<Substring> = []

    init(of change: MeshChange, _ states: MeshState...) {
        var changed = Set(change.services.map { $0.name.text[...] })
        for state in states {
            for name in change.virtualServices { hosts.formUnion(Self.labels(state.virtualServices[name]?.spec.hosts)) }
            for name in change.destinationRules {
                changed.formUnion(Self.labels(state.destinationRules[name].map { [$0.spec.host] }))
            }
        }
        hosts.formUnion(changed)
        // Rules that send requests to a service that changes, or whose subsets do, are compiled too, with whatever else their
        // hosts have.
        if !changed.isEmpty {
            for state in states {
                for rules in state.virtualServices.values
                where rules.spec.destinations.contains(where: { changed.contains(HostName.firstLabel($0)) }) {
                    hosts.formUnion(Self.labels(rules.spec.hosts))
                }
            }
        }
        // The other hosts of rules, see `withSiblings`.
        let asked = hosts
        for state in states {
            for rules in state.virtualServices.values where rules.spec.hosts.count > 1 {
                let labels = Self.labels(rules.spec.hosts)
                if labels.contains(where: asked.contains) { hosts.formUnion(labels) }
            }
        }
        destinations = hosts
        for state in states {
            for rules in state.virtualServices.values where rules.spec.hosts.contains(where: isHost) {
                destinations.formUnion(Self.labels(rules.spec.destinations))
            }
        }
    }

    /// Services, and the other hosts of their rules. What is wrong with rules is said once, whichever of their hosts it was
    /// found for, so it is known to have been wrong before only if all of them are looked at.
    func withSiblings(_ services: Set<NamespacedName>, _ states: MeshState...) -> Set<NamespacedName> {
        var all = services
        for state in states {
            for (name, rules) in state.virtualServices
            where rules.spec.hosts.count > 1 && rules.spec.hosts.contains(where: isHost) {
                let hosts = rules.spec.hosts.compactMap { HostName.service($0, from: name.namespace) }
                if hosts.contains(where: services.contains) { all.formUnion(hosts) }
            }
        }
        return all
    }

    private static func labels(_ hosts: [String]?) -> [Substring] { (hosts ?? []).map(HostName.firstLabel) }

    private func isHost(_ host: String) -> Bool { hosts.contains(HostName.firstLabel(host)) }

    /// Services and endpoints stay, which are looked up by name, and releases, which are few and matter to all that is sent to
    /// their services.
    func part(of state: MeshState) -> MeshState {
        var part = state
        part.virtualServices = state.virtualServices.filter { $0.value.spec.hosts.contains(where: isHost) }
        part.destinationRules = state.destinationRules.filter {
            destinations.contains(HostName.firstLabel($0.value.spec.host))
        }
        return part
    }
}

extension VirtualServiceSpec {
    /// Every host name that requests or copies of them are sent to.
    fileprivate var destinations: [String] {
        http.flatMap { rule in
            var hosts: [String] = []
            if case .route(let parts) = rule.action { hosts = parts.map(\.destination.host) }
            if let mirror = rule.mirror { hosts.append(mirror.destination.host) }
            return hosts
        }
    }
}
