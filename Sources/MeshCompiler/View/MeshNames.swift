internal import GrayRelease
package import MeshCore
package import MeshModel

/// A look-up of the hosts that texts mean in a mesh.
package protocol MeshNames {
    mutating func service(named name: NamespacedName) -> MeshState.Service?

    /// The definitions of hosts of a name, besides services.
    mutating func definitions(of text: String) -> HostDefinitions

    /// The subsets that the DestinationRule in force for a host declares.
    mutating func subsets(of host: Host) -> [DestinationRuleSpec.Subset]

    /// Texts by which a reader's namespace could name the hosts of a namespace, at most 50; for people.
    mutating func hosts(in namespace: Name, from reader: Name) -> [String]
}

extension MeshNames {
    /// The host that a text means in a namespace, whether it exists or not: a host that the namespace defines by that
    /// name; or else the service that has the name; or else a host that others define for the namespace too. So
    /// `example.com`, once it is defined, is not taken for a missing service `example` of a namespace `com`, and no
    /// namespace takes a service's name from others. A name that nobody has is meant as a service's if it could be one.
    ///
    /// - Returns: `nil` for a text that is no name of a host.
    package mutating func host(_ text: String, from namespace: Name) -> Host? {
        let text = HostName.relative(text)
        let service = HostName.service(text, from: namespace)
        if HostName.mayBeDefined(text) {
            let definitions = definitions(of: text)
            if !definitions.isEmpty,
                let definition = definitions.seen(from: namespace, owner: owner(ofServiceNamed: text))
            {
                return .external(text, of: definition.object.namespace)
            }
        }
        if let service { return .service(service) }
        return HostName.isName(text) ? .external(text, of: namespace) : nil
    }

    /// The namespace of the service that has a name with dots in it; `nil`: there is none.
    mutating func owner(ofServiceNamed text: String) -> Name? {
        guard let name = HostName.service(text, from: .defaultMesh), service(named: name) != nil else { return nil }
        return name.namespace
    }

    /// The ports and versions of a host, whichever kind of object defines it; `nil`: none does.
    package mutating func service(_ host: Host) -> MeshState.Service? {
        switch host {
        case .service(let name): service(named: name)
        case .external:
            definition(of: host).map { definition in
                MeshState.Service(spec: ServiceSpec(ports: definition.host.ports), status: .init())
            }
        }
    }

    /// The definition of a host; `nil`: the host has none, or is a service's.
    package mutating func definition(of host: Host) -> HostDefinition? {
        guard case .external(let text, let namespace) = host else { return nil }
        return definitions(of: text)[namespace]
    }
}
