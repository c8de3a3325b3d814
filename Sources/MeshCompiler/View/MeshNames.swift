internal import GrayRelease
package import MeshCore
package import MeshModel

/// Who knows what texts mean in a mesh.
package protocol MeshNames {
    mutating func service(named name: NamespacedName) -> MeshState.Service?

    /// What defines hosts of a name, besides services; in no order.
    mutating func definitions(of text: String) -> [HostDefinition]

    /// The subsets that the DestinationRule in force for a host declares.
    mutating func subsets(of host: Host) -> [DestinationRuleSpec.Subset]

    /// Texts by which a reader's namespace could name the hosts of a namespace, at most 50; for people.
    mutating func hosts(in namespace: Name, from reader: Name) -> [String]
}

extension MeshNames {
    /// What a text means in a namespace, whether it exists or not: a host that somebody defines by that name, of those that the
    /// namespace sees; or else a service's; or else one that is nobody's. So no name of the world outside is ever taken for a
    /// service's that somebody else has defined.
    ///
    /// - Returns: `nil` for a text that is no name of a host.
    package mutating func host(_ text: String, from namespace: Name) -> Host? {
        let text = HostName.relative(text)
        if HostName.mayBeDefined(text), let definition = definitions(of: text).seen(from: namespace) {
            return .external(text, of: definition.object.namespace)
        }
        if let service = HostName.service(text, from: namespace) { return .service(service) }
        return HostName.isName(text) ? .external(text, of: namespace) : nil
    }

    /// What a host offers, whichever kind of object defines it; `nil`: nobody does.
    package mutating func service(_ host: Host) -> MeshState.Service? {
        switch host {
        case .service(let name): service(named: name)
        case .external:
            definition(of: host).map { definition in
                MeshState.Service(spec: ServiceSpec(ports: definition.host.ports), status: .init())
            }
        }
    }

    /// What defines a host; `nil`: nobody does, or a service.
    package mutating func definition(of host: Host) -> HostDefinition? {
        guard case .external(let text, let namespace) = host else { return nil }
        return definitions(of: text).held(in: namespace).first
    }
}

extension [HostDefinition] {
    /// The one that a namespace sees: its own, or the oldest of those that are there for it too.
    func seen(from namespace: Name) -> HostDefinition? {
        guard !isEmpty else { return nil }
        return held(in: namespace).first ?? holding.first { $0.host.export.contains(namespace) }
    }

    /// Those of a namespace, the oldest first, which holds.
    func held(in namespace: Name) -> [HostDefinition] { filter { $0.object.namespace == namespace }.byAge }

    /// The ones that hold in their namespaces, the oldest first.
    var holding: [HostDefinition] {
        var namespaces: Set<Name> = []
        return byAge.filter { namespaces.insert($0.object.namespace).inserted }
    }

    private var byAge: [HostDefinition] {
        count < 2 ? self : sorted { ($0.host.createTime, $0.object) < ($1.host.createTime, $1.object) }
    }
}
