internal import NIOCore

/// The streams of one event loop, by view. Bound to that loop.
final class StreamHub {
    let sharing = StreamSharing()
    let gate: AdmissionGate
    private let eventLoop: any EventLoop
    /// By source and view.
    private var streams: [String: [ViewID: [ObjectIdentifier: DiscoveryStream]]] = [:]
    /// Streams that have something to report.
    private var reporting: [DiscoveryStream] = []
    /// Streams of ``reporting`` that wait for an ACK or NACK, which will change the report again.
    private var waiting: [DiscoveryStream] = []
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
    func reportSoon(_ stream: DiscoveryStream) {
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

    private func reportLater(_ stream: DiscoveryStream) {
        stream.reportState = .later
        waiting.append(stream)
        guard waiting.count == 1 else { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
            let waiting = self.waiting
            self.waiting = []
            for stream in waiting where stream.reportState == .later { stream.report() }
        }
    }

    func insert(_ stream: DiscoveryStream, _ view: ViewID) {
        streams[view.source, default: [:]][view, default: [:]][ObjectIdentifier(stream)] = stream
    }

    func remove(_ stream: DiscoveryStream, _ view: ViewID) {
        streams[view.source]?[view]?[ObjectIdentifier(stream)] = nil
        if streams[view.source]?[view]?.isEmpty == true { streams[view.source]?[view] = nil }
        if streams[view.source]?.isEmpty == true { streams[view.source] = nil }
    }

    /// The state of clients, each with the number of its stream; of two with one name the greater is the newer.
    func statuses(_ filter: ClientStatusFilter) -> [(stream: UInt64, client: ClientStatus)] {
        let candidates =
            filter.view.map { view in streams[view.source]?[view].map { [$0] } ?? [] }
            ?? streams.values.flatMap(\.values)
        var found: [(stream: UInt64, client: ClientStatus)] = []
        for stream in candidates.lazy.flatMap(\.values) {
            guard let status = stream.status(filter) else { continue }
            found.append(status)
            // A client that has just come back may have two streams.
            if filter.proxy == nil && found.count >= filter.limit { break }
        }
        return found
    }

    /// Has the streams of a source take what a publication serves them.
    ///
    /// - Parameter views: for whom it is news; `nil`: for all.
    func deliver(_ publication: any SnapshotPublication, of source: String, to views: Set<ViewID>?) {
        // Streams may come and go while others are told.
        let concerned = streams[source] ?? [:]
        for view in views.map(Array.init) ?? Array(concerned.keys) {
            var latest: Snapshot?
            for stream in (concerned[view] ?? [:]).values {
                latest = latest ?? publication.snapshot(of: view, after: stream.snapshot)
                if let latest { stream.update(latest) }
            }
        }
    }
}
