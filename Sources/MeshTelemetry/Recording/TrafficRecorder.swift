package import CoreMetrics
package import Logging
package import MeshCore
package import MeshStore
internal import MeshModel
internal import Prometheus
internal import Synchronization

/// Adds up what sidecars report to this replica, and writes each slot of ten seconds once when no more of it comes.
///
/// Slots are those of the database's clock, so that replicas agree on them whatever their own clocks say. A slot is written at
/// most two seconds after it was closed; kill -9 loses what is not written, of which the others know by what is missing in
/// ``TrafficCoverageRow``. Where the database cannot be reached, so many slots wait for it, and then the oldest go.
package final class TrafficRecorder: Sendable {
    /// The writer's name: a slot of a writer never changes, so a replica that starts again is another one.
    package let writer: String

    private struct State {
        var open = OpenSlots()
        var waiting: [OpenSlots.Closed] = []
        var reporters = Reporters()
        /// When the database heard of reporters last.
        var noted = ContinuousClock.now
        /// The database's time at ``epoch``, since 1970, as it was asked last; `nil`: it was not.
        var offset: Duration?
    }

    /// The sidecars of which the database is to hear that they report.
    private struct Reporters {
        var stats: Set<ReportingProxy> = []
        var loads: Set<ReportingProxy> = []
    }

    private let store: MeshStore
    private let state = Mutex(State())
    private let epoch = ContinuousClock.now
    private let logger: Logger
    private let dropped: Counter

    private static let droppedSlots = Metric.counter(
        "sluice_telemetry_dropped_slots_total",
        "Slots of meshes that were counted and not written, because the database could not be reached for too long.")

    /// How often is looked for slots to close.
    private static let pause = Duration.milliseconds(500)
    /// How long the database may take to say what time it is.
    private static let trusted = Duration.seconds(1)
    /// How often the database hears who reports where no slots are closed.
    private static let noteInterval = Duration.seconds(10)
    /// Slots of all meshes that wait for the database.
    private static let maxWaiting = 30

    /// - Parameter metrics: where is counted what is lost.
    package init(store: MeshStore, metrics: any MetricsFactory, logger: Logger) {
        self.store = store
        self.logger = logger
        writer = String(UInt64.random(in: 0 ... .max), radix: 36)
        dropped = Self.droppedSlots.makeCounter(in: metrics)
    }

    /// Takes a report in.
    ///
    /// - Parameter time: the arrival's.
    package func add(_ report: TrafficReport, key: MeshKey, arriving time: ContinuousClock.Instant) {
        state.withLock { state in
            state.reporters.stats.insert(ReportingProxy(mesh: key, name: report.proxy))
            // Before the first answer of the database nobody knows which slot it is.
            guard let offset = state.offset else { return }
            state.open.add(report, arriving: Timestamp(microseconds: 0) + (time - epoch) + offset)
        }
    }

    /// Notes that a sidecar counts requests in the old way only, which says too little for a verdict.
    package func noteLoads(of proxy: ReportingProxy) {
        _ = state.withLock { $0.reporters.loads.insert(proxy) }
    }

    /// Writes slots until the task is cancelled, and then those that are open.
    package func run() async throws {
        while !Task.isCancelled {
            await work()
            try? await Task.sleep(for: Self.pause)
        }
        // Cancellation must not reach the last write; the task is awaited right here.
        await Task { await self.end() }.value  // lint:allow
        throw CancellationError()
    }

    /// Closes and writes what is due.
    func work() async {
        do {
            if state.withLock({ $0.offset == nil }) { try await askForTime() }
            guard let now = state.withLock({ state in state.offset.map { self.time($0) } }) else { return }
            let closed = state.withLock { state in
                state.waiting += state.open.close(at: now)
                return state.waiting
            }
            try await write(closed)
        } catch {
            logger.warning("telemetry not written", metadata: ["error": "\(error)"])
            limitWaiting()
        }
    }

    private func end() async {
        let rest = state.withLock { state -> [OpenSlots.Closed] in
            guard let offset = state.offset else { return [] }
            return state.waiting + state.open.close(at: self.time(offset), isEnding: true)
        }
        do {
            try await write(rest)
        } catch {
            logger.warning("telemetry not written", metadata: ["error": "\(error)"])
        }
    }

    private func time(_ offset: Duration) -> Timestamp {
        Timestamp(microseconds: 0) + (ContinuousClock.now - epoch) + offset
    }

    private func askForTime() async throws {
        let before = ContinuousClock.now
        let time = try await store.now()
        let took = ContinuousClock.now - before
        // An answer that waited for its turn says little about when it was given.
        guard took < Self.trusted || state.withLock({ $0.offset == nil }) else { return }
        let middle = before + took / 2
        state.withLock { $0.offset = (time - Timestamp(microseconds: 0)) - (middle - epoch) }
    }

    private func write(_ closed: [OpenSlots.Closed]) async throws {
        if !closed.isEmpty { try await record(closed) }
        // Also where nobody sends statistics that make slots: who only says how many requests there were is noted by this.
        let reporters = state.withLock { state -> Reporters in
            guard !closed.isEmpty || .now - state.noted >= Self.noteInterval else { return Reporters() }
            defer { (state.reporters, state.noted) = (Reporters(), .now) }
            return state.reporters
        }
        try await store.noteReporting(stats: Array(reporters.stats), loads: Array(reporters.loads))
        // Clocks drift, and the database may be another one by now.
        if !closed.isEmpty { try await askForTime() }
    }

    private func record(_ closed: [OpenSlots.Closed]) async throws {
        let rows = closed.flatMap { slot in
            slot.hosts.sorted { $0.key < $1.key }.map {
                TrafficRow(mesh: slot.mesh, slot: slot.slot, host: $0.key, samples: $0.value.bytes)
            }
        }
        let coverage = closed.map {
            TrafficCoverageRow(
                mesh: $0.mesh, slot: $0.slot, writer: writer, reporters: $0.reporters.sorted(),
                overflowed: $0.overflowed)
        }
        try await store.recordTraffic(rows, coverage, by: writer)
        state.withLock { state in
            state.waiting.removeAll { slot in closed.contains { $0.slot == slot.slot && $0.mesh == slot.mesh } }
        }
    }

    private func limitWaiting() {
        let gone = state.withLock { state in
            let slots = Set(state.waiting.map(\.slot)).sorted()
            guard slots.count > Self.maxWaiting else { return 0 }
            let kept = Set(slots.suffix(Self.maxWaiting))
            let before = state.waiting.count
            state.waiting.removeAll { !kept.contains($0.slot) }
            return before - state.waiting.count
        }
        if gone > 0 { dropped.increment(by: Int64(gone)) }
    }
}
