internal import EnvoyConfig
internal import Logging
internal import MeshCompiler
internal import MeshFeed
internal import MeshCore
internal import MeshModel
internal import XDSServer

/// Publishes one mesh: whoever compiles it is here, and whatever takes long is done here, so that neither other meshes nor event
/// loops wait for it.
actor MeshPublisher {
    /// What is served, for all threads.
    nonisolated let published: PublishedMesh
    private var compiler = Compiler()
    private let store: SnapshotStore
    private let logger: Logger
    private let willCompile: @Sendable (MeshKey) -> Void
    private let thread = OwnThread("sluice.publisher")

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.unowned }  // lint:allow

    /// - Parameters:
    ///   - store: where snapshots are published.
    ///   - willCompile: is called before each update; for tests.
    init(
        _ published: PublishedMesh, in store: SnapshotStore, logger: Logger,
        willCompile: @escaping @Sendable (MeshKey) -> Void = { _ in }
    ) {
        self.published = published
        self.store = store
        self.logger = logger
        self.willCompile = willCompile
    }

    /// The way of a change, from what the mesh's objects say to what the streams of its proxies are told.
    ///
    /// Where nothing changed, snapshots share all their sets with the ones before, and only say that those are right at the newer
    /// revision too.
    func publish(_ update: MeshUpdate) {
        willCompile(update.state.mesh)
        // What the change touches is compiled, and what came out different is encoded.
        let compiled = compiler.update(update.state, published.isCompiled ? update.change : .all)
        guard var loan = published.borrow() else { return }
        let change = loan.encoder.update(compiled, of: compiler)
        // The sets of layers are derived from those before: of what proxies have in common, and of what single ones have.
        let stacks = loan.content.stacks
        let layers = loan.encoder.layers(of: stacks, from: loan.content.publication.layers, after: change)
        let own = loan.encoder.ownLayers(of: loan.content.all, after: change)
        // All of it is swapped at once, and all who have a view get their snapshot.
        let publication = Publication(of: update.state, stacks, layers, after: loan.content.publication)
        let snapshots = published.publish(publication, own, returning: loan.encoder).snapshots
        store.publish(snapshots)
        logger.debug(
            "published",
            metadata: [
                "mesh": "\(update.state.mesh)", "revision": "\(update.state.revision)", "views": "\(snapshots.count)",
            ])
    }

    /// Publishes to views of which something has to be made first.
    func serve(_ views: [ProxyView]) {
        // A mesh that is compiled for the first time is published to all of its views.
        guard published.isCompiled, let loan = published.borrow() else { return }
        let before = loan.content.publication
        let missing = Set(views.map(\.commonLayers)).filter { !before.has($0) }
        let publication = before.adding(missing, loan.encoder.layers(of: missing, from: before.layers))
        let own = loan.encoder.ownLayers(of: views.compactMap { loan.content[$0] })
        let content = published.publish(publication, own, returning: loan.encoder)
        let snapshots = views.compactMap { view in content.snapshot(of: view).map { (view.id, $0) } }
        store.publish(Dictionary(snapshots, uniquingKeysWith: { first, _ in first }))
    }

    /// The parts of objects that a client refuses, by the name of the resource; nothing of resources that it did not name.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        let (content, encoder) = published.current
        let served = content.snapshot(of: view)?[refusal.type].version
        return encoder?.sources(
            of: refusal, by: view, isCurrent: served != nil && served == refusal.refusedVersion, in: compiler) ?? [:]
    }
}
