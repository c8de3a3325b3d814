package import MeshCore
package import MeshModel
internal import MeshStore
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

/// The states of meshes in memory, which a ``FeedReader`` keeps up to date from when somebody first asks for one.
///
/// A mesh that nobody follows, and of which nobody has asked for a minute, is forgotten.
package struct MeshMirror: Sendable {
    static let forgetAfter = Duration.seconds(60)

    let reader: FeedReader

    /// Yields when ``takeUpdates()`` has something; for one consumer. One element stands for any number of updates.
    package var signals: AsyncStream<Void> { reader.updates }

    /// The state of a mesh at `revision` or later; at what the database has now, if that is less.
    ///
    /// - Throws: ``StoreError``; ``StoreError/notFound`` if there is no such mesh.
    package func state(of mesh: MeshKey, atLeast revision: Revision) async throws -> MeshState {
        if let state = use(mesh), state.revision >= revision { return state }
        return try await refresh(mesh, until: revision)
    }

    /// Which of the meshes that had this name is known here; `nil`: nobody has asked for it lately, or it is gone. Quick: for
    /// event loops.
    package func life(of mesh: MeshKey) -> MeshLife? {
        reader.feeds.withLock { $0[Feed(mesh)]?.mirrored?.state.life }
    }

    /// Makes the mesh's updates appear in ``takeUpdates()``, the first of them with the whole state.
    ///
    /// - Throws: as ``state(of:atLeast:)``.
    package func follow(_ mesh: MeshKey) async throws {
        _ = try await refresh(mesh)
        _ = reader.change(Feed(mesh)) { followed in
            followed?.mirrored?.follow()
            return true
        }
    }

    /// Whether the mesh is followed. It no longer is when it was deleted.
    package func isFollowing(_ mesh: MeshKey) -> Bool {
        reader.feeds.withLock { $0[Feed(mesh)]?.mirrored?.isFollowed ?? false }
    }

    package func unfollow(_ mesh: MeshKey) {
        reader.feeds.withLock { $0[Feed(mesh)]?.mirrored?.unfollow() }
    }

    /// Whether ``takeUpdates()`` has something that is waited for.
    package var hasUrgentUpdates: Bool {
        reader.feeds.withLock { $0.values.contains { $0.mirrored?.hasUrgentUpdate ?? false } }
    }

    /// Every followed mesh that has another revision than at the last call, with all changes since merged.
    package func takeUpdates() -> [MeshUpdate] {
        reader.feeds.withLock { feeds in Array(feeds.keys).compactMap { feeds[$0]?.mirrored?.takeUpdate() } }
    }

    /// Brings the mesh up to date with the database, or as far as `revision`.
    private func refresh(_ mesh: MeshKey, until revision: Revision = .max) async throws -> MeshState {
        while true {
            if use(mesh) == nil { try await reader.startMirroring(mesh) }
            try await reader.read(Feed(mesh), until: revision)
            if let state = use(mesh) { return state }
        }
    }

    private func use(_ mesh: MeshKey) -> MeshState? {
        reader.feeds.withLock { $0[Feed(mesh)]?.mirrored?.use() }
    }
}
