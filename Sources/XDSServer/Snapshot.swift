/// Everything that a view is served, as of one revision of its source. Immutable.
package final class Snapshot: Sendable {
    /// The revision of the source that this was compiled from; grows from snapshot to snapshot of a view.
    package let revision: Int64
    /// Whose it is: when this is another one, clients are asked anew whether they may have it
    /// (``XDSDelegate/refusal(of:owner:)``). `nil`: nobody is asked.
    package let owner: String?
    private let sets: [ResourceSet]

    /// - Parameter sets: types that are left out have no resources.
    package init(revision: Int64, owner: String? = nil, _ sets: [ResourceType: ResourceSet]) {
        self.revision = revision
        self.owner = owner
        self.sets = ResourceType.allCases.map { sets[$0] ?? .empty }
    }

    /// How soon a client forgets some of it that hears nothing any more; `nil`: never.
    var shortestTTL: Duration? { sets.compactMap(\.lasting.shortest).min() }

    package subscript(type: ResourceType) -> ResourceSet { sets[type.rawValue] }

    /// The same resources, known to be right at a later revision too.
    package func advanced(to revision: Int64) -> Snapshot {
        Snapshot(
            revision: revision, owner: owner,
            Dictionary(uniqueKeysWithValues: ResourceType.allCases.map { ($0, self[$0]) }))
    }
}

/// Proxies that see the same configuration share a view.
package struct ViewID: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
