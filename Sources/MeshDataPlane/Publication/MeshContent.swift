internal import EnvoyConfig
internal import HashTreeCollections
internal import XDSServer

/// What is served of a mesh, and the views that it is served to. A value: whoever has it may go on with it while others change
/// theirs.
struct MeshContent: Sendable {
    /// A view that somebody has, or had a moment ago.
    struct Entry: Sendable {
        let view: ProxyView
        /// What it has on top of its stack; `nil`: that has yet to be made.
        var own: Layer?
        /// Whether a proxy is there that is told of changes.
        var isWanted = true

        init(_ view: ProxyView) {
            self.view = view
            own = view.ownLayer == nil ? .empty : nil
        }
    }

    var publication = Publication.none
    /// By stack. In trees, of which a copy costs nothing and a change little.
    private(set) var entries: [[View]: TreeDictionary<ViewID, Entry>] = [:]

    var stacks: some Sequence<[View]> { entries.keys }
    var all: some Sequence<Entry> { entries.values.lazy.flatMap(\.values) }

    subscript(view: ProxyView) -> Entry? {
        get { entries[view.commonLayers]?[view.id] }
        set {
            let stack = view.commonLayers
            entries[stack, default: [:]][view.id] = newValue
            if entries[stack]?.isEmpty == true { entries[stack] = nil }
        }
    }

    /// Adds a view, or wakes it.
    mutating func wake(_ view: ProxyView, own: Layer? = nil) {
        var entry = self[view] ?? Entry(view)
        entry.isWanted = true
        entry.own = entry.own ?? own
        self[view] = entry
    }

    /// Leaves out what no view lies on.
    mutating func prune() { publication = publication.keeping { entries[$0] != nil } }

    var isEmpty: Bool { entries.isEmpty }

    /// Of all views that are wanted. Those that have nothing on top share their stack's.
    var snapshots: [ViewID: Snapshot] {
        var snapshots: [ViewID: Snapshot] = [:]
        for (stack, entries) in entries {
            for (id, entry) in entries where entry.isWanted {
                snapshots[id] = entry.own.flatMap { publication.snapshot(on: stack, $0) }
            }
        }
        return snapshots
    }

    /// Of one view, whether it is wanted or not; `nil` as long as something of it has yet to be made.
    func snapshot(of view: ProxyView) -> Snapshot? {
        self[view]?.own.flatMap { publication.snapshot(on: view.commonLayers, $0) }
    }
}

extension LayerEncoder {
    /// What single views have on top, where that is another layer than before.
    ///
    /// - Parameter change: what has changed since those before were made; `nil`: nothing.
    func ownLayers(
        of entries: some Sequence<MeshContent.Entry>, after change: EncodedChange? = nil
    ) -> [(view: ProxyView, layer: Layer)] {
        entries.compactMap { entry in
            guard let view = entry.view.ownLayer else { return nil }
            guard let own = entry.own else { return entry.isWanted ? (entry.view, layer(view)) : nil }
            guard let change, change.reachesWorkloads else { return nil }
            let derived = layer(own, of: view, after: change)
            return derived === own ? nil : (entry.view, derived)
        }
    }
}
