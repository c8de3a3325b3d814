package import MeshCore
package import MeshModel

/// The state of a mesh, and which of its objects mention what.
package struct MeshIndex: Sendable {
    package private(set) var state: MeshState
    /// Those whose mentions are known.
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

    /// Everything that is mentioned.
    var mentions: some Sequence<Mention> { objects.keys.lazy.map(\.mention) }

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

extension Kind {
    fileprivate var isOfChildren: Bool { if case .child = scope { true } else { false } }
}
