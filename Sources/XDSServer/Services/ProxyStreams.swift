/// The streams of one client, and what is known of it by all of them.
///
/// An aggregated stream has all types, so of two the newer counts. Streams of single types stand side by side: a client may
/// have several of one type too, one for each resource ("Requesting Multiple Resources on a Single Stream").
///
/// An aggregated stream from another address does not replace one: whoever may make tokens could speak for anybody otherwise.
/// Both are served, and the client is as far as the slower of them. For a client whose address changes that is so until it is
/// noticed that its old connection is dead, at the latest by keep-alive.
struct ProxyStreams {
    private struct Stream {
        var id: UInt64
        var isAggregated: Bool
        var report: ProxyReport
    }

    /// The newest last.
    private var streams: [Stream] = []
    /// `nil`: there never was a stream.
    private(set) var report: ProxyReport?

    init() {}

    /// A client whose streams are gone, as it was last reported.
    init(_ report: ProxyReport) {
        streams = [Stream(id: 0, isAggregated: true, report: report)]
        self.report = report
    }

    /// - Returns: whether ``report`` is another now.
    mutating func take(_ report: ProxyReport, of id: UInt64, _ isAggregated: Bool) -> Bool {
        // Mostly there is one, which says something new.
        if streams.count == 1 && streams[0].id == id && report.isConnected {
            streams[0].report = report
            defer { self.report = report }
            return self.report != report
        }
        func isRival(_ stream: Stream) -> Bool {
            isAggregated && stream.isAggregated && stream.report.peer == report.peer
        }
        if streams.contains(where: { isRival($0) && $0.id > id }) { return false }
        streams.removeAll { $0.id == id || isRival($0) || !$0.report.isConnected }
        if report.isConnected || streams.isEmpty {
            let index = streams.firstIndex { $0.id > id } ?? streams.endIndex
            streams.insert(Stream(id: id, isAggregated: isAggregated, report: report), at: index)
        }
        let before = self.report
        self.report = combined
        return self.report != before
    }

    /// Whether streams come from several addresses.
    var isContested: Bool { streams.contains { $0.report.peer != streams.first?.report.peer } }

    private var combined: ProxyReport? {
        guard streams.count > 1, var all = streams.last?.report else { return streams.last?.report }
        let reports = streams.map(\.report)
        all.ackedRevision = reports.map(\.ackedRevision).min() ?? 0
        all.answeredRevision = reports.map(\.answeredRevision).min() ?? 0
        all.firstRevision = reports.map(\.firstRevision).min() ?? 0
        all.routes = reports.reduce([]) { routes, report in
            guard let routes, let more = report.routes else { return nil }
            return more.isEmpty ? routes : Set(routes + more).sorted()
        }
        let rejected = reports.max { $0.rejectedRevision ?? .min < $1.rejectedRevision ?? .min }
        (all.rejectedRevision, all.rejectedMessage) = (rejected?.rejectedRevision, rejected?.rejectedMessage)
        all.types = ResourceType.allCases.compactMap { type in
            // The one that is worst, and of equals the newest.
            reports.reversed().flatMap(\.types).filter { $0.type == type }.max { $0.state.severity < $1.state.severity }
        }
        return all
    }
}

extension TypeReport.State {
    fileprivate var severity: Int {
        switch self {
        case .synced: 0
        case .stale: 1
        case .rejected: 2
        }
    }
}
