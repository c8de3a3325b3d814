internal import EnvoyConfig
internal import Logging
internal import MeshControl
internal import MeshModel
internal import XDSServer

/// From the change feed to the streams: compiles the meshes that connected proxies belong to, and publishes what came out.
///
/// One task does all of it; others may ask what came out. It always works from the newest state: changes that come while it
/// compiles are one change when it looks again, and a stream that is slower than the publisher gets the newest snapshot
/// only. So it needs no hold-off to bound its work, and a single change is not held up.
///
/// A view stays for a while when its last proxy has gone: after a lost connection it comes back within seconds, with a
/// thousand others, and finds everything as it was.
actor ConfigPublisher {
    private let mirror: MeshMirror
    private let store: SnapshotStore
    private let listenerTTL: Duration?
    private let clock: any Clock<Duration>
    private let logger: Logger
    private var meshes: [MeshKey: MeshConfiguration] = [:]
    /// Views that no proxy has any more, and after how many ticks they are forgotten.
    private var leaving: [ViewID: Int] = [:]

    private static let tick = Duration.seconds(1)
    private static let patience = 30

    /// - Parameter listenerTTL: how long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    init(
        mirror: MeshMirror, store: SnapshotStore, listenerTTL: Duration? = nil, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.listenerTTL = listenerTTL
        self.mirror = mirror
        self.store = store
        self.logger = logger
        self.clock = clock
    }

    private enum Event: Sendable {
        case views
        case updates
        case tick
    }

    /// Publishes until the task is cancelled.
    func run() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.store.signals { continuation.yield(.views) }
            }
            group.addTask {
                for await _ in self.mirror.signals { continuation.yield(.updates) }
            }
            group.addTask {
                while true {
                    try await self.clock.sleep(for: Self.tick)
                    continuation.yield(.tick)
                }
            }
            group.addTask {
                for await event in events { await self.handle(event) }
            }
            try await group.waitForAll()
        }
    }

    private func handle(_ event: Event) async {
        switch event {
        case .views: await takeViews()
        case .updates:
            for update in mirror.takeUpdates() { publish(update) }
        case .tick:
            for (view, ticks) in leaving {
                if ticks > 1 { leaving[view] = ticks - 1 } else { forget(view) }
            }
            // Until it has been compiled once, and when it was deleted and may be there again.
            for mesh in meshes.keys where !mirror.isFollowing(mesh) { await follow(mesh) }
        }
    }

    private func takeViews() async {
        var snapshots: [ViewID: Snapshot] = [:]
        var new: [MeshKey] = []
        for event in store.takeEvents() {
            switch event {
            case .wanted(let id):
                guard let view = ProxyView(id) else { continue }
                leaving[id] = nil
                if meshes[view.mesh] == nil { new.append(view.mesh) }
                snapshots[id] = meshes[view.mesh, default: MeshConfiguration(listenerTTL: listenerTTL)]
                    .insert(view)
            case .dropped(let id):
                leaving[id] = Self.patience
                if let view = ProxyView(id) { meshes[view.mesh]?.rest(view) }
            }
        }
        store.publish(snapshots)
        for mesh in new { await follow(mesh) }
    }

    /// Whether the view is only kept for proxies that may come back.
    func isLeaving(_ view: ViewID) -> Bool { leaving[view] != nil }

    private func forget(_ id: ViewID) {
        leaving[id] = nil
        guard let view = ProxyView(id) else { return }
        meshes[view.mesh]?.remove(view)
        guard meshes[view.mesh]?.isEmpty == true else { return }
        meshes[view.mesh] = nil
        mirror.unfollow(view.mesh)
    }

    private func publish(_ update: MeshUpdate) {
        let mesh = update.state.mesh
        guard let snapshots = meshes[mesh]?.update(update), let configuration = meshes[mesh] else { return }
        store.publish(snapshots)
        logger.debug(
            "published",
            metadata: [
                "mesh": "\(mesh)", "revision": "\(update.state.revision)", "views": "\(snapshots.count)",
                "diagnostics": "\(configuration.diagnostics.count)",
            ])
    }

    /// Failing is no end: it is tried again with every tick.
    private func follow(_ mesh: MeshKey) async {
        do {
            try await mirror.follow(mesh)
        } catch {
            // Proxies of a mesh that was deleted may stay for long.
            let level: Logger.Level = meshes[mesh]?.revision == nil ? .warning : .debug
            logger.log(level: level, "cannot load a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
        }
    }

    /// What a type's refusal is about; see ``MeshConfiguration/sources(of:in:)``.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        meshes[view.mesh]?.sources(of: refusal, in: view) ?? [:]
    }
}
