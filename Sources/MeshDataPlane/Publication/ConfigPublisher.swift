internal import Logging
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import XDSServer

/// Decides what is published when: hands changes of the meshes that connected proxies belong to to the publishers of those
/// (``MeshPublisher/publish(_:)``), and looks after which views there are.
///
/// The actor only hands over; meshes are compiled beside each other. It always goes on with the newest state: changes that come
/// while a mesh is compiled are one change when it is looked at again, and a stream that is slower than the publisher gets the
/// newest snapshot only.
///
/// A change is pushed at once, however it comes, and what follows waits (``PushPace``). A hold-off before every push, as other
/// control planes have it, would delay the single change too, which is the usual case, and would have to be guessed; how long a
/// push takes can be measured.
///
/// A view stays for a while when its last proxy has gone: after a lost connection it comes back within seconds, with a
/// thousand others, and finds everything as it was.
actor ConfigPublisher {
    private let mirror: MeshMirror
    private let store: SnapshotStore
    private let meshes: MeshPublishers
    private let clock: any Clock<Duration>
    private let logger: Logger
    private let isWritten: @Sendable () async -> Void
    private let willCompile: @Sendable (MeshKey) -> Void

    /// Views that no proxy has any more, and after how many ticks they are forgotten.
    private var leaving: [ViewID: Int] = [:]
    private var pace = PushPace()
    /// The mirror has something.
    private var hasUpdates = false
    /// What was taken from the mirror and waits, for the pace or for its mesh.
    private var waiting: [MeshKey: MeshUpdate] = [:]
    /// Meshes that are being compiled.
    private var busy: Set<MeshKey> = []
    /// Meshes that are being loaded, or will be.
    private var loading: Set<MeshKey> = []

    private static let tickInterval = Duration.seconds(1)
    private static let patience = 30

    /// - Parameters:
    ///   - meshes: the source of `store`'s snapshots.
    ///   - isWritten: returns when what was published is on its way; for tests.
    ///   - willCompile: is called before a mesh is compiled, on the thread that does; for tests.
    init(
        mirror: MeshMirror, store: SnapshotStore, meshes: MeshPublishers, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(), isWritten: (@Sendable () async -> Void)? = nil,
        willCompile: @escaping @Sendable (MeshKey) -> Void = { _ in }
    ) {
        self.isWritten = isWritten ?? { await store.settle() }
        self.willCompile = willCompile
        self.meshes = meshes
        self.mirror = mirror
        self.store = store
        self.logger = logger
        self.clock = clock
    }

    /// One element stands for any number of pushes.
    private let (pushes, push) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let (loads, load) = AsyncStream.makeStream(of: MeshKey.self)
    /// What the publishers of meshes have to do.
    private let (jobs, job) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)

    /// Publishes until the task is cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                for await _ in self.store.signals { await self.takeViews() }
            }
            group.addTask {
                for await _ in self.mirror.signals { await self.takeUpdates() }
            }
            group.addTask {
                for await mesh in self.loads { await self.follow(mesh) }
            }
            group.addTask {
                while true {
                    try await self.clock.sleep(for: Self.tickInterval)
                    await self.tick()
                }
            }
            group.addTask {
                for await _ in self.pushes {
                    let time = await self.clock.measure { await self.write() }
                    await self.rest()
                    try await self.clock.sleep(for: min(time, PushPace.maxRest))
                    await self.resume()
                }
            }
            for await job in jobs { group.addTask { await job() } }
        }
    }

    // MARK: Changes

    /// Something waits for the pace, or for the mesh that it is of.
    var isHeld: Bool { hasUpdates || !waiting.isEmpty }

    /// Whether only what is urgent goes on.
    var isResting: Bool { pace.isResting }

    private func takeUpdates() {
        hasUpdates = true
        goOn()
    }

    private var isUrgent: Bool { mirror.hasUrgentUpdates || waiting.values.contains(where: \.change.isUrgent) }

    private func goOn() {
        guard isHeld, pace.isFree || (pace.isResting && isUrgent) else { return }
        hasUpdates = false
        for update in mirror.takeUpdates() {
            waiting[update.state.mesh] = waiting[update.state.mesh]?.followed(by: update) ?? update
        }
        for (mesh, update) in waiting where !busy.contains(mesh) {
            waiting[mesh] = nil
            // Nobody wants it any more if there is none.
            guard let publisher = meshes[mesh] else { continue }
            busy.insert(mesh)
            job.yield {
                await publisher.publish(update)
                await self.published(mesh)
            }
        }
    }

    private func published(_ mesh: MeshKey) {
        busy.remove(mesh)
        pace.pushed()
        push.yield()
    }

    /// Returns when all that was pushed is on its way, also what was while it waited.
    private func write() async {
        var count: Int
        repeat {
            count = pace.count
            await isWritten()
        } while pace.count != count
    }

    private func rest() {
        pace.written()
        goOn()
    }

    private func resume() {
        pace.rested()
        goOn()
    }

    // MARK: Views

    private func takeViews() {
        var incomplete: [MeshKey: [ProxyView]] = [:]
        for event in store.takeEvents() {
            switch event {
            case .wanted(let id):
                guard let view = ProxyView(id) else { continue }
                publisher(of: view.mesh).published.note(view)
                incomplete[view.mesh, default: []].append(view)
            case .dropped(let id):
                guard let view = ProxyView(id),
                    meshes[view.mesh]?.published.rest(view, unless: store.isWanted) == true
                else { continue }
                leaving[id] = Self.patience
            }
        }
        for (mesh, views) in incomplete {
            let publisher = publisher(of: mesh)
            job.yield { await publisher.serve(views) }
        }
    }

    private func publisher(of mesh: MeshKey) -> MeshPublisher {
        if let known = meshes[mesh] { return known }
        let published = PublishedMesh(listenerTTL: meshes.listenerTTL)
        let new = MeshPublisher(published, in: store, logger: logger, willCompile: willCompile)
        meshes[mesh] = new
        loadSoon(mesh)
        return new
    }

    /// Whether the view is only kept for proxies that may come back.
    func isLeaving(_ view: ViewID) -> Bool { leaving[view] != nil && !store.isWanted(view) }

    private func tick() {
        for (view, ticks) in leaving {
            if ticks > 1 { leaving[view] = ticks - 1 } else { forget(view) }
        }
        // Until it has been compiled once, and when it was deleted and may be there again.
        for mesh in meshes.meshes where !mirror.isFollowing(mesh) { loadSoon(mesh) }
    }

    private func forget(_ id: ViewID) {
        leaving[id] = nil
        guard let view = ProxyView(id), let publisher = meshes[view.mesh] else { return }
        guard publisher.published.remove(view, unless: store.isWanted) else { return }
        meshes[view.mesh] = nil
        mirror.unfollow(view.mesh)
    }

    // MARK: Meshes

    private func loadSoon(_ mesh: MeshKey) {
        if loading.insert(mesh).inserted { load.yield(mesh) }
    }

    /// Failing is no end: it is tried again with every tick.
    private func follow(_ mesh: MeshKey) async {
        do {
            try await mirror.follow(mesh)
        } catch {
            // Proxies of a mesh that was deleted may stay for long.
            let level: Logger.Level = meshes[mesh]?.published.isCompiled == true ? .debug : .warning
            logger.log(level: level, "cannot load a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
        }
        loading.remove(mesh)
        // Its last view has gone meanwhile.
        if meshes[mesh] == nil { mirror.unfollow(mesh) }
    }
}

extension MeshUpdate {
    /// Both as one.
    fileprivate func followed(by newer: MeshUpdate) -> MeshUpdate {
        var both = newer
        both.change.merge(change)
        return both
    }
}
