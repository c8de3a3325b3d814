internal import MeshCore
package import MeshModel

/// The part of a mesh that matters to some hosts, found by the first labels of their names: to look at those takes a fraction of
/// reading all names of a mesh. Rules of a host of the same label in another namespace are in it too, which only costs time.
struct MeshPart {
    /// First labels of the hosts whose rules are compiled.
    private var labels: Set<Substring>
    /// First labels of the hosts whose DestinationRules say what the destinations of those rules are.
    private var destinations: Set<Substring> = []
    /// Services behind the sidecars that matter.
    private(set) var sharers: Set<NamespacedName> = []
    /// Hosts that are compiled whether rules are about them or not.
    private(set) var hosts: Set<Host>

    init(about hosts: Set<Host>, in state: MeshState) {
        self.hosts = hosts
        labels = Set(hosts.map { HostName.firstLabel($0.text) })
        addDestinations([state])
    }

    /// The part that a change may touch. It has all hosts of the rules in it, so that it is known what was wrong
    /// before: an error in rules is reported once, whichever of their hosts it was found for.
    init(touchedBy change: MeshChange, _ states: MeshState...) {
        hosts = Set(change.services.union(change.endpoints).map(Host.service))
        for state in states {
            for kind in change.kinds {
                for name in change[kind] {
                    for (_, mention) in state.mentions(of: name, kind, differentIn: nil) {
                        switch mention {
                        case .service(let host): hosts.insert(.service(host))
                        case .name(let text), .definition(let text):
                            hosts.insert(.external(text, of: name.namespace))
                            if let service = HostName.service(text, from: name.namespace) {
                                hosts.insert(.service(service))
                            }
                        case .destination, .proxy: break
                        }
                    }
                }
            }
        }
        labels = Set(hosts.map { HostName.firstLabel($0.text) })
        // Rules that send requests to a host that changes, or whose subsets do, are compiled too, with whatever else their hosts
        // have.
        var changed = Set(change.services.map { $0.name.text[...] })
        // What somebody defines was another's before.
        for kind in MeshIndex.definers where !change[kind].isEmpty { changed.formUnion(labels) }
        for state in states {
            for name in change.destinationRules {
                if let policies = state.destinationRules[name] {
                    changed.insert(HostName.firstLabel(policies.spec.host))
                }
            }
        }
        addRules(sendingTo: changed, states)
        let asked = labels
        for state in states {
            for rules in state.virtualServices.values where rules.spec.hosts.count > 1 {
                let labels = rules.spec.hosts.map(HostName.firstLabel)
                if labels.contains(where: asked.contains) { self.labels.formUnion(labels) }
            }
        }
        addDestinations(states)
        sharers = Self.sharers(of: change, states)
    }

    private mutating func addRules(sendingTo changed: Set<Substring>, _ states: [MeshState]) {
        guard !changed.isEmpty else { return }
        for state in states {
            for rules in state.virtualServices.values
            where rules.spec.destinationHosts.contains(where: { changed.contains(HostName.firstLabel($0)) }) {
                labels.formUnion(rules.spec.hosts.map(HostName.firstLabel))
            }
        }
    }

    private mutating func addDestinations(_ states: [MeshState]) {
        destinations = labels
        for state in states {
            for rules in state.virtualServices.values where rules.spec.hosts.contains(where: isAsked) {
                destinations.formUnion(rules.spec.destinationHosts.map(HostName.firstLabel))
            }
        }
    }

    /// Services with an endpoint behind a sidecar that a service with changes has one behind too; such as that itself.
    private static func sharers(of change: MeshChange, _ states: [MeshState]) -> Set<NamespacedName> {
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

    fileprivate func isAsked(_ host: String) -> Bool { labels.contains(HostName.firstLabel(host)) }

    /// Services and endpoints stay, which are looked up by name, and releases, which are few and matter to all that is sent to
    /// their services.
    func part(of state: MeshState) -> MeshState {
        var part = state
        part.virtualServices = state.virtualServices.filter { $0.value.spec.hosts.contains(where: isAsked) }
        part.destinationRules = state.destinationRules.filter {
            destinations.contains(HostName.firstLabel($0.value.spec.host))
        }
        return part
    }
}

extension Compiler {
    /// Compiles some hosts alone, and no members of the hosts that their rules send requests to.
    package init(_ hosts: Set<Host>, of state: MeshState) {
        self.init(MeshPart(about: hosts, in: state), of: state)
    }

    /// Compiles a part of a mesh: its hosts, and those that rules and definitions in it are about.
    init(_ scope: MeshPart, of state: MeshState) {
        let index = MeshIndex(
            scope.part(of: state), of: [.virtualService, .destinationRule, .release, .endpoint] + MeshIndex.definers,
            childrenOf: scope.sharers)
        // What is defined besides is there to be asked for.
        let mentioned = index.mentionedHosts.filter { scope.isAsked($0.text) }
        self.init(index, hosts: scope.hosts.union(mentioned).union(scope.sharers.map(Host.service)))
    }
}
