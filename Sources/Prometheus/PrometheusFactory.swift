package import CoreMetrics
internal import Synchronization

/// Keeps what is counted through swift-metrics, ours and that of libraries, and writes it for Prometheus.
package final class PrometheusFactory: MetricsFactory {
    private struct State {
        var families: [String: Family] = [:]
        var readings: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

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

    /// The series that is meant, made if it is new; `nil` if the name is that of a metric of another kind.
    private func series<S: Series>(
        _ label: String, _ dimensions: [(String, String)], _ kind: Metric.Kind, suffix: String, as type: S.Type
    ) -> S? {
        state.withLock { state in
            let name = state.families[label] == nil ? Exposition.name(label, suffix: suffix) : label
            var family =
                state.families[name]
                ?? Family(Metric(name, nil, kind, dimensions.map(\.0), Metric.usualSeriesLimit))
            guard family.metric.kind.type == kind.type else { return nil }
            let series = family.series(dimensions)
            state.families[name] = family
            return series as? S
        }
    }

    /// Forgets a series, whose handles count nothing any more.
    private func forget(_ series: AnyObject) {
        state.withLock { state in
            for name in state.families.keys { state.families[name]?.forget(series) }
        }
    }
}

/// What libraries do not name as Prometheus wants it gets the unit or the ending that it lacks. A name that is taken by a metric
/// of another kind is not worth ending a program for: what is counted under it is lost.
extension PrometheusFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter, suffix: "_total", as: CounterSeries.self) ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge, suffix: "", as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else {
            return series(label, dimensions, .gauge, suffix: "", as: GaugeSeries.self) ?? NOOPMetricsHandler.instance
        }
        return series(label, dimensions, .usualSizes, suffix: "", as: HistogramSeries.self)
            ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .usualDurations, suffix: "_seconds", as: HistogramSeries.self)
            ?? NOOPMetricsHandler.instance
    }

    package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}

extension Metric.Kind {
    /// For durations whose metric was not declared, in seconds.
    fileprivate static let usualDurations = Self.histogram(bounds: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10])
    /// For sizes and numbers whose metric was not declared.
    fileprivate static let usualSizes = Self.histogram(bounds: [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000])
}
