internal import MeshCore
internal import MeshFeed
internal import MeshModel

/// Decides which updates of meshes are compiled when. No I/O, no clock: what happens goes in, ``due(isUrgent:take:)`` says what to do.
///
/// An update is due at once while nothing is being pushed. After a push everything waits until it is written, since streams
/// would only take what is newer in its place; and then for as long as that took, so that the event loops get to what clients say, and
/// the API to the processor (``DutyCycle/pushes``). Only what is urgent (``MeshChange/isUrgent``) does not wait for the second.
///
/// The pace is one for all meshes, because the event loops are: of two meshes that change all the time each waits for the other's
/// pushes, not for its compiler. A mesh is compiled once at a time, and what comes meanwhile is one update afterwards.
struct PublishSchedule {
    enum Phase {
        case free
        /// A push is being written. Everything waits.
        case writing
        /// Writing is over, and the loops are left alone for as long as it took. Only what is urgent goes on.
        case resting
    }

    private(set) var phase = Phase.free
    /// Pushes begun so far: one a compiled mesh.
    private(set) var pushes = 0
    /// The mirror has updates that were not taken yet.
    private var hasUpdates = false
    /// Updates that were taken from the mirror and wait, for the pace or for their mesh.
    private var waiting: [MeshKey: MeshUpdate] = [:]
    /// Meshes that are being compiled.
    private var busy: Set<MeshKey> = []

    /// Something waits for the pace, or for the mesh that it is of.
    var isHeld: Bool { hasUpdates || !waiting.isEmpty }

    /// The updates to compile now, of each mesh one. Their meshes are busy until ``compiled(_:)``.
    ///
    /// - Parameters:
    ///   - isUrgent: whether something that the mirror has is urgent.
    ///   - take: takes all updates that the mirror has.
    mutating func due(isUrgent: @autoclosure () -> Bool, take: () -> [MeshUpdate]) -> [MeshUpdate] {
        guard isHeld else { return [] }
        switch phase {
        case .free: break
        case .writing: return []
        case .resting: guard isUrgent() || waiting.values.contains(where: \.change.isUrgent) else { return [] }
        }
        hasUpdates = false
        for update in take() {
            waiting[update.state.mesh] = waiting[update.state.mesh]?.followed(by: update) ?? update
        }
        let due = waiting.filter { !busy.contains($0.key) }
        for mesh in due.keys {
            waiting[mesh] = nil
            busy.insert(mesh)
        }
        return Array(due.values)
    }

    /// The mirror has got updates.
    mutating func changed() { hasUpdates = true }

    /// A mesh has been compiled, and what came of it is being written.
    mutating func compiled(_ mesh: MeshKey) {
        busy.remove(mesh)
        phase = .writing
        pushes += 1
    }

    /// A mesh will not be compiled after all.
    mutating func skipped(_ mesh: MeshKey) { busy.remove(mesh) }

    /// The last pushes are written.
    mutating func written() { phase = .resting }

    /// The loops have been left alone for as long as writing took.
    mutating func rested() {
        // Unless something urgent has been pushed meanwhile.
        if phase == .resting { phase = .free }
    }

    /// A mesh has no views any more, so its updates are not wanted.
    mutating func forget(_ mesh: MeshKey) { waiting[mesh] = nil }
}

extension MeshUpdate {
    /// One update of both changes, with the newer state.
    fileprivate func followed(by newer: MeshUpdate) -> MeshUpdate {
        var both = newer
        both.change.merge(change)
        return both
    }
}
