internal import Synchronization
internal import XDSServer

/// A part of a mesh's configuration: what many proxies have in common, or what one has for itself. Immutable; layers that are
/// derived from one another share what did not change.
final class Layer: Sendable {
    typealias Sets = [ResourceType: ResourceSet]

    /// Of all views that have nothing.
    static let empty = Layer([:])

    /// Without types of which there is nothing.
    let own: Sets
    /// Clusters that are still here although the view has them no more, the oldest first.
    let former: [String]
    /// What came of laying it over others, with what lay below; it stays as it is for as long as that does.
    private let laid = Mutex<[ResourceType: (below: ResourceSet, set: ResourceSet)]>([:])

    init(_ own: Sets, former: [String] = []) {
        self.own = own
        self.former = former
    }

    /// Others, with this one on top.
    func laid(over below: Sets) -> Sets {
        var sets = below
        for (type, set) in own { sets[type] = below[type].map { self.set(type, set, over: $0) } ?? set }
        return sets
    }

    private func set(_ type: ResourceType, _ set: ResourceSet, over below: ResourceSet) -> ResourceSet {
        if let known = laid.withLock({ $0[type] }), known.below === below { return known.set }
        let made = ResourceSet(set.resources, over: below)
        laid.withLock { $0[type] = (below, made) }
        return made
    }
}
