internal import NIOCore
internal import Synchronization

/// The views that clients have, what each is served at the moment, and the streams that are told of newer snapshots.
///
/// Views are counted here and nowhere else: one is wanted from its first stream to half a minute after its last has gone
/// (``patience``), for after a lost connection a client comes back within seconds, with a thousand others, and finds everything as
/// it was. Whoever publishes is told which are wanted, and makes what is missing while the stream waits: event loops only look up
/// what is there.
///
/// All that is published together is current at once, for whoever looks. Publishing costs one hop per event loop, not one per
/// stream; there, only the streams of the published views are looked at.
package final class SnapshotStore: Sendable {
    /// An event that the publisher hears of; of each view only the last.
    package enum Event: Hashable, Sendable {
        /// A stream has come and no snapshot is there: publish it, and newer ones as they are made.
        case wanted(ViewID)
        /// The view has had no stream for a while, and is forgotten.
        case dropped(ViewID)
    }

    private struct Entry {
        var snapshot: Snapshot?
        /// Streams of this view by the event loop that they are on.
        var streams: [ObjectIdentifier: Int] = [:]
    }

    private struct State {
        var views: [ViewID: Entry] = [:]
        /// Views that have no stream, and after how many ticks they are forgotten.
        var resting: [ViewID: Int] = [:]
        var hubs: [ObjectIdentifier: NIOLoopBound<StreamHub>] = [:]
        /// Views of which the publisher has to hear.
        var news: Set<ViewID> = []
    }

    let recentBodies = RecentBodies()
    private let state = Mutex(State())
    private let signal: AsyncStream<Void>.Continuation
    /// Yields when ``takeEvents()`` has something; one element stands for any number of events. For one consumer, the
    /// publisher.
    package let signals: AsyncStream<Void>
    private let pace: AdmissionGate.Pace

    /// How many ticks of a second a view stays that nobody has.
    package static let patience = 30

    package convenience init() { self.init(pace: AdmissionGate.Pace()) }

    init(pace: AdmissionGate.Pace) {
        self.pace = pace
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: For the publisher

    /// The events since the last call.
    package func takeEvents() -> [Event] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news.map { state.views[$0] == nil ? .dropped($0) : .wanted($0) }
        }
    }

    /// Whether the view has a stream, or had one a moment ago.
    package func isWanted(_ view: ViewID) -> Bool { state.withLock { $0.views[view] != nil } }

    /// A second has passed.
    package func tick() {
        let hasNews = state.withLock { state in
            for (view, ticks) in state.resting {
                state.resting[view] = ticks > 1 ? ticks - 1 : nil
                guard ticks <= 1 else { continue }
                state.views[view] = nil
                state.news.insert(view)
            }
            return !state.news.isEmpty
        }
        if hasNews { signal.yield() }
    }

    /// Makes snapshots current, all at once. Views that nobody wants any more are passed over.
    package func publish(_ snapshots: [ViewID: Snapshot]) {
        let deliveries = state.withLock { state in
            var byLoop: [ObjectIdentifier: [ViewID]] = [:]
            for (id, snapshot) in snapshots {
                guard let index = state.views.index(forKey: id) else { continue }
                state.views.values[index].snapshot = snapshot
                for loop in state.views.values[index].streams.keys { byLoop[loop, default: []].append(id) }
            }
            return byLoop.compactMap { loop, views in state.hubs[loop].map { ($0, views) } }
        }
        for (hub, views) in deliveries {
            // The snapshots are looked up on the loop: a stream that came meanwhile has the newest, and must not be
            // given an older one.
            hub.eventLoop.execute { [self] in
                let current = state.withLock { state in
                    views.compactMap { view in state.views[view]?.snapshot.map { (view, $0) } }
                }
                hub.value.deliver(current)
            }
        }
    }

    /// Returns when what was published before has been handed to the sockets of all streams that take it.
    package func settle() async {
        // A turn of each loop, which comes after those in which the snapshots were delivered and written.
        for hub in hubs { try? await hub.eventLoop.submit {}.get() }
    }

    // MARK: For streams

    /// The snapshot that a view is served at the moment.
    package func snapshot(of view: ViewID) -> Snapshot? { state.withLock { $0.views[view]?.snapshot } }

    /// The hubs of all loops that have had streams.
    var hubs: [NIOLoopBound<StreamHub>] { state.withLock { Array($0.hubs.values) } }

    /// The hub of an event loop. Call on that loop.
    func hub(on eventLoop: any EventLoop) -> StreamHub {
        state.withLock { state in
            let key = ObjectIdentifier(eventLoop)
            if let hub = state.hubs[key] { return hub }
            let gate = AdmissionGate(on: eventLoop, pace: pace)
            let hub = NIOLoopBound(StreamHub(on: eventLoop, gate: gate), eventLoop: eventLoop)
            state.hubs[key] = hub
            return hub
        }.value
    }

    /// Counts a stream in. Newer snapshots are delivered to its loop's hub from now on.
    ///
    /// - Returns: the current snapshot, if there is one; if not, the publisher hears that it is wanted.
    func attach(_ view: ViewID, on eventLoop: any EventLoop) -> Snapshot? {
        let snapshot = state.withLock { state in
            state.views[view, default: Entry()].streams[ObjectIdentifier(eventLoop), default: 0] += 1
            state.resting[view] = nil
            let snapshot = state.views[view]?.snapshot
            if snapshot == nil { state.news.insert(view) }
            return snapshot
        }
        if snapshot == nil { signal.yield() }
        return snapshot
    }

    /// Counts a stream out.
    func detach(_ view: ViewID, on eventLoop: any EventLoop) {
        state.withLock { state in
            let key = ObjectIdentifier(eventLoop)
            guard let index = state.views.index(forKey: view),
                let count = state.views.values[index].streams[key]
            else { return }
            state.views.values[index].streams[key] = count > 1 ? count - 1 : nil
            if state.views.values[index].streams.isEmpty { state.resting[view] = Self.patience }
        }
    }

    /// Views that have streams at the moment.
    var activeViews: [ViewID] { state.withLock { state in state.views.keys.filter { state.resting[$0] == nil } } }
}

