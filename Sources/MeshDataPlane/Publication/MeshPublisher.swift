internal import EnvoyConfig
internal import Logging
internal import MeshCompiler
internal import MeshFeed
internal import MeshCore
internal import MeshModel
internal import XDSServer

/// Publishes one mesh: whoever compiles it is here, on a thread of its own, so that neither other meshes nor event loops wait for it.
/// What is published is in the ``SnapshotStore``, where event loops find it.
actor MeshPublisher {
    private var compiler = Compiler()
    private var encoder: LayerEncoder
    /// The publication that is served.
    private var publication = Publication.none
    /// The layers of each view that is wanted.
    private var lists: [ViewID: [LayerID]] = [:]
    private var isCompiled = false
    /// The names of which the log has said that they are in two layers.
    private var contested: [XDSServer.ResourceType: Set<String>] = [:]
    private let store: SnapshotStore
    private let logger: Logger
    private let willCompile: @Sendable (MeshKey) -> Void
    private let thread = OwnThread("sluice.publisher")

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.unowned }  // lint:allow

    /// - Parameters:
    ///   - store: where snapshots are published, and who knows which views are wanted.
    ///   - listenerTTL: how long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    ///   - willCompile: is called before each update; for tests.
    init(
        in store: SnapshotStore, listenerTTL: Duration?, logger: Logger,
        willCompile: @escaping @Sendable (MeshKey) -> Void = { _ in }
    ) {
        self.store = store
        self.logger = logger
        self.willCompile = willCompile
        encoder = LayerEncoder(listenerTTL: listenerTTL)
    }

    /// The way of a change, from what the mesh's objects say to what the streams of its proxies are told.
    func publish(_ update: MeshUpdate) {
        willCompile(update.state.mesh)
        // What the change touches is compiled, and what came out different is encoded.
        let compiled = compiler.update(update.state, isCompiled ? update.change : .all)
        let encoded = encoder.update(compiled, of: compiler)
        isCompiled = true
        // Layers are derived from those before, where the change is about them. The others are the same, which is quick to see: of
        // those, streams only hear that they are right at the newer revision, too.
        let layers = encoder.layers(of: lists.values, from: publication.layers, after: encoded)
        // All of them are swapped at once, and all who have a view get their snapshot.
        publication = Publication(of: update.state, lists, layers, after: publication)
        store.publish(publication.snapshots)
        report(update.state)
    }

    /// Takes note that views are wanted, or not any more; which of it, the store knows. Those that are get what is published.
    func attend(to changed: [ProxyView]) {
        // The store is asked now, as it may have changed its mind since: whoever asks last knows what is.
        var wanted: [ViewID: [LayerID]] = [:]
        for view in changed {
            let id = view.id
            if store.isWanted(id) { wanted[id] = view.layers } else { lists[id] = nil }
        }
        lists.merge(wanted) { $1 }
        if wanted.count < changed.count {
            publication.keep(only: lists)
            encoder.forget(except: publication.layers.keys)
        }
        // A mesh that is compiled for the first time is published to all of its views.
        guard isCompiled, !wanted.isEmpty else { return }
        publication.add(wanted, encoder.layers(of: wanted.values, from: publication.layers))
        let snapshots = wanted.keys.compactMap { view in publication.snapshot(of: view).map { (view, $0) } }
        store.publish(Dictionary(uniqueKeysWithValues: snapshots))
    }

    private func report(_ state: MeshState) {
        logger.debug(
            "published",
            metadata: ["mesh": "\(state.mesh)", "revision": "\(state.revision)", "views": "\(lists.count)"])
        let contested = publication.contested
        defer { self.contested = contested }
        for (type, names) in contested where self.contested[type] != names {
            logger.warning(
                "two layers of a proxy have resources of one name, and one of them is served",
                metadata: [
                    "mesh": "\(state.mesh)", "type": "\(type.abbreviation)", "names": "\(names.sorted().prefix(20))",
                ])
        }
    }

    /// The parts of objects that a client refuses, by the name of the resource; nothing of resources that it did not name.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        let served = publication.snapshot(of: view.id)?[refusal.type].version
        return encoder.sources(
            of: refusal, by: view, isCurrent: served != nil && served == refusal.refusedVersion, in: compiler)
    }
}
