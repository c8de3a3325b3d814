package import MeshCore
package import MeshTelemetry

/// A question for what sidecars have counted of the requests to a service.
package struct TrafficQuery: Sendable {
    /// By what series are told apart.
    package enum Dimension: String, CaseIterable, Sendable {
        case source, version, code
    }

    package var metric: TrafficMetric
    package var service: NamespacedName
    package var dimensions: Set<Dimension>
    /// `nil`: a quarter of an hour before ``to``.
    package var from: Timestamp?
    /// `nil`: now.
    package var to: Timestamp?
    /// `nil`: the finest that is there, of at most 120.
    package var step: Duration?

    package init(
        metric: TrafficMetric, service: NamespacedName, dimensions: Set<Dimension> = [], from: Timestamp? = nil,
        to: Timestamp? = nil, step: Duration? = nil
    ) {
        self.metric = metric
        self.service = service
        self.dimensions = dimensions
        self.from = from
        self.to = to
        self.step = step
    }
}

/// The requests that a line of a graph is about.
struct TrafficLine: Hashable, Comparable {
    var source: String?
    var version: String?
    var code: String?

    static func < (a: Self, b: Self) -> Bool {
        (a.source ?? "", a.version ?? "", a.code ?? "") < (b.source ?? "", b.version ?? "", b.code ?? "")
    }

    /// The word for a sender or version that is not known.
    private static let unknown = "unknown"

    init(_ series: TrafficSeries, _ dimensions: Set<TrafficQuery.Dimension>) {
        if dimensions.contains(.source) { source = series.source.map { "\($0.service)" } ?? Self.unknown }
        if dimensions.contains(.version) { version = series.version?.text ?? Self.unknown }
    }

    init(_ line: TrafficLine, code: Int) {
        self = line
        self.code = code == CodeCounts.other ? "other" : "\(code)"
    }
}
