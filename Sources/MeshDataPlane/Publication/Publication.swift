internal import EnvoyConfig
internal import HashTreeCollections
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import Synchronization
internal import XDSServer

/// The configuration of a mesh's proxies at one revision: layers, and for each view a list of those that it is made of. Immutable;
/// all layers change at once, when the next publication takes the place of this one.
final class Publication: SnapshotPublication {
    typealias Lists = TreeDictionary<ViewID, [LayerID]>

    private let revision: Revision
    /// The owner of the snapshots.
    private let owner: String?
    let layers: Layers
    /// The layers of each view. In a tree, of which a copy costs nothing and a change little.
    private let lists: Lists
    /// The snapshots of views that have nothing of their own, as most have, by their lists.
    private let shared: Mutex<[[LayerID]: Snapshot]>

    /// All layers of a mesh that somebody has.
    struct Layers: Sendable {
        /// The layers that many proxies have.
        var common: [LayerID: Layer] = [:]
        /// The layers of single workloads, also if there is nothing in them.
        var own: TreeDictionary<LayerID, Layer> = [:]

        subscript(id: LayerID) -> Layer? {
            get { id.isCommon ? common[id] : own[id] }
            set { if id.isCommon { common[id] = newValue } else { own[id] = newValue } }
        }
    }

    /// - Parameter previous: the publication before.
    init(of state: MeshState, _ lists: Lists, _ layers: Layers, after previous: Publication? = nil) {
        let owner = state.life?.description
        // The same text in the same place is quick to compare, and every stream does.
        self.owner = owner == previous?.owner ? previous?.owner : owner
        revision = state.revision
        self.lists = lists
        self.layers = layers
        shared = Mutex([:])
    }

    private init(_ other: Publication, _ lists: Lists, _ layers: Layers) {
        (revision, owner) = (other.revision, other.owner)
        self.lists = lists
        self.layers = layers
        let kept = other.shared.withLock { $0 }
        shared = Mutex(kept.filter { $0.key.allSatisfy { layers[$0] === other.layers[$0] } })
    }

    /// A publication of the same for other views, with the layers that these need.
    func with(_ lists: Lists, _ layers: Layers) -> Publication { Publication(self, lists, layers) }

    func snapshot(of view: ViewID, after previous: Snapshot?) -> Snapshot? {
        guard let list = lists[view] else { return nil }
        let visible = list.filter { layers[$0]?.isEmpty == false }
        func make() -> Snapshot {
            Snapshot(
                revision: revision, owner: owner, layers: visible.compactMap { layers[$0] }, after: previous)
        }
        guard visible.allSatisfy(\.isCommon) else { return make() }
        return shared.withLock { shared in
            if let known = shared[visible] { return known }
            let made = make()
            shared[visible] = made
            return made
        }
    }
}

extension Publication {
    /// The snapshot that a proxy would be served, made for it alone.
    static func snapshot(of view: ProxyView, in state: MeshState, listenerTTL: Duration?) -> Snapshot {
        var compiler = Compiler()
        var encoder = LayerEncoder(listenerTTL: listenerTTL)
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        var layers = Layers()
        encoder.add(view.layers, to: &layers)
        return Publication(of: state, [view.id: view.layers], layers).snapshot(of: view.id, after: nil)
            ?? Snapshot(revision: state.revision, [:])
    }
}
