package import Documents
package import MeshCore

/// A host that an object defines by its full name, as the compiler sees it: what services are, whichever kind of object it is.
package struct DefinedHost: Hashable, Sendable {
    /// The namespaces that see the host, beside that of its object: `exportTo` in Istio.
    package enum Export: Hashable, Sendable {
        case everybody
        case namespaces(Set<Name>)

        package func contains(_ namespace: Name) -> Bool {
            switch self {
            case .everybody: true
            case .namespaces(let namespaces): namespaces.contains(namespace)
            }
        }

        /// Whether all that others are for see this too.
        ///
        /// - Parameter namespace: sees it in any case.
        package func includes(_ other: Export, besides namespace: Name) -> Bool {
            switch (self, other) {
            case (.everybody, _): true
            case (.namespaces, .everybody): false
            case (.namespaces(let own), .namespaces(let others)): others.subtracting([namespace]).isSubset(of: own)
            }
        }
    }

    /// The endpoints of the host, or how sidecars find them.
    package enum Members: Hashable, Sendable {
        /// To these addresses.
        case addresses([Member])
        /// To what these names, or addresses, are resolved to by the sidecar, all the time. If there is one alone, `first` says
        /// whether each new connection goes to the first address of the answer, instead of all of them being members.
        case names([Member], first: Bool)
    }

    package struct Member: Hashable, Sendable {
        /// An IP address, or a name of DNS.
        package var address: String
        /// By the names of ports; a port that is left out has its own number.
        package var ports: [Name: Int]
        /// `1...1000`.
        package var weight: Int
        /// `region`, `region/zone` or `region/zone/subzone`; empty: unknown.
        package var locality: String

        package init(address: String, ports: [Name: Int], weight: Int, locality: String) {
            self.address = address
            self.ports = ports
            self.weight = weight
            self.locality = locality
        }
    }

    package var text: String
    /// The place of the host's name in its object.
    package var pointer: JSONPointer
    package var ports: [ServiceSpec.Port]
    package var members: Members
    package var export: Export
    /// The creation time of the object. Of several objects of a namespace with the same host, the oldest counts.
    package var createTime: Timestamp
    /// Fields of the object that change nothing, each with the rest of a sentence that says why.
    package var idle: [JSONPointer: String]

    package init(
        _ text: String, at pointer: JSONPointer, ports: [ServiceSpec.Port], members: Members, export: Export,
        createTime: Timestamp, idle: [JSONPointer: String] = [:]
    ) {
        self.idle = idle
        self.text = text
        self.pointer = pointer
        self.ports = ports
        self.members = members
        self.export = export
        self.createTime = createTime
    }
}

/// The definition of a host, and of which object it is.
package struct HostDefinition: Hashable, Sendable {
    package var kind: Kind
    package var object: NamespacedName
    package var host: DefinedHost

    package init(_ kind: Kind, _ object: NamespacedName, _ host: DefinedHost) {
        self.kind = kind
        self.object = object
        self.host = host
    }
}
