package import MeshCore
package import MeshModel

/// The names of a state that nobody compiles, for writes: what is asked is looked for among everything, once.
package struct StateNames: MeshNames {
    private let state: MeshState
    private var subsets: [Host: [DestinationRuleSpec.Subset]] = [:]
    /// DestinationRules by the first labels of their hosts: to look at those takes a fraction of finding out what texts mean.
    private var rulesByLabel: [Substring: [NamespacedName]]?
    private var definitions: [String: HostDefinitions]?

    package init(_ state: MeshState) { self.state = state }

    package func service(named name: NamespacedName) -> MeshState.Service? { state.services[name] }

    package mutating func definitions(of text: String) -> HostDefinitions {
        let definitions = definitions ?? state.definitions
        self.definitions = definitions
        return definitions[text] ?? .none
    }

    package mutating func subsets(of host: Host) -> [DestinationRuleSpec.Subset] {
        if let known = subsets[host] { return known }
        let found = destinationRule(for: host).flatMap { state.destinationRules[$0]?.spec.subsets } ?? []
        subsets[host] = found
        return found
    }

    /// The DestinationRule that holds for connections to a host: the oldest one of its namespace.
    package mutating func destinationRule(for host: Host) -> NamespacedName? {
        destinationRules(about: host).min { ($0.policies.createTime, $0.name) < ($1.policies.createTime, $1.name) }?
            .name
    }

    /// The DestinationRules of a host's own namespace that are about it, in no order.
    mutating func destinationRules(about host: Host) -> [(name: NamespacedName, policies: MeshState.Policies)] {
        let rules = rulesByLabel ?? state.rulesByLabel
        rulesByLabel = rules
        return (rules[HostName.firstLabel(host.text)] ?? []).compactMap { name in
            guard name.namespace == host.namespace, let policies = state.destinationRules[name],
                self.host(policies.spec.host, from: name.namespace) == host
            else { return nil }
            return (name, policies)
        }
    }

    package func hosts(in namespace: Name, from reader: Name) -> [String] {
        // What is in other namespaces is not for everybody to know.
        let services = namespace == reader ? state.services.keys.filter { $0.namespace == namespace }.sorted() : []
        let names = services.prefix(50).map(\.name.text)
        let hosts = (definitions ?? state.definitions).filter { $1.seen(from: reader, owner: nil) != nil }.keys.sorted()
        return names + hosts.prefix(50 - names.count)
    }
}

extension MeshState {
    fileprivate var rulesByLabel: [Substring: [NamespacedName]] {
        Dictionary(grouping: destinationRules.keys) { name in
            destinationRules[name].map { HostName.firstLabel($0.spec.host) } ?? ""
        }
    }

    fileprivate var definitions: [String: HostDefinitions] {
        var definitions: [String: [HostDefinition]] = [:]
        for kind in MeshIndex.definers {
            for name in names(of: kind) {
                for host in self.definitions(by: name, kind) {
                    definitions[host.text, default: []].append(HostDefinition(kind, name, host))
                }
            }
        }
        return definitions.mapValues(HostDefinitions.init)
    }
}
