package import MeshCore

/// Where requests are sent: a host by its full name, and whose it is.
///
/// Rules and callers name it by texts that mean different hosts in different namespaces; what a text means is for the mesh to say.
package enum Host: Hashable, Sendable {
    /// A service's, which every namespace sees: `reviews.shop.svc.cluster.local`.
    case service(NamespacedName)

    /// The name by which all callers know it.
    package var text: String {
        switch self {
        case .service(let name): HostName.full(name)
        }
    }

    /// Of the object that defines it. Its rules are decided about there.
    package var namespace: Name {
        switch self {
        case .service(let name): name.namespace
        }
    }

    /// The service whose host it is; `nil`: it is nobody's.
    package var service: NamespacedName? {
        switch self {
        case .service(let name): name
        }
    }

    /// By what objects are found that may be about it.
    package var mention: Mention {
        switch self {
        case .service(let name): .service(name)
        }
    }
}

extension Host: Comparable {
    package static func < (a: Host, b: Host) -> Bool {
        switch (a, b) {
        case (.service(let a), .service(let b)): a < b
        }
    }
}

extension Host {
    /// How a sentence speaks of what defines it: `service reviews in namespace shop`.
    package var described: String {
        switch self {
        case .service(let name): "service \(name.name) in namespace \(name.namespace)"
        }
    }
}

extension Host: CustomStringConvertible {
    /// As people are told of it: `shop/reviews`.
    package var description: String {
        switch self {
        case .service(let name): "\(name)"
        }
    }
}

/// What objects have to do with besides themselves: whoever looks for all objects that have to do with something looks again when
/// one of them changes (``ResourceKind/mentions(_:of:)``).
package enum Mention: Hashable, Sendable {
    /// Says something about a service, which may not exist.
    case service(NamespacedName)
    /// Sends requests to a service, or copies of them.
    case destination(NamespacedName)
    /// Stands behind a proxy.
    case proxy(NamespacedName)
}

/// An object in the state of a mesh; of a kind of children with the name of the child.
package struct ObjectName: Hashable, Comparable, Sendable {
    /// Of the object, or of the child's parent.
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
