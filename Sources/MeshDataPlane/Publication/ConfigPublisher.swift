internal import EnvoyConfig
internal import Logging
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import XDSServer

/// From the change feed to the streams: compiles the meshes that connected proxies belong to, and publishes what came out.
///
/// The actor does one thing after the other; others may ask what came out. It always works from the newest state: changes
/// that come while it compiles are one change when it looks again, and a stream that is slower than the publisher gets the
/// newest snapshot only.
///
/// A change is pushed at once, however it comes, and what follows waits (``Pace``). A hold-off before every push, as other
/// control planes have it, would delay the single change too, which is the usual case, and would have to be guessed; how long a
/// push takes can be measured.
///
/// A view stays for a while when its last proxy has gone: after a lost connection it comes back within seconds, with a
/// thousand others, and finds everything as it was.
actor ConfigPublisher {
    private let mirror: MeshMirror
    private let store: SnapshotStore
    private let configurations: MeshConfigurations
    private let clock: any Clock<Duration>
    private let logger: Logger
    /// Views that no proxy has any more, and after how many ticks they are forgotten.
    private var leaving: [ViewID: Int] = [:]
    private var pace = Pace.free
    /// Changes wait until the pace allows them.
    private(set) var isHeld = false
    private let isWritten: @Sendable () async -> Void

    /// What the last push still forbids. Pushes take at most half of the event loops' time as long as they take no more than
    /// ``maxRest``, so that the loops get to what clients say, and the API to the processor.
    private enum Pace {
        case free
        /// It is being written; streams would only take what is newer in its place. Everything waits.
        case writing
        /// It took as long as this takes. Only what is urgent goes on (``MeshChange/isUrgent``).
        case resting
    }

    private static let maxRest = Duration.milliseconds(100)

    /// Whether only what is urgent goes on.
    var isResting: Bool { pace == .resting }
    private static let tickInterval = Duration.seconds(1)
    private static let patience = 30

    /// - Parameters:
    ///   - configurations: the source of `store`'s snapshots.
    ///   - isWritten: returns when what was published is on its way; for tests.
    init(
        mirror: MeshMirror, store: SnapshotStore, configurations: MeshConfigurations, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(), isWritten: (@Sendable () async -> Void)? = nil
    ) {
        self.isWritten = isWritten ?? { await store.settle() }
        self.configurations = configurations
        self.mirror = mirror
        self.store = store
        self.logger = logger
        self.clock = clock
    }

    /// One element stands for any number of pushes.
    private let (pushes, push) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// Publishes until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.store.signals { await self.takeViews() }
            }
            group.addTask {
                for await _ in self.mirror.signals { await self.takeUpdates() }
            }
            group.addTask {
                while true {
                    try await self.clock.sleep(for: Self.tickInterval)
                    await self.tick()
                }
            }
            group.addTask {
                for await _ in self.pushes {
                    let time = await self.clock.measure { await self.isWritten() }
                    await self.rest()
                    try await self.clock.sleep(for: min(time, Self.maxRest))
                    await self.resume()
                }
            }
            try await group.waitForAll()
        }
    }

    private func takeUpdates() {
        isHeld = true
        goOn()
    }

    private func rest() {
        pace = .resting
        goOn()
    }

    private func resume() {
        // Unless something urgent has been pushed meanwhile.
        if pace == .resting { pace = .free }
        goOn()
    }

    private func tick() async {
        for (view, ticks) in leaving {
            if ticks > 1 { leaving[view] = ticks - 1 } else { forget(view) }
        }
        // Until it has been compiled once, and when it was deleted and may be there again.
        for mesh in configurations.meshes where !mirror.isFollowing(mesh) { await follow(mesh) }
    }

    private func goOn() {
        guard isHeld, pace == .free || (pace == .resting && mirror.hasUrgentUpdates) else { return }
        isHeld = false
        for update in mirror.takeUpdates() { publish(update) }
        pace = .writing
        push.yield()
    }

    private func takeViews() async {
        var snapshots: [ViewID: Snapshot] = [:]
        var new: Set<MeshKey> = []
        for event in store.takeEvents() {
            switch event {
            case .wanted(let id):
                guard let view = ProxyView(id) else { continue }
                let found = configurations.insert(view)
                snapshots[id] = found.snapshot
                if found.isFirst { new.insert(view.mesh) }
            case .dropped(let id):
                guard let view = ProxyView(id), configurations.rest(view, unless: store.isWanted) else { continue }
                leaving[id] = Self.patience
            }
        }
        store.publish(snapshots)
        for mesh in new { await follow(mesh) }
    }

    /// Whether the view is only kept for proxies that may come back.
    func isLeaving(_ view: ViewID) -> Bool { leaving[view] != nil && !store.isWanted(view) }

    private func forget(_ id: ViewID) {
        leaving[id] = nil
        guard let view = ProxyView(id) else { return }
        if configurations.remove(view, unless: store.isWanted) { mirror.unfollow(view.mesh) }
    }

    private func publish(_ update: MeshUpdate) {
        guard let snapshots = configurations.update(update) else { return }
        store.publish(snapshots)
        logger.debug(
            "published",
            metadata: [
                "mesh": "\(update.state.mesh)", "revision": "\(update.state.revision)", "views": "\(snapshots.count)",
            ])
    }

    /// Failing is no end: it is tried again with every tick.
    private func follow(_ mesh: MeshKey) async {
        do {
            try await mirror.follow(mesh)
        } catch {
            // Proxies of a mesh that was deleted may stay for long.
            let level: Logger.Level = configurations.isCompiled(mesh) ? .debug : .warning
            logger.log(level: level, "cannot load a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
        }
    }

    /// What a type's refusal is about; see ``MeshConfiguration/sources(of:in:)``.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        configurations.sources(of: refusal, by: view)
    }
}
