package import CoreMetrics

/// A metric, declared once: its name, what it means, its labels, and how many series it may have.
///
/// Handles of it are swift-metrics' own, made once and kept by whoever counts: making one looks up its series, using one does
/// not.
package struct Metric: Sendable {
    /// How its series are kept and written.
    package enum Kind: Sendable {
        /// Only grows.
        case counter
        case gauge
        /// Counts in buckets with these upper bounds, in ascending order, and one for what is above them all.
        case histogram(bounds: [Double])

        /// The metric's type in Prometheus.
        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// The metric's name as Prometheus has it: with its unit, and `_total` if it is a counter.
    package let name: String
    /// One sentence; `nil`: nobody has said it.
    package let help: String?
    package let kind: Kind
    /// Names of the labels, in the order in which their values are given.
    package let labels: [String]
    /// So many series have labels of their own, so that nobody who invents label values fills the memory. What comes beyond them
    /// counters and histograms count together, in one series more that has ``overflow`` for each label, and sums stay right;
    /// of a gauge it is not kept.
    package let seriesLimit: Int

    /// The value of labels in the series of all that was too much.
    package static let overflow = "other"
    /// For metrics that do not say it: far more than any of them needs.
    package static let usualSeriesLimit = 1_000

    init(_ name: String, _ help: String?, _ kind: Kind, _ labels: [String], _ seriesLimit: Int) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
        self.seriesLimit = seriesLimit
    }
}

extension Metric {
    /// A metric that only grows.
    package static func counter(
        _ name: String, _ help: String, labels: [String] = [], seriesLimit: Int = usualSeriesLimit
    ) -> Metric {
        Metric(name, help, .counter, labels, seriesLimit)
    }

    /// A metric that is set.
    package static func gauge(
        _ name: String, _ help: String, labels: [String] = [], seriesLimit: Int = usualSeriesLimit
    ) -> Metric {
        Metric(name, help, .gauge, labels, seriesLimit)
    }

    /// A metric of durations or sizes.
    ///
    /// - Parameter bounds: of the buckets, in seconds if it is of durations.
    package static func histogram(
        _ name: String, _ help: String, bounds: [Double], labels: [String] = [], seriesLimit: Int = usualSeriesLimit
    ) -> Metric {
        Metric(name, help, .histogram(bounds: bounds), labels, seriesLimit)
    }
}

extension Metric {
    /// A handle that counts one series of this metric.
    ///
    /// - Parameters:
    ///   - values: of the labels, in their order.
    ///   - factory: what keeps it; one of another kind is told the name and the labels alone.
    /// - Precondition: it was declared as a counter.
    package func makeCounter(_ values: [String] = [], in factory: any MetricsFactory) -> Counter {
        declare(as: .counter, in: factory)
        return Counter(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// A handle that sets one series of this metric.
    ///
    /// - Precondition: it was declared as a gauge.
    package func makeMeter(_ values: [String] = [], in factory: any MetricsFactory) -> Meter {
        declare(as: .gauge, in: factory)
        return Meter(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// A handle that adds durations to one series of this metric, in seconds.
    ///
    /// - Precondition: it was declared as a histogram.
    package func makeTimer(_ values: [String] = [], in factory: any MetricsFactory) -> Timer {
        declare(as: .histogram(bounds: []), in: factory)
        return Timer(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// Makes it known to `factory`, so that it is written before anything of it was counted.
    package func declare(in factory: any MetricsFactory) { (factory as? PrometheusFactory)?.declare(self) }

    private func declare(as handle: Kind, in factory: any MetricsFactory) {
        precondition(kind.type == handle.type, "\(name) is a \(kind.type)")
        declare(in: factory)
    }

    /// Whether a handle of this kind with these labels is one of it. What nobody has declared may have any labels.
    func takes(_ handle: Kind, _ labels: [String]) -> Bool {
        kind.type == handle.type && (help == nil || labels == self.labels)
    }

    func dimensions(_ values: [String]) -> [(String, String)] {
        precondition(values.count == labels.count, "\(name) has the labels \(labels)")
        return Array(zip(labels, values))
    }
}
