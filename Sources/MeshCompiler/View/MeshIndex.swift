package import MeshCore
package import MeshModel

/// The state of a mesh, and which of its objects mention what.
package struct MeshIndex: Sendable {
    package private(set) var state: MeshState
    /// The kinds whose mentions are known.
    private let kinds: [Kind]
    private var objects: [Place: Set<ObjectName>] = [:]

    private struct Place: Hashable {
        var kind: Kind
        var mention: Mention
    }

    /// - Parameters:
    ///   - kinds: whose mentions are known; by default of all.
    ///   - parents: whose children are looked at; by default all.
    package init(
        _ state: MeshState, of kinds: [Kind] = MeshModel.kinds.all, childrenOf parents: Set<NamespacedName>? = nil
    ) {
        self.state = state
        self.kinds = kinds
        for kind in kinds {
            let names = kind.isOfChildren ? parents.map(Array.init) : nil
            for name in names ?? state.names(of: kind) {
                insert(state.mentions(of: name, kind, differentIn: nil), kind)
            }
        }
    }

    /// The objects of a kind that mention something, in no order.
    func objects(of kind: Kind, mentioning mention: Mention) -> Set<ObjectName> {
        objects[Place(kind: kind, mention: mention)] ?? []
    }

    /// Kinds whose objects define hosts.
    static let definers = MeshModel.kinds.all.filter { definesHosts($0.specType) }

    private static func definesHosts<K: ResourceKind>(_ kind: K.Type) -> Bool { kind.definesHosts }

    /// Takes over another state of the same mesh.
    ///
    /// - Parameter change: at least what is different.
    /// - Returns: the questions whose answers may be others.
    mutating func update(to new: MeshState, _ change: MeshChange) -> Set<Question> {
        guard !change.everything else {
            self = MeshIndex(new, of: kinds)
            return []
        }
        var touched: Set<Question> = []
        for kind in change.kinds {
            for name in change[kind] {
                touched.insert(kind.isOfChildren ? .children(kind, name) : .object(kind, name))
                guard kinds.contains(kind) else { continue }
                let before = state.mentions(of: name, kind, differentIn: new)
                let after = new.mentions(of: name, kind, differentIn: state)
                for entry in before { remove(entry.object, kind, entry.mention) }
                insert(after, kind)
                for entry in before + after { touched.insert(.mentioning(kind, entry.mention)) }
            }
        }
        state = new
        return touched
    }

    private mutating func insert(_ entries: [(object: ObjectName, mention: Mention)], _ kind: Kind) {
        for entry in entries { objects[Place(kind: kind, mention: entry.mention), default: []].insert(entry.object) }
    }

    private mutating func remove(_ object: ObjectName, _ kind: Kind, _ mention: Mention) {
        let place = Place(kind: kind, mention: mention)
        objects[place]?.remove(object)
        if objects[place]?.isEmpty == true { objects[place] = nil }
    }
}

extension MeshIndex {
    /// Hosts that may come to something: those that are defined, have members, or are mentioned.
    var hosts: Set<Host> {
        var hosts = mentionedHosts
        for name in state.services.keys { hosts.insert(.service(name)) }
        for name in state.endpoints.keys { hosts.insert(.service(name)) }
        return hosts
    }

    /// Hosts that objects define, or say something about.
    var mentionedHosts: Set<Host> {
        objects.keys.reduce(into: []) { $0.formUnion(hosts(concernedBy: $1.mention)) }
    }

    /// Proxies that have something behind them.
    var proxies: Set<NamespacedName> { Set(objects.keys.compactMap(\.mention.proxy)) }

    /// Hosts that may come to something else when answers are others, whoever has asked.
    func hosts(concernedBy touched: Set<Question>) -> Set<Host> {
        touched.reduce(into: []) { hosts, question in
            switch question {
            case .object(.service, let name), .children(.endpoint, let name): hosts.insert(.service(name))
            case .mentioning(_, let mention): hosts.formUnion(self.hosts(concernedBy: mention))
            case .object, .children, .unservedPorts, .excess: break
            }
        }
    }

    private func hosts(concernedBy mention: Mention) -> Set<Host> {
        switch mention {
        case .service(let name): return [.service(name)]
        case .name(let text), .definition(let text):
            // Whoever says something of the name says it of the host that is meant there; a service's if nobody defines it.
            var hosts: Set<Host> = []
            for kind in kinds {
                for mention in [Mention.name(text), .definition(text)] {
                    for object in objects(of: kind, mentioning: mention) {
                        hosts.insert(.external(text, of: object.name.namespace))
                    }
                }
            }
            if let service = HostName.service(text, from: .defaultMesh) { hosts.insert(.service(service)) }
            return hosts
        case .destination, .proxy: return []
        }
    }
}

extension Question {
    /// The proxy that may come to something else when the answer is another, as ``MeshIndex/hosts(concernedBy:)`` for
    /// hosts.
    var proxy: NamespacedName? {
        guard case .mentioning(_, let mention) = self else { return nil }
        return mention.proxy
    }
}

extension Mention {
    fileprivate var proxy: NamespacedName? {
        guard case .proxy(let name) = self else { return nil }
        return name
    }
}

extension Kind {
    fileprivate var isOfChildren: Bool { if case .child = scope { true } else { false } }
}
