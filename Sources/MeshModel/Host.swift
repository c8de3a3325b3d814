package import MeshCore

/// A host that requests are sent to, and the service or namespace that it belongs to.
///
/// Rules and callers name it by texts that mean different hosts in different namespaces; what a text means is for the mesh to say.
package enum Host: Hashable, Sendable {
    /// A service's, which every namespace sees: `reviews.shop.svc.cluster.local`.
    case service(NamespacedName)
    /// One that an object of a namespace defines by its full name, for itself or for others too: `api.example.com`. Another
    /// namespace may have one of the same name.
    case external(String, of: Name)

    /// The name by which all callers know it.
    package var text: String {
        switch self {
        case .service(let name): HostName.full(name)
        case .external(let text, _): text
        }
    }

    /// The namespace of the object that defines the host. Rules for the host are decided about there.
    package var namespace: Name {
        switch self {
        case .service(let name): name.namespace
        case .external(_, let namespace): namespace
        }
    }

    /// The service whose host it is; `nil`: it is nobody's.
    package var service: NamespacedName? {
        switch self {
        case .service(let name): name
        case .external: nil
        }
    }

    /// By what objects are found that may be about it.
    package var mention: Mention {
        switch self {
        case .service(let name): .service(name)
        case .external(let text, _): .name(text)
        }
    }
}

extension Host {
    /// Its name, and whose it is where that does not say it: `shop/api.example.com`.
    package var unambiguous: String {
        switch self {
        case .service: text
        case .external(_, let namespace): "\(namespace)/\(text)"
        }
    }

    /// Reads what ``unambiguous`` has written; `nil` for anything else.
    package init?(unambiguous text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2 {
            guard let namespace = Name(parts[0]), HostName.isName(parts[1]), HostName.mayBeDefined(parts[1]) else {
                return nil
            }
            self = .external(parts[1], of: namespace)
        } else {
            guard let service = HostName.service(full: text) else { return nil }
            self = .service(service)
        }
    }
}

extension Host: Comparable {
    /// Services by namespace and name, then all others by text and namespace.
    package static func < (a: Host, b: Host) -> Bool {
        switch (a, b) {
        case (.service(let a), .service(let b)): a < b
        case (.service, .external): true
        case (.external, .service): false
        case (.external(let a, let mine), .external(let b, let its)): (a, mine) < (b, its)
        }
    }
}

extension Host {
    /// How a sentence speaks of what defines it: `service reviews in namespace shop`.
    package var described: String {
        switch self {
        case .service(let name): "service \(name.name) in namespace \(name.namespace)"
        case .external(let text, let namespace): "ServiceEntry that namespace \(namespace) sees with the host \(text)"
        }
    }
}

extension Host {
    /// The noun that a sentence puts before the host's name: `service`, `host`.
    package var noun: String {
        switch self {
        case .service: "service"
        case .external: "host"
        }
    }

    /// A noun phrase for the host as somebody's property: `the host of service shop/reviews`.
    package var phrase: String {
        switch self {
        case .service: "the host of service \(self)"
        case .external: "the host \(self)"
        }
    }

    /// A sentence saying that the host does not exist: `there is no service shop/reviews`.
    package var absence: String {
        switch self {
        case .service: "there is no service \(self)"
        case .external: "there is no \(described)"
        }
    }

    /// A sentence saying that the host does not exist, for the author of a text that names it: a text that could be a
    /// service's name may be meant as another host's.
    package func absence(named text: String) -> String {
        let sentence = "there is no \(described)"
        guard service != nil, HostName.mayBeDefined(HostName.relative(text)), !text.hasSuffix(".svc") else {
            return sentence
        }
        return "\(sentence), and no ServiceEntry with the host \(HostName.relative(text))"
    }
}

extension Host: CustomStringConvertible {
    /// The short name for people: `shop/reviews`, `api.example.com`.
    package var description: String {
        switch self {
        case .service(let name): "\(name)"
        case .external(let text, _): text
        }
    }
}

/// A service, host or proxy that an object has to do with besides itself. A pass that asks for all objects that mention
/// it runs again when one of them changes (``ResourceKind/mentions(_:of:)``).
package enum Mention: Hashable, Sendable {
    /// Says something about a service, which may not exist.
    case service(NamespacedName)
    /// Says something about a host that may be another's than a service's, by its text.
    case name(String)
    /// Defines a host (``ResourceKind/definitions(_:)``).
    case definition(String)
    /// Sends requests to a service, or copies of them.
    case destination(NamespacedName)
    /// Stands behind a proxy.
    case proxy(NamespacedName)

    /// The mentions of an object that says something about a host: of a service, of a host by its text, or of both.
    ///
    /// - Parameters:
    ///   - text: by which it is named.
    ///   - namespace: where.
    package static func host(_ text: String, from namespace: Name) -> [Mention] {
        let text = HostName.relative(text)
        return (HostName.service(text, from: namespace).map { [.service($0)] } ?? [])
            + (HostName.mayBeDefined(text) ? [.name(text)] : [])
    }
}

/// An object in the state of a mesh; of a kind of children with the name of the child.
package struct ObjectName: Hashable, Comparable, Sendable {
    /// The name of the object, or of the child's parent.
    package var name: NamespacedName
    package var child: Name?

    package init(_ name: NamespacedName, child: Name? = nil) {
        self.name = name
        self.child = child
    }

    package static func < (a: ObjectName, b: ObjectName) -> Bool {
        (a.name, a.child?.text ?? "") < (b.name, b.child?.text ?? "")
    }
}
