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
actor ConfigPublisher {
    private let mirror: MeshMirror
    private let store: SnapshotStore
    private let admission: ProxyAdmission
    private let logger: Logger
    private var meshes: [MeshKey: MeshConfiguration] = [:]

    init(mirror: MeshMirror, store: SnapshotStore, admission: ProxyAdmission, logger: Logger) {
        self.mirror = mirror
        self.store = store
        self.admission = admission
        self.logger = logger
    }

    private enum Event: Sendable {
        case view(SnapshotStore.Event)
        case updates
        case retry
    }

    /// Publishes until the task is cancelled.
    func run() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in self.store.events { continuation.yield(.view(event)) }
            }
            group.addTask {
                for await _ in self.mirror.signals { continuation.yield(.updates) }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    continuation.yield(.retry)
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
        case .view(.wanted(let id)):
            guard let view = admission.view(id) else { return }
            let isNew = meshes[view.mesh] == nil
            let snapshot = meshes[view.mesh, default: MeshConfiguration()].insert(view)
            if let snapshot { store.publish([id: snapshot]) }
            if isNew { await follow(view.mesh) }
        case .view(.dropped(let id)):
            guard let view = admission.view(id), !store.wantedViews.contains(id) else { return }
            admission.forget(id)
            meshes[view.mesh]?.remove(id)
            guard meshes[view.mesh]?.isEmpty == true else { return }
            meshes[view.mesh] = nil
            mirror.unfollow(view.mesh)
        case .updates:
            for update in mirror.takeUpdates() { publish(update) }
        case .retry:
            for (mesh, configuration) in meshes where configuration.revision == nil { await follow(mesh) }
        }
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

    /// Failing is no end: it is tried again every second until the mesh has been compiled once.
    private func follow(_ mesh: MeshKey) async {
        do {
            try await mirror.follow(mesh)
        } catch {
            logger.warning("cannot load a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
        }
    }

    /// What a type's refusal is about; see ``MeshConfiguration/sources(of:in:)``.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        meshes[view.mesh]?.sources(of: refusal, in: view) ?? [:]
    }
}
