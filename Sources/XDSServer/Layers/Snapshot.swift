/// Everything that a client is served: a list of layers, all as of one revision of their source. Immutable.
///
/// Clients with the same list share one. The next one may have other layers: what is told is what differs by name
/// (``LayeredSet/changedNames(since:)``).
package final class Snapshot: Sendable {
    /// The revision of the source that this was compiled from; grows from snapshot to snapshot of a view.
    package let revision: Int64
    /// The owner. When it is another one than before, it is asked anew whether clients may have the snapshot
    /// (``XDSDelegate/refusal(of:owner:)``). `nil`: nobody is asked.
    package let owner: String?
    private let sets: [LayeredSet]

    /// - Parameters:
    ///   - layers: of two resources of one type with one name the one of the first layer counts.
    ///   - previous: what the client was served before; where its layers are the same, what was found out of them is taken over.
    package init(revision: Int64, owner: String? = nil, layers: [Layer], after previous: Snapshot? = nil) {
        self.revision = revision
        self.owner = owner
        sets = ResourceType.allCases.map { type in
            let layers = layers.compactMap { $0.sets[type] }
            if let known = previous?[type], known.layers.elementsEqual(layers, by: ===) { return known }
            return layers.isEmpty ? .empty : LayeredSet(layers)
        }
    }

    /// A snapshot of one layer.
    ///
    /// - Parameter sets: types that are left out have no resources.
    package convenience init(revision: Int64, owner: String? = nil, _ sets: [ResourceType: ResourceSet]) {
        self.init(revision: revision, owner: owner, layers: [Layer(sets)])
    }

    /// How soon a client forgets some of it that hears nothing any more; `nil`: never.
    var shortestTTL: Duration? { sets.compactMap(\.expiring.shortestTTL).min() }

    package subscript(type: ResourceType) -> LayeredSet { sets[type.rawValue] }

    /// Names that are in two of its layers, by type: the layers' maker has made a mistake, or somebody whom it listened to.
    package var duplicateNames: [ResourceType: Set<String>] {
        var duplicateNames: [ResourceType: Set<String>] = [:]
        for type in ResourceType.allCases where !self[type].duplicateNames.isEmpty {
            duplicateNames[type] = self[type].duplicateNames
        }
        return duplicateNames
    }
}

/// The identifier of a view. Clients that are served the same configuration share a view.
package struct ViewID: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// The name of the source whose publications have the view (``SnapshotStore/publish(_:as:to:)``).
    package let source: String

    /// - Parameter source: `nil`: the view has a source of its own.
    package init(_ description: String, of source: String? = nil) {
        self.description = description
        self.source = source ?? description
    }

    package static func == (one: Self, other: Self) -> Bool { one.description == other.description }
    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

/// All that the views of a source are served, as of one revision. Immutable.
package protocol SnapshotPublication: AnyObject, Sendable {
    /// The snapshot of a view. Called on event loops, for one client after the other: must be quick and must not block.
    ///
    /// - Parameter previous: what the client was served before. What is the same is taken over.
    /// - Returns: `nil` if the publication does not have the view.
    func snapshot(of view: ViewID, after previous: Snapshot?) -> Snapshot?
}
