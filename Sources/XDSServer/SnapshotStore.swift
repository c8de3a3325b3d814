internal import NIOCore
internal import Synchronization

/// Makes the snapshot of a view on the spot.
package protocol SnapshotSource: Sendable {
    /// Called on an event loop for streams of views that have no snapshot yet: must be quick and must not block. From then
    /// on newer ones are published as they are made.
    ///
    /// - Returns: the newest, or `nil` if it cannot be had at once; then the publisher hears that it is wanted.
    func snapshot(of view: ViewID) -> Snapshot?
}

/// The current snapshot of every view, and the streams that are told of newer ones.
///
/// Publishing costs one hop per event loop, not one per stream; there, only the streams of the published views are looked
/// at.
package final class SnapshotStore: Sendable {
    /// What the publisher hears, of a view the last that happened.
    package enum Event: Hashable, Sendable {
        /// A stream has come and no snapshot is there: publish it, and newer ones as they are made.
        case wanted(ViewID)
        /// The last stream has gone, and the view is forgotten.
        case dropped(ViewID)
    }

    private struct View {
        var snapshot: Snapshot?
        /// Streams of this view by the event loop that they are on.
        var streams: [ObjectIdentifier: Int] = [:]
    }

    private struct State {
        var views: [ViewID: View] = [:]
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
    private let source: (any SnapshotSource)?

    /// - Parameter source: `nil`: every snapshot is published.
    package convenience init(source: (any SnapshotSource)? = nil) {
        self.init(pace: AdmissionGate.Pace(), source: source)
    }

    init(pace: AdmissionGate.Pace, source: (any SnapshotSource)? = nil) {
        self.pace = pace
        self.source = source
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What happened since the last call.
    package func takeEvents() -> [Event] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news.map { state.views[$0] == nil ? .dropped($0) : .wanted($0) }
        }
    }

    /// Makes snapshots current. Views that nobody wants any more are passed over.
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

    /// Whether the view has a stream at the moment.
    package func isWanted(_ view: ViewID) -> Bool { state.withLock { $0.views[view] != nil } }

    /// The views that streams want at the moment.
    var wantedViews: [ViewID] { state.withLock { Array($0.views.keys) } }

    /// What a view is served at the moment.
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
    /// - Returns: the current snapshot, if there is one.
    func attach(_ view: ViewID, on eventLoop: any EventLoop) -> Snapshot? {
        let published = state.withLock { state in
            state.views[view, default: View()].streams[ObjectIdentifier(eventLoop), default: 0] += 1
            return state.views[view]?.snapshot
        }
        if let published { return published }
        let made = source?.snapshot(of: view)
        let current = state.withLock { state in
            // What was published meanwhile is newer.
            if state.views[view]?.snapshot == nil { state.views[view]?.snapshot = made }
            if made == nil { state.news.insert(view) }
            return state.views[view]?.snapshot
        }
        if made == nil { signal.yield() }
        return current
    }

    /// Counts a stream out.
    func detach(_ view: ViewID, on eventLoop: any EventLoop) {
        let isLast = state.withLock { state in
            let key = ObjectIdentifier(eventLoop)
            guard var entry = state.views[view], let count = entry.streams[key] else { return false }
            entry.streams[key] = count > 1 ? count - 1 : nil
            state.views[view] = entry.streams.isEmpty ? nil : entry
            if entry.streams.isEmpty { state.news.insert(view) }
            return entry.streams.isEmpty
        }
        if isLast { signal.yield() }
    }
}

/// The streams of one event loop, by view. Bound to that loop.
final class StreamHub {
    let sharing = StreamSharing()
    let gate: AdmissionGate
    private let eventLoop: any EventLoop
    private var streams: [ViewID: [ObjectIdentifier: ADSStream]] = [:]
    /// Streams that have something to report.
    private var reporting: [ADSStream] = []
    /// Those of them that wait for an answer that will change it again.
    private var waiting: [ADSStream] = []
    /// How long reports have to wait, for the last ones took so long.
    private var pause = TimeAmount.zero
    /// Until when they may be put off while newcomers wait to be served.
    private var reportDeadline = NIODeadline.distantFuture

    /// Gives everybody time to be sent what is new first.
    private static let reportDelay = TimeAmount.milliseconds(20)
    /// A push changes what is known of a stream twice, when it is sent and when it is acknowledged. Who acknowledges within
    /// this time is reported once.
    private static let patience = TimeAmount.milliseconds(250)
    /// Of a loop's time, the part that goes into reports: who waits for them can wait a little longer, and what happens
    /// meanwhile is told with them.
    private static let reportShare: Int64 = 10
    private static let maxPause = TimeAmount.milliseconds(250)
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
        report(in: max(Self.reportDelay, pause))
    }

    private func report(in delay: TimeAmount) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            let start = NIODeadline.now()
            if !self.gate.isOpen && start < self.reportDeadline { return self.report(in: Self.reportDelay) }
            let due = self.reporting
            self.reporting = []
            for stream in due where stream.reportState == .soon {
                if stream.expectsAnswer { self.reportLater(stream) } else { stream.report() }
            }
            self.pause = min((NIODeadline.now() - start) * (Self.reportShare - 1), Self.maxPause)
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

    /// What clients were sent, each with the number of its stream; of two with one name the greater is the newer.
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
