internal import NIOCore
internal import Synchronization

/// The views that clients have, what each is served at the moment, and the streams that are told of newer snapshots.
///
/// Views are counted here and nowhere else: one is wanted from its first stream to half a minute after its last has gone
/// (``patience``), for after a lost connection a client comes back within seconds, with a thousand others, and finds everything as
/// it was. Whoever publishes is told which are wanted, and makes what is missing while the stream waits: event loops only look up
/// what is there.
///
/// A publication has everything of a source at one revision, and is swapped by one reference: whoever looks sees all of it or all
/// of the one before. Publishing costs one hop per event loop, not one per stream; there, the streams of the source have their
/// snapshots put together, each from the layers that changed.
package final class SnapshotStore: Sendable {
    /// An event that the publisher hears of; of each view only the last.
    package enum Event: Hashable, Sendable {
        /// A stream has come and no snapshot is there: publish it, and newer ones as they are made.
        case wanted(ViewID)
        /// The view has had no stream for a while, and is forgotten.
        case dropped(ViewID)
    }

    private struct Source {
        var publication: (any SnapshotPublication)?
        /// How many views are wanted.
        var views = 0
    }

    private struct State {
        /// How many streams each view has.
        var views: [ViewID: Int] = [:]
        var sources: [String: Source] = [:]
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
                state.sources[view.source]?.views -= 1
                if state.sources[view.source]?.views == 0 { state.sources[view.source] = nil }
                state.news.insert(view)
            }
            return !state.news.isEmpty
        }
        if hasNews { signal.yield() }
    }

    /// Makes a publication current. If no view of the source is wanted any more, it is passed over.
    ///
    /// - Parameters:
    ///   - source: its name (``ViewID/source``).
    ///   - views: for whom it is news; `nil`: for all.
    package func publish(_ publication: any SnapshotPublication, as source: String, to views: Set<ViewID>? = nil) {
        let hubs = state.withLock { state -> [NIOLoopBound<StreamHub>] in
            guard state.sources[source] != nil else { return [] }
            state.sources[source]?.publication = publication
            return Array(state.hubs.values)
        }
        for hub in hubs {
            // The publication is looked up on the loop: a stream that came meanwhile has the newest, and must not be given an
            // older one.
            hub.eventLoop.execute { [self] in
                let current = state.withLock { $0.sources[source]?.publication }
                if let current { hub.value.deliver(current, of: source, to: views) }
            }
        }
    }

    /// Returns when what was published before has been handed to the sockets of all streams that take it.
    package func awaitDelivered() async {
        // A turn of each loop, which comes after those in which the snapshots were delivered and written.
        for hub in hubs { try? await hub.eventLoop.submit {}.get() }
    }

    // MARK: For streams

    /// The snapshot that a view is served at the moment.
    package func snapshot(of view: ViewID) -> Snapshot? {
        let publication = state.withLock { $0.views[view] == nil ? nil : $0.sources[view.source]?.publication }
        return publication?.snapshot(of: view, after: nil)
    }

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

    /// Counts a stream in. Newer snapshots are delivered to it if it is in the hub of its loop.
    ///
    /// - Returns: the current snapshot, if there is one; if not, the publisher hears that it is wanted.
    func attach(_ view: ViewID) -> Snapshot? {
        let publication = state.withLock { state in
            if state.views[view] == nil { state.sources[view.source, default: Source()].views += 1 }
            state.views[view, default: 0] += 1
            state.resting[view] = nil
            return state.sources[view.source]?.publication
        }
        if let snapshot = publication?.snapshot(of: view, after: nil) { return snapshot }
        state.withLock { state in _ = state.news.insert(view) }
        signal.yield()
        return nil
    }

    /// Counts a stream out.
    func detach(_ view: ViewID) {
        state.withLock { state in
            guard let count = state.views[view], count > 0 else { return }
            state.views[view] = count - 1
            if count == 1 { state.resting[view] = Self.patience }
        }
    }

    /// Views that have streams at the moment.
    var activeViews: [ViewID] { state.withLock { state in state.views.keys.filter { state.resting[$0] == nil } } }
}
