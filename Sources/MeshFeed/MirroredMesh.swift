internal import MeshCore
internal import MeshModel

/// The state of a mesh, and what of its changes nobody has taken yet.
struct MirroredMesh {
    private(set) var state: MeshState
    /// Whether somebody takes updates. The first of them has the whole state.
    private(set) var isFollowed = false
    /// When somebody last asked for the state; what nobody follows or asks for is forgotten.
    private(set) var lastUse = ContinuousClock.now
    /// The changes since the last update that was taken; kept for followed meshes only.
    private var pending = MeshChange.all
    /// The revision of that update. A revision that changed nothing is an update too: whoever waits until proxies have it must
    /// hear of it.
    private var taken: Revision?

    init(_ state: MeshState) { self.state = state }

    mutating func use() -> MeshState {
        lastUse = .now
        return state
    }

    /// Whether nobody has had a use for it since an instant.
    func isUnused(since instant: ContinuousClock.Instant) -> Bool { !isFollowed && lastUse < instant }

    mutating func apply(_ inputs: [ObjectInput], deleted: [ObjectKey], reaching revision: Revision) {
        pending.merge(state.apply(inputs, deleted: deleted))
        state.revision = revision
    }

    mutating func replace(by state: MeshState) {
        // The revisions of another mesh say nothing about this one's.
        if self.state.life != state.life { taken = nil }
        self.state = state
        pending.merge(.all)
    }

    // MARK: Updates

    mutating func follow() {
        guard !isFollowed else { return }
        isFollowed = true
        pending = .all
        taken = nil
    }

    mutating func unfollow() { isFollowed = false }

    private var hasUpdate: Bool { isFollowed && taken != state.revision }

    /// Whether there is an update that is waited for.
    var hasUrgentUpdate: Bool { hasUpdate && (taken == nil || pending.isUrgent) }

    /// - Returns: `nil` if the state is of the same revision as at the last time, or nobody follows the mesh.
    mutating func takeUpdate() -> MeshUpdate? {
        guard hasUpdate else { return nil }
        defer {
            pending = MeshChange()
            taken = state.revision
        }
        return MeshUpdate(state: state, change: pending)
    }
}
