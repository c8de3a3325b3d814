internal import Documents
package import MeshCore
package import MeshModel

/// Which VirtualService decides about what sidecars send to a service. Several for one host are not merged.
///
/// The host belongs to the service's namespace, where the oldest VirtualService with it is its owner. One of another namespace
/// holds only if the owner lets that namespace in (``VirtualServiceSpec/delegateHosts``), and then in place of the owner's.
package struct HostOwnership: Sendable {
    package let service: NamespacedName
    /// Of the service's own namespace.
    package let owner: NamespacedName?
    /// The one whose rules are carried out.
    package let holder: NamespacedName?
    /// Those that have the host beside the holder, by name.
    package let others: [NamespacedName]
    private let delegations: Set<Name>

    /// - Parameter candidates: VirtualServices that name the service among their hosts; others are left aside.
    package init(of service: NamespacedName, among candidates: some Sequence<NamespacedName>, in state: MeshState) {
        self.service = service
        let rules = candidates.compactMap { name in state.virtualServices[name].map { (name: name, rules: $0) } }
            .filter { $0.rules.spec.appliesToSidecars && $0.rules.spec.hostIndex(of: service, from: $0.name) != nil }
            .sorted { ($0.rules.createTime, $0.name) < ($1.rules.createTime, $1.name) }
        let owner = rules.first { $0.name.namespace == service.namespace }
        let delegations = owner.map { $0.rules.spec.namespaces(letInto: service, from: $0.name) } ?? []
        let delegate = rules.first { $0.name != owner?.name && delegations.contains($0.name.namespace) }
        let holder = delegate?.name ?? owner?.name
        self.owner = owner?.name
        self.delegations = delegations
        self.holder = holder
        others = rules.map(\.name).filter { $0 != holder }.sorted()
    }

    /// Of some services, looked up in all VirtualServices of a mesh at once.
    package static func all(
        of services: some Sequence<NamespacedName>, in state: MeshState
    ) -> [NamespacedName: HostOwnership] {
        var candidates: [NamespacedName: Set<NamespacedName>] = [:]
        for service in services { candidates[service] = [] }
        // The first label of a host is the service's name: to look at that takes a fraction of reading all names of a mesh.
        let labels = Set(candidates.keys.map { HostName.firstLabel($0.name.text) })
        for (name, rules) in state.virtualServices {
            for host in rules.spec.hosts where labels.contains(HostName.firstLabel(host)) {
                guard let service = HostName.service(host, from: name.namespace) else { continue }
                candidates[service]?.insert(name)
            }
        }
        return Dictionary(
            uniqueKeysWithValues: candidates.map { ($0.key, HostOwnership(of: $0.key, among: $0.value, in: state)) })
    }

    /// Whether a VirtualService of the namespace may hold in place of the owner's.
    package func letsIn(_ namespace: Name) -> Bool { delegations.contains(namespace) }

    /// Why the rules of a VirtualService with this host are not carried out, or would not be if there were one.
    ///
    /// - Returns: `nil` also for the owner, in whose place another one may hold.
    package func objection(to name: NamespacedName) -> String? {
        if name == holder || name == owner { return nil }
        let (mine, its) = (name.namespace, service.namespace)
        guard let owner, let holder else {
            if mine == its { return nil }
            return "service \(service) belongs to namespace \(its): a VirtualService there that has the host must let "
                + "namespace \(mine) in with spec.delegateHosts"
        }
        if mine == its, owner == holder { return "VirtualService \(owner) owns the host of service \(service)" }
        guard letsIn(mine) else {
            return "VirtualService \(owner) owns the host of service \(service), and does not let namespace \(mine) in "
                + "with spec.delegateHosts"
        }
        return holder == owner ? nil : "VirtualService \(holder), which is let in, decides about service \(service)"
    }

    /// What has to be said to those that do not hold.
    func diagnostics(in state: MeshState) -> [Diagnostic] {
        others.compactMap { name in
            guard let index = state.virtualServices[name]?.spec.hostIndex(of: service, from: name) else { return nil }
            let key = ObjectKey.namespaced(.virtualService, name, in: state.mesh)
            let pointer = JSONPointer(["spec", "hosts"]).appending(index)
            let other = holder.map { ObjectKey.namespaced(.virtualService, $0, in: state.mesh) }
            if let holder, name == owner {
                let detail = "VirtualService \(holder), which is let in, decides about service \(service)"
                return Diagnostic(key, pointer, .delegated, detail, other: other)
            }
            return objection(to: name).map { Diagnostic(key, pointer, .conflict, $0, other: other) }
        }
    }
}

extension VirtualServiceSpec {
    /// Where among ``hosts`` a service is.
    ///
    /// - Parameter name: the VirtualService's.
    package func hostIndex(of service: NamespacedName, from name: NamespacedName) -> Int? {
        hosts.firstIndex { HostName.service($0, from: name.namespace) == service }
    }

    fileprivate func namespaces(letInto service: NamespacedName, from name: NamespacedName) -> Set<Name> {
        delegateHosts.reduce(into: []) { namespaces, delegation in
            guard HostName.service(delegation.host, from: name.namespace) == service else { return }
            namespaces.formUnion(delegation.namespaces)
        }
    }
}
