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

        /// What Prometheus calls it.
        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// As Prometheus has it: with its unit, and `_total` if it is a counter.
    package let name: String
    /// One sentence; `nil`: nobody has said it.
    package let help: String?
    package let kind: Kind
    /// Names of the labels, in the order in which their values are given.
    package let labels: [String]
    /// Series at most. Whatever comes beyond is counted together, in one that has ``overflow`` for each label: sums stay
    /// right, and nobody who invents label values fills the memory.
    package let seriesLimit: Int

    /// What labels say in the series of all that was too much.
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
    package func counter(_ values: [String] = [], in factory: any MetricsFactory) -> Counter {
        declare(in: factory)
        return Counter(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// A handle that sets one series of this metric.
    package func meter(_ values: [String] = [], in factory: any MetricsFactory) -> Meter {
        declare(in: factory)
        return Meter(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// A handle that adds durations to one series of this metric, a histogram in seconds.
    package func timer(_ values: [String] = [], in factory: any MetricsFactory) -> Timer {
        declare(in: factory)
        return Timer(label: name, dimensions: dimensions(values), factory: factory)
    }

    /// Makes it known to `factory`, so that it is written before anything of it was counted.
    package func declare(in factory: any MetricsFactory) { (factory as? PrometheusFactory)?.declare(self) }

    func dimensions(_ values: [String]) -> [(String, String)] {
        precondition(values.count == labels.count, "\(name) has the labels \(labels)")
        return Array(zip(labels, values))
    }
}
