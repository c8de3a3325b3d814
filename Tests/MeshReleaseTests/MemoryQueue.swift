import Analysis
import GrayRelease
import MeshCore
import MeshRelease
import ReleaseFixtures
import Synchronization

/// A release queue in memory that keeps the promises of the real one, with a clock of its own and faults on demand.
///
/// Time goes on only where a driver waits, straight to the next time that anything is due, so a plan of an hour takes
/// milliseconds.
final class MemoryQueue: ReleaseQueue {
    enum Point: CaseIterable { case claim, observe, beforeCommit, afterCommit, giveBack, timeUntilDue }
    struct Fault: Error {}

    struct Claim: ReleaseClaim {
        var id: ReleaseID
        var spec: ReleaseSpec
        var status: ReleaseStatus
        var rowVersion: Int64
        var leaseEpoch: Int64
    }

    struct Entry {
        var scene: Scene
        var rowVersion: Int64 = 0
        var epoch: Int64 = 0
        var owner: String?
        var leaseUntil: Timestamp?
        var dueAt: Timestamp?
        var lastDrivenAt: Timestamp?
        var commits = 0
    }

    struct State {
        var now = Fixture.epoch
        var entries: [ReleaseID: Entry] = [:]
        var lost = 0
        var claims = 0
        /// What must never be, in words.
        var problems: [String] = []
    }

    let state: Mutex<State>
    /// Opens when all releases have ended.
    let finished = Gate()
    /// Asked before every step; throws where the driver is to see a fault.
    private let fault: @Sendable (Point) async throws -> Void

    init(_ scenes: [Scene], fault: @escaping @Sendable (Point) async throws -> Void = { _ in }) {
        var state = State()
        for (index, scene) in scenes.enumerated() {
            let name = NamespacedName(namespace: Fixture.shop, name: Fixture.name("release-\(index)"))
            let mesh = MeshKey(tenant: Fixture.name("acme"), mesh: .defaultMesh)
            state.entries[ReleaseID(mesh: mesh, name: name)] = Entry(scene: scene, dueAt: Fixture.epoch)
        }
        self.state = Mutex(state)
        self.fault = fault
    }

    var scenes: [Scene] { state.withLock { $0.entries.values.map(\.scene) } }
    var isFinished: Bool { scenes.allSatisfy { $0.status.phase.isTerminal || $0.status.phase == .draft } }

    func claim(by replica: String, limit: Int, lease: Duration) async throws -> [Claim] {
        try await fault(.claim)
        return state.withLock { state in
            let now = state.now
            state.claims += 1
            let due = state.entries.filter { entry in
                entry.value.dueAt.map { $0 <= now } == true && entry.value.leaseUntil.map { $0 < now } != false
            }
            return due.keys.sorted { $0.name < $1.name }.prefix(limit).compactMap { id in
                guard var entry = state.entries[id] else { return nil }
                entry.epoch += 1
                entry.owner = replica
                entry.leaseUntil = now + lease
                state.entries[id] = entry
                return Claim(
                    id: id, spec: entry.scene.spec, status: entry.scene.status, rowVersion: entry.rowVersion,
                    leaseEpoch: entry.epoch)
            }
        }
    }

    func observe(_ release: Claim) async throws -> (observations: ReleaseObservations, now: Timestamp) {
        try await fault(.observe)
        return try state.withLock { state in
            guard let entry = state.entries[release.id] else { throw Fault() }
            var scene = entry.scene
            scene.status = release.status
            // Whoever measures finds that all is well.
            scene.measure { _ in .successful }
            var view = scene.view
            view.plannedWakeupAt = entry.dueAt
            view.lastDrivenAt = entry.lastDrivenAt
            return (view, state.now)
        }
    }

    func commit(_ decision: ReleaseDecision, of release: Claim) async throws -> CommitOutcome {
        try await fault(.beforeCommit)
        let outcome = state.withLock { state -> CommitOutcome in
            guard var entry = state.entries[release.id], entry.rowVersion == release.rowVersion,
                entry.epoch == release.leaseEpoch
            else {
                state.lost += 1
                return .lost
            }
            write(decision, to: &entry, &state)
            entry.owner = nil
            entry.leaseUntil = nil
            state.entries[release.id] = entry
            return .committed
        }
        if isFinished { finished.open() }
        try await fault(.afterCommit)
        return outcome
    }

    /// A verb, as another replica's API would commit it: without a lease.
    func ask(_ verb: ReleaseVerb, of id: ReleaseID) {
        state.withLock { state in
            guard var entry = state.entries[id],
                let decision = try? ReleaseMachine.apply(
                    verb, by: Fixture.engineer, spec: entry.scene.spec, status: entry.scene.status,
                    observations: entry.scene.view,
                    now: state.now)
            else { return }
            write(decision, to: &entry, &state)
            state.entries[id] = entry
        }
    }

    private func write(_ decision: ReleaseDecision, to entry: inout Entry, _ state: inout State) {
        let keys = Set(entry.scene.events.map(\.dedupeKey))
        for event in decision.events where keys.contains(event.dedupeKey) {
            state.problems.append("twice: \(event.dedupeKey)")
        }
        entry.scene.now = state.now
        entry.scene.commit(decision)
        state.problems += ReleaseInvariants.violations(of: entry.scene.status, spec: entry.scene.spec)
        entry.rowVersion += 1
        entry.commits += 1
        entry.dueAt = decision.nextWakeupAt
        entry.lastDrivenAt = state.now
    }

    func giveBack(_ release: Claim, delay: Duration) async throws {
        try await fault(.giveBack)
        state.withLock { state in
            guard var entry = state.entries[release.id], entry.epoch == release.leaseEpoch, entry.owner != nil else {
                return
            }
            entry.owner = nil
            entry.leaseUntil = nil
            entry.dueAt = state.now + delay
            state.entries[release.id] = entry
        }
    }

    func timeUntilDue(atMost limit: Duration) async throws -> Duration {
        try await fault(.timeUntilDue)
        return state.withLock { state in
            let next = state.entries.values.compactMap { entry in
                entry.dueAt.map { max($0, entry.leaseUntil.map { $0 + .microseconds(1) } ?? $0) }
            }.min()
            return min(limit, max(.zero, next.map { $0 - state.now } ?? limit))
        }
    }

    func waitForSignal(atMost limit: Duration) async throws {
        state.withLock { $0.now = $0.now + limit }
        await Task.yield()
    }
}
