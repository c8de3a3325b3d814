internal import Documents
package import MeshCore
package import MeshModel

/// Which VirtualService decides about what sidecars send to a host. Several for one host are not merged.
///
/// The host belongs to the namespace of what defines it, where the oldest VirtualService with it is its owner. One of another
/// namespace holds only if the owner lets that namespace in (``VirtualServiceSpec/delegateHosts``), and then in place of the
/// owner's.
package struct HostOwnership: Sendable {
    package let host: Host
    /// The oldest VirtualService with the host in the host's own namespace.
    package let owner: NamespacedName?
    /// The one whose rules are carried out.
    package let holder: NamespacedName?
    /// The VirtualServices beside the holder that have the host, by name, with its place in `hosts`.
    private let others: [(name: NamespacedName, index: Int)]
    private let delegations: Set<Name>

    /// - Parameters:
    ///   - candidates: VirtualServices that may have the host; others are left aside.
    ///   - names: what a text means in a namespace.
    init(
        of host: Host, among candidates: [(name: NamespacedName, input: MeshState.Rules)],
        names: (String, Name) -> Host?
    ) {
        self.host = host
        let rules = candidates.compactMap { name, rules -> Candidate? in
            guard rules.spec.appliesToSidecars,
                let index = rules.spec.hostIndex(of: host, from: name, names: names)
            else { return nil }
            return Candidate(name: name, rules: rules, index: index)
        }.sorted { ($0.rules.createTime, $0.name) < ($1.rules.createTime, $1.name) }
        let owner = rules.first { $0.name.namespace == host.namespace }
        let delegations = owner?.delegations(of: host, names: names) ?? []
        let delegate = rules.first { $0.name != owner?.name && delegations.contains($0.name.namespace) }
        let holder = delegate?.name ?? owner?.name
        self.owner = owner?.name
        self.delegations = delegations
        self.holder = holder
        others = rules.filter { $0.name != holder }.map { ($0.name, $0.index) }.sorted { $0.name < $1.name }
    }

    private struct Candidate {
        var name: NamespacedName
        var rules: MeshState.Rules
        /// The index of the host among the VirtualService's hosts.
        var index: Int

        /// The namespaces that it lets decide about the host.
        func delegations(of host: Host, names: (String, Name) -> Host?) -> Set<Name> {
            rules.spec.delegateHosts.reduce(into: []) { namespaces, delegation in
                if names(delegation.host, name.namespace) == host { namespaces.formUnion(delegation.namespaces) }
            }
        }
    }

    /// The ownership of some hosts, looked up in all VirtualServices of a mesh at once.
    package static func all(of hosts: some Sequence<Host>, in state: MeshState) -> [Host: HostOwnership] {
        var candidates: [Host: [NamespacedName: MeshState.Rules]] = [:]
        for host in hosts { candidates[host] = [:] }
        // The first label of a text is that of the host: to look at that takes a fraction of reading all names of a mesh.
        let labels = Set(candidates.keys.map { HostName.firstLabel($0.text) })
        var names = StateNames(state)
        for (name, rules) in state.virtualServices {
            for text in rules.spec.hosts where labels.contains(HostName.firstLabel(text)) {
                if let host = names.host(text, from: name.namespace) { candidates[host]?[name] = rules }
            }
        }
        return Dictionary(
            uniqueKeysWithValues: candidates.map { host, candidates in
                (host, HostOwnership(of: host, among: candidates.map { ($0, $1) }) { names.host($0, from: $1) })
            })
    }

    /// Whether a VirtualService of the namespace may hold in place of the owner's.
    package func letsIn(_ namespace: Name) -> Bool { delegations.contains(namespace) }

    /// Why the rules of a VirtualService with this host are not carried out, or would not be if there were one.
    ///
    /// - Returns: `nil` also for the owner, in whose place another one may hold.
    package func objection(to name: NamespacedName) -> String? {
        if name == holder || name == owner { return nil }
        let (mine, its) = (name.namespace, host.namespace)
        guard let owner, let holder else {
            if mine == its { return nil }
            return
                "\(host.noun) \(host) belongs to namespace \(its): a VirtualService there that has the host must let "
                + "namespace \(mine) in with spec.delegateHosts"
        }
        if mine == its, owner == holder { return "VirtualService \(owner) owns \(host.phrase)" }
        guard letsIn(mine) else {
            return "VirtualService \(owner) owns \(host.phrase), and does not let namespace \(mine) in "
                + "with spec.delegateHosts"
        }
        return holder == owner ? nil : "VirtualService \(holder), which is let in, decides about \(host.noun) \(host)"
    }

    /// The diagnostics for VirtualServices that do not hold.
    func diagnostics(in mesh: MeshKey) -> [Diagnostic] {
        others.compactMap { name, index in
            let key = ObjectKey.namespaced(.virtualService, name, in: mesh)
            let pointer = JSONPointer(["spec", "hosts"]).appending(index)
            let other = holder.map { ObjectKey.namespaced(.virtualService, $0, in: mesh) }
            if let holder, name == owner {
                let detail = "VirtualService \(holder), which is let in, decides about \(host.noun) \(host)"
                return Diagnostic(key, pointer, .delegated, detail, other: other)
            }
            return objection(to: name).map { Diagnostic(key, pointer, .conflict, $0, other: other) }
        }
    }
}

extension VirtualServiceSpec {
    /// The index of a host among ``hosts``.
    ///
    /// - Parameters:
    ///   - name: the VirtualService's.
    ///   - names: what a text means in a namespace.
    func hostIndex(of host: Host, from name: NamespacedName, names: (String, Name) -> Host?) -> Int? {
        hosts.firstIndex { names($0, name.namespace) == host }
    }
}
