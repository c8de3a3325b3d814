internal import EnvoyConfig
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import XDSServer

/// The configuration of a mesh's proxies at one revision: layers, and for each view a list of those that it is made of. They do not
/// change: all of them do at once, when the next publication takes the place of this one.
struct Publication: Sendable {
    /// The publication of a mesh that has not been compiled.
    static let none = Publication()

    private(set) var revision: Revision = 0
    /// The owner of the snapshots.
    private var owner: String?
    /// All layers. Those that many proxies have are there once.
    private(set) var layers: [LayerID: Layer] = [:]
    /// The layers of each view, without those in which there is nothing: most proxies have nothing of their own.
    private var lists: [ViewID: [LayerID]] = [:]
    /// By list.
    private var made: [[LayerID]: Snapshot] = [:]

    private init() {}

    /// - Parameters:
    ///   - lists: of each view, what it is made of.
    ///   - layers: all that are in the lists.
    ///   - previous: what was served before.
    init(
        of state: MeshState, _ lists: [ViewID: [LayerID]], _ layers: [LayerID: Layer],
        after previous: Publication = .none
    ) {
        let owner = state.life?.description
        // The same text in the same place is quick to compare, and every stream does.
        self.owner = owner == previous.owner ? previous.owner : owner
        revision = state.revision
        self.layers = layers
        add(lists, after: previous)
    }

    /// Takes in more views, and the layers that these need and that are not there.
    mutating func add(_ lists: [ViewID: [LayerID]], _ layers: [LayerID: Layer]) {
        self.layers.merge(layers) { known, _ in known }
        add(lists, after: .none)
    }

    /// Leaves out other views, and the layers that only they needed.
    mutating func keep(only lists: [ViewID: [LayerID]]) {
        self.lists = self.lists.filter { lists[$0.key] != nil }
        let left = Set(self.lists.values)
        made = made.filter { left.contains($0.key) }
        let needed = Set(lists.values.joined())
        layers = layers.filter { needed.contains($0.key) }
    }

    private mutating func add(_ lists: [ViewID: [LayerID]], after previous: Publication) {
        for (view, list) in lists {
            let list = list.filter { layers[$0]?.isEmpty == false }
            self.lists[view] = list
            if made[list] != nil { continue }
            made[list] = Snapshot(
                revision: revision, owner: owner, layers: list.compactMap { layers[$0] },
                after: previous.snapshot(of: view))
        }
    }

    /// `nil`: of a view that it is not for.
    func snapshot(of view: ViewID) -> Snapshot? { lists[view].flatMap { made[$0] } }

    /// The snapshots of all views.
    var snapshots: [ViewID: Snapshot] { lists.compactMapValues { made[$0] } }

    /// Names that two layers of a list have, by type; of each only the first one's resource is served.
    var contested: [XDSServer.ResourceType: Set<String>] {
        made.values.reduce(into: [:]) { all, snapshot in
            for (type, names) in snapshot.contested { all[type, default: []].formUnion(names) }
        }
    }
}

extension Publication {
    /// The snapshot that a proxy would be served, made for it alone.
    static func snapshot(of view: ProxyView, in state: MeshState, listenerTTL: Duration?) -> Snapshot {
        var compiler = Compiler()
        var encoder = LayerEncoder(listenerTTL: listenerTTL)
        _ = encoder.update(compiler.update(state, .all), of: compiler)
        let lists = [view.id: view.layers]
        let publication = Publication(of: state, lists, encoder.layers(of: lists.values))
        return publication.snapshot(of: view.id) ?? Snapshot(revision: state.revision, [:])
    }
}
