internal import GrayRelease
internal import MeshCore
internal import MeshModel

/// Look-ups of the hosts that texts mean, and of the objects that are about a host.
extension MeshView: MeshNames {
    mutating func service(named name: NamespacedName) -> MeshState.Service? { object(ServiceSpec.self, name) }

    /// The subsets that the DestinationRule in force declares.
    mutating func subsets(of host: Host) -> [DestinationRuleSpec.Subset] { policies(of: host).subsets }

    /// The DestinationRules for a host.
    mutating func policies(of host: Host) -> Policies {
        let rules = objects(DestinationRuleSpec.self, mentioning: host.mention)
        return Policies(of: host, rules.filter { self.host($0.input.spec.host, from: $0.name.namespace) == host })
    }

    /// The ownership of a host: the VirtualService whose rules decide about its requests.
    mutating func ownership(of host: Host) -> HostOwnership {
        let rules = objects(VirtualServiceSpec.self, mentioning: host.mention)
        return HostOwnership(of: host, among: rules) { self.host($0, from: $1) }
    }

    /// A pass tells nobody what else there is.
    func hosts(in namespace: Name, from reader: Name) -> [String] { [] }

    /// Releases of a host's service, by name.
    mutating func releases(of host: Host) -> [(name: NamespacedName, input: ReleaseTraffic)] {
        host.service.map { objects(ReleaseSpec.self, mentioning: .service($0)) } ?? []
    }
}

extension MeshView {
    /// Hosts whose rules name a host among the destinations of requests.
    mutating func hosts(sendingTo host: Host) -> Set<Host> {
        guard let service = host.service else { return [] }
        var hosts: Set<Host> = []
        for (name, rules) in objects(VirtualServiceSpec.self, mentioning: .destination(service)) {
            hosts.formUnion(rules.spec.hosts.compactMap { self.host($0, from: name.namespace) })
        }
        return hosts
    }
}
