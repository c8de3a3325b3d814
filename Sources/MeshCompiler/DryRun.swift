package import MeshModel

/// What a change of a mesh brings about, without the rest of the mesh being compiled.
package struct DryRun {
    /// What there is to be said, before and after the change, about whatever it touches.
    package let before: [Diagnostic]
    package let after: [Diagnostic]

    /// - Parameter change: in what the states differ, at least; of services, VirtualServices and DestinationRules.
    package init(_ change: MeshChange, from old: MeshState, to new: MeshState) {
        let scope = Scope(of: change, old, new)
        var before = Compiler(indexing: scope.part(of: old))
        var after = before
        let touched = after.services(touchedBy: change, in: new)
        before.compile(touched, of: old)
        after.compile(touched, of: new)
        self.before = before.diagnostics + before.emptyDestinations(in: touched)
        self.after = after.diagnostics + after.emptyDestinations(in: touched)
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
    private var labels: Set<Substring> = []

    init(of change: MeshChange, _ states: MeshState...) {
        for name in change.services { labels.insert(name.name.text[...]) }
        for state in states {
            for name in change.virtualServices { add(state.virtualServices[name]?.spec.hosts ?? []) }
            for name in change.destinationRules { add([state.destinationRules[name]?.spec.host].compactMap(\.self)) }
            // Rules that send requests to a service that changes are compiled with whatever else their hosts have.
            guard !change.services.isEmpty else { continue }
            let named = self
            for rules in state.virtualServices.values where rules.spec.destinations.contains(where: named.hasHost) {
                add(rules.spec.hosts)
            }
        }
    }

    private mutating func add(_ hosts: [String]) { labels.formUnion(hosts.map(Self.label)) }

    private static func label(_ host: String) -> Substring {
        host[..<(host.utf8.firstIndex(of: UInt8(ascii: ".")) ?? host.endIndex)]
    }

    private func hasHost(_ host: String) -> Bool { labels.contains(Self.label(host)) }

    /// Services and endpoints stay, which are looked up by name, and releases, which are few and matter to all that is sent to
    /// their services.
    func part(of state: MeshState) -> MeshState {
        var part = state
        part.virtualServices = state.virtualServices.filter { $0.value.spec.hosts.contains(where: hasHost) }
        part.destinationRules = state.destinationRules.filter { hasHost($0.value.spec.host) }
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
