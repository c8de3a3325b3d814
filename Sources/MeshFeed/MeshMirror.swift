package import Logging
package import MeshCore
package import MeshModel
package import MeshStore
internal import Synchronization

/// A mesh as of its newest known revision, and what changed since the last look.
package struct MeshUpdate: Sendable {
    package var state: MeshState
    package var change: MeshChange

    package init(state: MeshState, change: MeshChange) {
        self.state = state
        self.change = change
    }
}

/// Keeps the state of meshes in memory and follows the change feed of each.
///
/// A signal (or, if it got lost, a timer) only says that there may be something new; what it is always comes from the
/// database, from the revision that is known. So a lost signal costs time and nothing else.
package final class MeshMirror: Sendable {
    private struct Entry {
        var state: MeshState
        /// What the subscriber has not taken yet; kept for followed meshes only.
        var pending = MeshChange.all
        /// The revision of the last update that the subscriber took. A revision that changed nothing is an update too:
        /// whoever waits until proxies have it must hear of it.
        var taken: Revision?
        var isFollowed = false
        /// When somebody last asked for the state; what nobody follows or asks for is forgotten.
        var lastUse = ContinuousClock.now
    }

    private static let forgetAfter = Duration.seconds(60)
    private static let feedPage = 1000

    private let store: MeshStore
    private let logger: Logger
    private let entries = Mutex<[MeshKey: Entry]>([:])
    private let signal: AsyncStream<Void>.Continuation
    /// Yields when ``takeUpdates()`` has something; one element stands for any number of updates.
    package let signals: AsyncStream<Void>

    package init(store: MeshStore, logger: Logger) {
        self.store = store
        self.logger = logger
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The state of a mesh at `revision` or later; at what the database has now, if that is less.
    ///
    /// - Throws: ``StoreError``; ``StoreError/notFound`` if there is no such mesh.
    package func state(of mesh: MeshKey, atLeast revision: Revision) async throws -> MeshState {
        if let state = use(mesh), state.revision >= revision { return state }
        return try await refresh(mesh, until: revision)
    }

    /// Which of the meshes that had this name is known here; `nil`: nobody has asked for it lately, or it is gone. Quick: for
    /// event loops.
    package func life(of mesh: MeshKey) -> MeshLife? { entries.withLock { $0[mesh]?.state.life } }

    private func use(_ mesh: MeshKey) -> MeshState? {
        entries.withLock { entries in
            entries[mesh]?.lastUse = .now
            return entries[mesh]?.state
        }
    }

    /// Makes the mesh's updates appear in ``takeUpdates()``, the first of them with the whole state.
    ///
    /// - Throws: as ``state(of:atLeast:)``.
    package func follow(_ mesh: MeshKey) async throws {
        _ = try await refresh(mesh)
        entries.withLock { entries in
            guard entries[mesh]?.isFollowed == false else { return }
            entries[mesh]?.isFollowed = true
            entries[mesh]?.pending = .all
            entries[mesh]?.taken = nil
        }
        signal.yield()
    }

    /// Whether the mesh is followed. It no longer is when it was deleted.
    package func isFollowing(_ mesh: MeshKey) -> Bool { entries.withLock { $0[mesh]?.isFollowed ?? false } }

    package func unfollow(_ mesh: MeshKey) {
        entries.withLock { $0[mesh]?.isFollowed = false }
    }

    /// Whether ``takeUpdates()`` has something that is waited for.
    package var hasUrgentUpdates: Bool {
        entries.withLock { entries in
            entries.values.contains {
                $0.isFollowed && $0.taken != $0.state.revision && ($0.taken == nil || $0.pending.isUrgent)
            }
        }
    }

    /// Every followed mesh that has another revision than at the last call, with all changes since merged.
    package func takeUpdates() -> [MeshUpdate] {
        entries.withLock { entries in
            var updates: [MeshUpdate] = []
            for (mesh, entry) in entries where entry.isFollowed && entry.taken != entry.state.revision {
                updates.append(MeshUpdate(state: entry.state, change: entry.pending))
                entries[mesh]?.pending = MeshChange()
                entries[mesh]?.taken = entry.state.revision
            }
            return updates
        }
    }
}

extension MeshMirror {
    /// Follows the feed until the task is cancelled.
    ///
    /// - Parameters:
    ///   - changes: what the database says; see ``ChangeSignals``.
    ///   - interval: how often to look without being told, for the case that a signal was lost.
    package func run(changes: AsyncStream<ChangeSignals.Signal>, interval: Duration = .seconds(10)) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await change in changes {
                    switch change {
                    case .changed(let mesh): await self.lookAt([mesh])
                    case .anything: await self.lookAt(self.known)
                    case .release, .conditions: break
                    }
                }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: interval)
                    self.forgetUnused()
                    await self.lookAt(self.known)
                }
            }
            try await group.waitForAll()
        }
    }

    private var known: [MeshKey] { entries.withLock { Array($0.keys) } }

    private func lookAt(_ meshes: [MeshKey]) async {
        for mesh in meshes where entries.withLock({ $0[mesh] != nil }) {
            do {
                _ = try await refresh(mesh)
            } catch StoreError.notFound {
                // The tenant is gone; its proxies are told by their token.
                entries.withLock { $0[mesh] = nil }
            } catch {
                logger.warning("cannot follow a mesh", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
            }
        }
    }

    private func forgetUnused() {
        let limit = ContinuousClock.now - Self.forgetAfter
        entries.withLock { $0 = $0.filter { $0.value.isFollowed || $0.value.lastUse > limit } }
    }

    /// Brings the mesh up to date with the database.
    ///
    /// No lock is held while the database is read. Two refreshes may overlap: the one that comes second finds that the
    /// state is no longer what it began with, and begins again from there.
    ///
    /// - Parameter revision: what is enough; by default all that there is.
    private func refresh(_ mesh: MeshKey, until revision: Revision = .max) async throws -> MeshState {
        while true {
            // Its revision only: a state that nobody else holds is changed in place, however large it is.
            guard let (known, life) = use(mesh).map({ ($0.revision, $0.life) }) else {
                // What was written meanwhile nobody told us: only of meshes that are here signals are heeded. So it is
                // looked for once more.
                _ = install(try await load(mesh), replacing: nil)
                continue
            }
            let feed = try await store.changes(mesh, of: life, after: known, limit: Self.feedPage)
            if feed.compacted {
                if let state = install(try await load(mesh), replacing: known) { return state }
                continue
            }
            guard feed.revision > known else {
                if let state = use(mesh) { return state }
                continue
            }
            let inputs = feed.changed.inputs(for: mesh)
            report(inputs)
            guard let state = apply(inputs, deleted: feed.deleted, of: mesh, from: known, to: feed.revision) else {
                continue
            }
            // Of what is written from now on a signal will tell.
            if feed.isComplete || state.revision >= revision { return state }
        }
    }

    private func load(_ mesh: MeshKey) async throws -> MeshState {
        let stored = try await store.loadMesh(mesh)
        var state = MeshState(mesh: mesh, revision: stored.revision)
        state.life = stored.life
        let inputs = (stored.clusters + stored.objects).inputs(for: mesh)
        report(inputs)
        _ = state.apply(inputs)
        return state
    }

    /// - Parameter revision: what the mesh must still be at (`nil`: unknown).
    /// - Returns: the state, or `nil` if it was not installed.
    private func install(_ state: MeshState, replacing revision: Revision?) -> MeshState? {
        update(state.mesh, at: revision) { entry in
            entry = entry ?? Entry(state: state)
            // The revisions of another mesh say nothing about this one's.
            if entry?.state.life != state.life { entry?.taken = nil }
            entry?.state = state
            entry?.pending.merge(.all)
        }
    }

    /// - Returns: the state at `newer`, unless it was no longer at `known`; then it is as it was.
    private func apply(
        _ inputs: [ObjectInput], deleted: [ObjectKey], of mesh: MeshKey, from known: Revision, to newer: Revision
    ) -> MeshState? {
        update(mesh, at: known) { entry in
            if let change = entry?.state.apply(inputs, deleted: deleted) { entry?.pending.merge(change) }
            entry?.state.revision = newer
        }
    }

    /// Updates a mesh and tells of it.
    ///
    /// - Parameter revision: only if it is at this one (`nil`: if it is unknown).
    /// - Returns: what came of it, or `nil` if it was not updated.
    private func update(_ mesh: MeshKey, at revision: Revision?, _ body: (inout Entry?) -> Void) -> MeshState? {
        let updated = entries.withLock { entries -> Entry? in
            guard entries[mesh]?.state.revision == revision else { return nil }
            body(&entries[mesh])
            return entries[mesh]
        }
        if updated?.isFollowed == true { signal.yield() }
        return updated?.state
    }

    private func report(_ inputs: [ObjectInput]) {
        for input in inputs where !input.isReadable {
            logger.error(
                "a stored object cannot be read; what it was before stays", metadata: ["object": "\(input.key)"])
        }
    }
}
