internal import EnvoyConfig
internal import HashTreeCollections
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
    /// The publication that is served; `nil`: the mesh has not been compiled.
    private var publication: Publication?
    /// The layers of each view that is wanted.
    private var lists: Publication.Lists = [:]
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
        let compiled = compiler.update(update.state, publication == nil ? .all : update.change)
        let encoded = encoder.update(compiled, of: compiler)
        // Layers are derived from those before, where the change is about them. The others are the same, which is quick to see: of
        // those, streams only hear that they are right at the newer revision, too.
        var layers = publication?.layers ?? Publication.Layers()
        encoder.derive(&layers, after: encoded)
        if publication == nil { encoder.add(lists.values.joined(), to: &layers) }
        // All of them are swapped at once, by one reference.
        let publication = Publication(of: update.state, lists, layers, after: publication)
        self.publication = publication
        store.publish(publication, as: update.state.mesh.description)
        logger.debug(
            "published",
            metadata: [
                "mesh": "\(update.state.mesh)", "revision": "\(update.state.revision)", "views": "\(lists.count)",
            ])
    }

    /// Takes note that views are wanted, or not any more; which of it, the store knows. Those that are get what is published.
    func attend(to changed: [ProxyView]) {
        var wanted: Set<ViewID> = []
        var needed: [LayerID] = []
        var left: [LayerID] = []
        // The store is asked now, as it may have changed its mind since: whoever asks last knows what is.
        for view in changed {
            let id = view.id
            if store.isWanted(id) {
                wanted.insert(id)
                needed += view.layers
                lists[id] = view.layers
            } else if let list = lists.removeValue(forKey: id) {
                left += list
            }
        }
        // A mesh that is compiled for the first time is published to all of its views.
        guard let before = publication, let source = changed.first?.id.source else { return }
        var layers = before.layers
        if !left.isEmpty {
            let kept = Set(lists.values.joined())
            for id in left where !kept.contains(id) {
                layers[id] = nil
                encoder.forget(id)
            }
        }
        encoder.add(needed, to: &layers)
        let publication = before.with(lists, layers)
        self.publication = publication
        store.publish(publication, as: source, to: wanted)
    }

    /// The parts of objects that a client refuses, by the name of the resource; nothing of resources that it did not name.
    func provenance(of refusal: TypeReport, by view: ProxyView) -> [String: [Provenance]] {
        let served = publication?.snapshot(of: view.id, after: nil)?[refusal.type].version
        return encoder.provenance(
            of: refusal, by: view, isCurrent: served != nil && served == refusal.refusedVersion, in: compiler)
    }
}
