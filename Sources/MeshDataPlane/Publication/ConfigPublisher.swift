internal import Logging
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import XDSServer

/// Decides what is published when: hands changes of the meshes that connected proxies belong to to the publishers of those
/// (``MeshPublisher/publish(_:)``), and tells these which views are wanted.
///
/// The actor only hands over; meshes are compiled beside each other. It always goes on with the newest state: changes that come
/// while a mesh is compiled are one change when it is looked at again, and a stream that is slower than the publisher gets the
/// newest snapshot only.
///
/// A change is pushed at once, however it comes, and what follows waits (``PublishSchedule``). A hold-off before every push, as other
/// control planes have it, would delay the single change too, which is the usual case, and would have to be guessed; how long a
/// push takes can be measured.
///
/// Which views there are is the store's to say (``SnapshotStore``). A mesh is followed for as long as it has one.
actor ConfigPublisher {
    private let mirror: MeshMirror
    private let store: SnapshotStore
    private let meshes: MeshPublishers
    private let listenerTTL: Duration?
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let awaitWritten: @Sendable () async -> Void
    private let willCompile: @Sendable (MeshKey) -> Void

    /// The wanted views of the meshes that have a publisher.
    private var views: [MeshKey: Set<ViewID>] = [:]
    /// How many jobs the publishers of meshes have yet to do.
    private var pending: [MeshKey: Int] = [:]
    private(set) var schedule = PublishSchedule()
    /// Meshes that are being loaded, or will be.
    private var loading: Set<MeshKey> = []
    /// Meshes that have been published.
    private var published: Set<MeshKey> = []

    private static let tickInterval = Duration.seconds(1)

    /// - Parameters:
    ///   - listenerTTL: how long sidecars that hear from no server go on with their listeners; `nil`: for ever.
    ///   - awaitWritten: returns when what was published is on its way; for tests.
    ///   - willCompile: is called before a mesh is compiled, on the thread that does; for tests.
    init(
        mirror: MeshMirror, store: SnapshotStore, meshes: MeshPublishers, listenerTTL: Duration? = nil, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(), awaitWritten: (@Sendable () async -> Void)? = nil,
        willCompile: @escaping @Sendable (MeshKey) -> Void = { _ in }
    ) {
        self.awaitWritten = awaitWritten ?? { await store.awaitDelivered() }
        self.willCompile = willCompile
        self.meshes = meshes
        self.listenerTTL = listenerTTL
        self.mirror = mirror
        self.store = store
        self.logger = logger
        self.clock = clock
    }

    /// One element stands for any number of pushes.
    private let (pushes, pushContinuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let (meshesToLoad, loadContinuation) = AsyncStream.makeStream(of: MeshKey.self)
    private let (jobs, jobContinuation) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)

    /// Publishes until the task is cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await _ in self.store.signals { await self.takeViews() }
            }
            group.addTask {
                for await _ in self.mirror.signals { await self.advance { $0.changed() } }
            }
            group.addTask {
                for await mesh in self.meshesToLoad { await self.load(mesh) }
            }
            group.addTask {
                while true {
                    try await self.clock.sleep(for: Self.tickInterval)
                    await self.tick()
                }
            }
            group.addTask {
                for await _ in self.pushes {
                    let time = await self.clock.measure { await self.settlePushes() }
                    await self.advance { $0.written() }
                    try await self.clock.sleep(for: DutyCycle.pushes.pause(after: time))
                    await self.advance { $0.rested() }
                }
            }
            for await job in jobs { group.addTask { await job() } }
        }
    }

    // MARK: Changes

    /// Has the schedule know what happened, and compiles what is due then.
    private func advance(_ event: @Sendable (inout PublishSchedule) -> Void) {
        event(&schedule)
        for update in schedule.due(isUrgent: mirror.hasUrgentUpdates, take: mirror.takeUpdates) { publish(update) }
    }

    private func publish(_ update: MeshUpdate) {
        let mesh = update.state.mesh
        // Nobody wants it any more if there is none; who comes later has it loaded anew.
        guard let publisher = meshes[mesh] else {
            schedule.skipped(mesh)
            mirror.unfollow(mesh)
            return
        }
        hand(to: publisher, of: mesh) { publisher in
            await publisher.publish(update)
            await self.compiled(mesh)
        }
    }

    private func compiled(_ mesh: MeshKey) {
        published.insert(mesh)
        schedule.compiled(mesh)
        pushContinuation.yield()
    }

    private func hand(
        to publisher: MeshPublisher, of mesh: MeshKey, _ work: @escaping @Sendable (MeshPublisher) async -> Void
    ) {
        pending[mesh, default: 0] += 1
        jobContinuation.yield {
            await work(publisher)
            await self.done(mesh)
        }
    }

    private func done(_ mesh: MeshKey) {
        let rest = (pending[mesh] ?? 1) - 1
        pending[mesh] = rest > 0 ? rest : nil
    }

    /// Returns when all that was pushed is on its way, also what was while it waited.
    private func settlePushes() async {
        var count: Int
        repeat {
            count = schedule.pushes
            await awaitWritten()
        } while schedule.pushes != count
    }

    // MARK: Views

    private func takeViews() {
        var changed: [MeshKey: [ProxyView]] = [:]
        for event in store.takeEvents() {
            switch event {
            case .wanted(let id):
                guard let view = ProxyView(id) else { continue }
                views[view.mesh, default: []].insert(id)
                changed[view.mesh, default: []].append(view)
            case .dropped(let id):
                guard let view = ProxyView(id), views[view.mesh]?.remove(id) != nil else { continue }
                changed[view.mesh, default: []].append(view)
            }
        }
        for (mesh, views) in changed {
            hand(to: publisher(of: mesh), of: mesh) { await $0.attend(to: views) }
        }
    }

    private func publisher(of mesh: MeshKey) -> MeshPublisher {
        if let known = meshes[mesh] { return known }
        let new = MeshPublisher(in: store, listenerTTL: listenerTTL, logger: logger, willCompile: willCompile)
        meshes[mesh] = new
        loadSoon(mesh)
        return new
    }

    private func tick() {
        store.tick()
        for (mesh, views) in views {
            // Nobody is there any more. What its publisher is about to do comes first, so that there is never another beside it.
            if views.isEmpty && pending[mesh] == nil {
                forget(mesh)
            }
            // Until it has been compiled once, and when it was deleted and may be there again.
            else if !mirror.isFollowing(mesh) {
                loadSoon(mesh)
            }
        }
    }

    private func forget(_ mesh: MeshKey) {
        (meshes[mesh], views[mesh]) = (nil, nil)
        schedule.forget(mesh)
        published.remove(mesh)
        mirror.unfollow(mesh)
    }

    // MARK: Meshes

    private func loadSoon(_ mesh: MeshKey) {
        if loading.insert(mesh).inserted { loadContinuation.yield(mesh) }
    }

    /// Failing is no end: it is tried again with every tick.
    private func load(_ mesh: MeshKey) async {
        do {
            try await mirror.follow(mesh)
        } catch {
            // Proxies of a mesh that was deleted may stay for long.
            let level: Logger.Level = published.contains(mesh) ? .debug : .warning
            logger.log(level: level, "cannot load a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
        }
        loading.remove(mesh)
        // Its last view has gone meanwhile.
        if meshes[mesh] == nil { mirror.unfollow(mesh) }
    }
}
