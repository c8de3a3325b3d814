package import CoreMetrics
package import Logging
internal import Synchronization

/// Keeps what is counted through swift-metrics, ours and that of libraries, and writes it for Prometheus.
package final class PrometheusFactory: MetricsFactory {
    private struct State {
        var families: [String: Family] = [:]
        var readings: [@Sendable () -> Void] = []
        /// Names that handles were refused for.
        var clashes: Set<String> = []
    }

    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter logger: is told of metrics that cannot be kept.
    package init(logger: Logger) { self.logger = logger }

    /// Makes a metric known, so that it is written with its help, even before anything of it was counted.
    ///
    /// The first declaration of a name holds.
    package func declare(_ metric: Metric) {
        state.withLock { state in
            if state.families[metric.name] == nil { state.families[metric.name] = Family(metric) }
        }
    }

    /// Has `read` set, each time before they are written, the handles of what is only known when somebody looks.
    package func onScrape(_ read: @escaping @Sendable () -> Void) {
        state.withLock { $0.readings.append(read) }
    }

    /// All metrics, sorted, in Prometheus' text format.
    package func text() -> String {
        // Not under the lock: they are other people's code.
        for read in state.withLock({ $0.readings }) { read() }
        let families = state.withLock { Array($0.families.values) }
        var text = Exposition()
        for family in families.sorted(by: { $0.metric.name < $1.metric.name }) { family.write(to: &text) }
        return text.text
    }

    /// The series that is meant, made if it is new; `nil` if it is not kept, because there are too many of it or because its name
    /// is that of another metric.
    private func series<S: Series>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Metric.Kind, as type: S.Type
    ) -> S? {
        let name = Exposition.name(label)
        let (series, isFirstClash) = state.withLock { state -> (S?, Bool) in
            let known = state.families[name]?.metric
            guard known?.takes(kind, dimensions.map(\.0)) ?? true else {
                return (nil, state.clashes.insert(name).inserted)
            }
            let dimensions = known?.help == nil ? Self.canonical(dimensions) : dimensions
            let new = Metric(name, nil, kind, dimensions.map(\.0), Metric.usualSeriesLimit)
            return (state.families[name, default: Family(new)].series(dimensions) as? S, false)
        }
        if isFirstClash {
            logger.warning(
                "what is counted is lost: a metric of this name has another type or other labels",
                metadata: ["metric": "\(label)"])
        }
        return series
    }

    /// Labels in one order, whatever the order in which a library gives them, and with names that Prometheus takes, none of them twice.
    private static func canonical(_ dimensions: [(String, String)]) -> [(String, String)] {
        let unique = Dictionary(dimensions.map { (Exposition.name($0.0), $0.1) }) { first, _ in first }
        return unique.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

/// The buckets of a histogram that is not declared: none, since nobody has said which buckets would tell something: its histograms are a sum and a count.
///
/// A name that is taken is not worth ending a program for: what is counted under it is lost. Nothing is forgotten when a handle
/// is destroyed: a total stays what it was.
extension PrometheusFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter, as: CounterSeries.self) ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge, as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            return series(label, dimensions, .gauge, as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
        }
        return series(label, dimensions, .histogram(bounds: []), as: HistogramSeries.self)
            ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram(bounds: []), as: HistogramSeries.self) ?? NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
