package import MeshCore
package import MeshModel

/// Who knows what texts mean in a mesh.
package protocol MeshNames {
    /// What a text means in a namespace, whether it exists or not.
    ///
    /// - Returns: `nil` for a text that is no name of a host.
    mutating func host(_ text: String, from namespace: Name) -> Host?

    /// What a host offers; `nil`: there is none.
    mutating func service(_ host: Host) -> MeshState.Service?

    /// The subsets that the DestinationRule in force for a host declares.
    mutating func subsets(of host: Host) -> [DestinationRuleSpec.Subset]

    /// Texts by which a reader's namespace could name the hosts of a namespace, at most 50; for people.
    mutating func hosts(in namespace: Name, from reader: Name) -> [String]
}

extension MeshNames {
    package mutating func host(_ text: String, from namespace: Name) -> Host? {
        HostName.service(text, from: namespace).map(Host.service)
    }
}

/// The names of a state that nobody compiles, for writes: what is asked is looked for among everything, once.
package struct StateNames: MeshNames {
    private let state: MeshState
    private var subsets: [Host: [DestinationRuleSpec.Subset]] = [:]
    /// DestinationRules by the first labels of their hosts: to look at those takes a fraction of finding out what texts mean.
    private var rulesByLabel: [Substring: [NamespacedName]]?

    package init(_ state: MeshState) { self.state = state }

    package func service(_ host: Host) -> MeshState.Service? {
        switch host {
        case .service(let name): state.services[name]
        }
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
        let rules =
            rulesByLabel
            ?? Dictionary(grouping: state.destinationRules.keys) { name in
                state.destinationRules[name].map { HostName.firstLabel($0.spec.host) } ?? ""
            }
        rulesByLabel = rules
        return (rules[HostName.firstLabel(host.text)] ?? []).compactMap { name in
            guard name.namespace == host.namespace, let policies = state.destinationRules[name],
                self.host(policies.spec.host, from: name.namespace) == host
            else { return nil }
            return (name, policies)
        }
    }

    package func hosts(in namespace: Name, from reader: Name) -> [String] {
        let names = state.services.keys.filter { $0.namespace == namespace }.sorted()
        return names.prefix(50).map { $0.namespace == reader ? $0.name.text : "\($0.name).\($0.namespace)" }
    }
}