/// The streams of one event loop, by view. Bound to that loop.
final class StreamHub {
    let sharing = StreamSharing()
    let gate: AdmissionGate
    private let eventLoop: any EventLoop
    private var streams: [ViewID: [ObjectIdentifier: ADSStream]] = [:]
    /// Streams that have something to report.
    private var reporting: [ADSStream] = []
    /// Streams of ``reporting`` that wait for an ACK or NACK, which will change the report again.
    private var waiting: [ADSStream] = []
    /// How long reports have to wait, for the last ones took so long.
    private var pause = DutyCycle.streamReports.pause(after: .zero)
    /// Until when they may be put off while newcomers wait to be served.
    private var reportDeadline = NIODeadline.distantFuture

    /// A push changes what is known of a stream twice, when it is sent and when it is acknowledged. Who acknowledges within
    /// this time is reported once.
    private static let patience = TimeAmount.milliseconds(250)
    /// How long reports wait at most while newcomers do: who comes is served first, and then written down, once.
    private static let reportHold = TimeAmount.seconds(1)

    init(on eventLoop: any EventLoop, gate: AdmissionGate) {
        self.eventLoop = eventLoop
        self.gate = gate
    }

    /// Has the stream asked for its report in a moment.
    func reportSoon(_ stream: ADSStream) {
        reporting.append(stream)
        guard reporting.count == 1 else { return }
        reportDeadline = .now() + Self.reportHold
        report(in: TimeAmount(pause))
    }

    private func report(in delay: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            let start = NIODeadline.now()
            if !self.gate.isOpen && start < self.reportDeadline {
                return self.report(in: TimeAmount(DutyCycle.streamReports.leastPause))
            }
            let due = self.reporting
            self.reporting = []
            for stream in due where stream.reportState == .soon {
                if stream.expectsAnswer { self.reportLater(stream) } else { stream.report() }
            }
            self.pause = DutyCycle.streamReports.pause(after: Duration(NIODeadline.now() - start))
        }
    }

    private func reportLater(_ stream: ADSStream) {
        stream.reportState = .later
        waiting.append(stream)
        guard waiting.count == 1 else { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            let waiting = self.waiting
            self.waiting = []
            for stream in waiting where stream.reportState == .later { stream.report() }
        }
    }

    func insert(_ stream: ADSStream, _ view: ViewID) { streams[view, default: [:]][ObjectIdentifier(stream)] = stream }

    func remove(_ stream: ADSStream, _ view: ViewID) {
        streams[view]?[ObjectIdentifier(stream)] = nil
        if streams[view]?.isEmpty == true { streams[view] = nil }
    }

    /// The state of clients, each with the number of its stream; of two with one name the greater is the newer.
    func served(_ filter: ServedFilter) -> [(stream: UInt64, client: ServedClient)] {
        let candidates = filter.view.map { streams[$0].map { [$0] } ?? [] } ?? Array(streams.values)
        var found: [(stream: UInt64, client: ServedClient)] = []
        for stream in candidates.lazy.flatMap(\.values) {
            guard let served = stream.served(filter) else { continue }
            found.append(served)
            // A client that has just come back may have two streams.
            if filter.proxy == nil && found.count >= filter.limit { break }
        }
        return found
    }

    func deliver(_ snapshots: [(ViewID, Snapshot)]) {
        for (view, snapshot) in snapshots {
            for stream in (streams[view] ?? [:]).values { stream.update(snapshot) }
        }
    }
}
