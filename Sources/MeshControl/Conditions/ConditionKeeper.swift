package import Logging
internal import MeshCompiler
internal import MeshCore
package import MeshFeed
internal import MeshModel
package import MeshStore

/// Has what the compiler finds wrong stand in the objects' conditions, whichever replica the change came from and whether a
/// proxy is connected to any.
///
/// Every replica hears of every change. For each mesh one of them is the writer of its conditions, by a lease; it follows the
/// mesh in its mirror, compiles what changed, and writes what came out different. When it is gone, another one takes over at
/// its next look. This is beside the push to proxies, which waits for nothing here; a mesh that is served is compiled twice,
/// by the writer alone, and that takes a few milliseconds in each quarter of a second at most.
package struct ConditionKeeper: Sendable {
    private let store: MeshStore
    private let mirror: MeshMirror
    /// This replica's name.
    private let replica: String
    private let clock: any Clock<Duration>
    private let logger: Logger

    /// The unit in which the keeper counts time.
    static let tick = Duration.milliseconds(250)
    /// How long changes are gathered, in ticks; pushes are done by then.
    private static let gathering = 1
    /// How long the conditions of an object stay as they were written.
    package static let pause = Duration.seconds(5)
    private static let pauseTicks = 20
    private static let retry = 20
    private static let lease = Duration.seconds(15)
    private static let leaseTicks = 20
    /// How often to look for meshes that nobody looks after, or of which no signal came.
    private static let sweep = Duration.seconds(10)
    private static let meshesPerSweep = 100
    /// Sweeps after which a mesh that does not change is forgotten.
    private static let patience = 30

    /// Events that wait for the keeper at most, while it waits for the database.
    private static let waitingEvents = 1024
    /// When a lease was taken of which nothing is known any more.
    private static let longAgo = Int.min / 2

    package static let source = "compiler"

    package init(
        store: MeshStore, mirror: MeshMirror, replica: String, clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.store = store
        self.mirror = mirror
        self.replica = replica
        self.clock = clock
        self.logger = logger
    }

    /// The conditions are not as they were left: the lease has run out, another replica has written, or an object that had some
    /// was deleted. So what there is has to be read again.
    private struct Overtaken: Error {}

    private enum Event: Sendable {
        case signal(ChangeSignals.Signal)
        case tick
    }

    /// A mesh whose conditions this replica writes.
    private struct Entry {
        var compiler: Compiler
        var state: MeshState
        /// The conditions that the compiler finds in the state.
        var wanted: [ObjectKey: [ObjectCondition]] = [:]
        var book: ConditionBook
        var stored: ConditionState
        var leasedAt: Int
        var sweepsLeft = ConditionKeeper.patience
    }

    /// Everything that the keeper knows; of one task.
    private struct Work {
        var tick = 0
        var entries: [MeshKey: Entry] = [:]
        /// When to look at a mesh.
        var pending: [MeshKey: Int] = [:]

        mutating func want(_ mesh: MeshKey, in ticks: Int) {
            pending[mesh] = min(pending[mesh] ?? .max, tick + ticks)
        }

        var isIdle: Bool { pending.isEmpty && !entries.values.contains { $0.book.isResting(at: tick) } }

        /// Ticks stop, so nothing is known of leases from now on.
        mutating func settle() {
            for mesh in entries.keys { entries[mesh]?.leasedAt = ConditionKeeper.longAgo }
        }
    }

    /// Keeps conditions until the task is cancelled.
    ///
    /// - Parameter signals: what the database says; see ``ChangeSignals``.
    package func run(signals: AsyncStream<ChangeSignals.Signal>) async throws {
        let (events, continuation) = AsyncStream.makeStream(
            of: Event.self, bufferingPolicy: .bufferingNewest(Self.waitingEvents))
        // As ``ChangeSignals`` does it. A tick that is dropped comes again: what is kept winds it up.
        let post: @Sendable (Event) -> Void = { event in
            if case .dropped = continuation.yield(event) { continuation.yield(.signal(.anything)) }
        }
        let (ticks, wind) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { post(.signal(signal)) }
            }
            group.addTask {
                while true {
                    try await clock.sleep(for: Self.sweep)
                    post(.signal(.anything))
                }
            }
            // Wound up while there is something to wait for.
            group.addTask {
                for await _ in ticks {
                    try await clock.sleep(for: Self.tick)
                    post(.tick)
                }
            }
            group.addTask {
                var work = Work()
                for await event in events {
                    await take(event, &work)
                    if work.isIdle { work.settle() } else { wind.yield() }
                }
            }
            try await group.waitForAll()
        }
    }

    private func take(_ event: Event, _ work: inout Work) async {
        switch event {
        case .signal(.changed(let mesh)): work.want(mesh, in: Self.gathering)
        case .signal(.anything): await look(for: &work)
        case .signal(.conditions), .signal(.release): break
        case .tick:
            work.tick += 1
            for mesh in work.pending.filter({ $0.value <= work.tick }).keys {
                work.pending[mesh] = nil
                await look(at: mesh, &work)
            }
        }
    }

    /// Finds meshes that have to be looked at.
    private func look(for work: inout Work) async {
        for mesh in work.entries.keys {
            work.entries[mesh]?.sweepsLeft -= 1
            if work.entries[mesh]?.sweepsLeft == 0 {
                work.entries[mesh] = nil
            } else {
                work.want(mesh, in: Self.gathering)
            }
        }
        do {
            for mesh in try await store.meshesWithoutConditions(limit: Self.meshesPerSweep) {
                work.want(mesh, in: Self.gathering)
            }
        } catch {
            logger.warning("meshes whose conditions are old are not known", metadata: ["error": "\(error)"])
        }
    }

    private func look(at mesh: MeshKey, _ work: inout Work) async {
        // What was compiled outlives a failure; what is stored has to be read again after it.
        do {
            guard var entry = try await entry(of: mesh, work) else {
                // Another replica's.
                work.entries[mesh] = nil
                return
            }
            // So that changing it copies nothing.
            work.entries[mesh] = nil
            do {
                if try await bringUpToDate(&entry, at: work.tick) { work.want(mesh, in: 1) }
            } catch {
                entry.leasedAt = Self.longAgo
                work.entries[mesh] = entry
                throw error
            }
            work.entries[mesh] = entry
        } catch StoreError.notFound {
            work.entries[mesh] = nil
        } catch is Overtaken {
            work.want(mesh, in: 1)
        } catch {
            logger.warning("conditions not written", metadata: ["mesh": "\(mesh)", "error": "\(error)"])
            work.want(mesh, in: Self.retry)
        }
    }

    /// Compiles what changed in the mesh, and writes what came out different.
    ///
    /// - Returns: whether something has to wait.
    private func bringUpToDate(_ entry: inout Entry, at tick: Int) async throws -> Bool {
        let state = try await mirror.state(of: entry.state.mesh, atLeast: .max)
        let change = entry.state.change(to: state)
        if !change.isEmpty {
            entry.sweepsLeft = Self.patience
            _ = entry.compiler.update(state, change)
            entry.wanted = entry.compiler.findings.conditions
        }
        entry.state = state
        return try await write(&entry, at: tick)
    }

    /// - Returns: `nil` if another replica is the mesh's writer.
    private func entry(of mesh: MeshKey, _ work: Work) async throws -> Entry? {
        let known = work.entries[mesh]
        if let known, work.tick - known.leasedAt < Self.leaseTicks { return known }
        guard let stored = try await store.leaseConditions(of: mesh, to: replica, for: Self.lease) else { return nil }
        if var known, known.stored.sequence == stored.sequence {
            known.leasedAt = work.tick
            known.stored = stored
            return known
        }
        return Entry(
            compiler: known?.compiler ?? Compiler(), state: known?.state ?? MeshState(mesh: mesh),
            wanted: known?.wanted ?? [:],
            book: ConditionBook(try await store.conditions(of: mesh), pause: Self.pauseTicks), stored: stored,
            leasedAt: work.tick)
    }

    /// Writes what came out different.
    ///
    /// - Returns: whether something has to wait.
    private func write(_ entry: inout Entry, at tick: Int) async throws -> Bool {
        let (objects, isAll) = entry.book.due(entry.wanted, at: tick)
        let revision = isAll ? entry.state.revision : entry.stored.revision
        if objects.isEmpty && revision == entry.stored.revision { return !isAll }
        let changes = ConditionChanges(
            of: entry.state.mesh, foundAt: entry.state.revision, revision: revision, objects: objects)
        guard
            let (stored, skipped) = try await store.write(
                changes, from: Self.source, by: replica, after: entry.stored.sequence)
        else {
            throw Overtaken()
        }
        entry.stored = stored
        entry.book.note(objects, at: tick, skipped: skipped)
        return !isAll || !skipped.isEmpty
    }
}
