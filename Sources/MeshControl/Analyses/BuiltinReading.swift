internal import Analysis
internal import MeshCore
internal import MeshTelemetry

/// A window of what sidecars have counted of a service, for one of the server's own figures.
struct BuiltinWindow {
    /// By slot of ten seconds.
    var samples: [Int64: TrafficSample]
    var coverage: TrafficCoverage
    /// The window's length.
    var length: Duration
    /// The ports that the release splits.
    var ports: Set<Int>
    var stable: Name
    var canary: Name
    /// The namespace of the release, in which callers named without one are.
    var namespace: Name

    /// Requests of each side that a slot must have to be a judge's point.
    private static let minRequests: UInt64 = 5

    /// The figure of a metric, with how many requests it is of.
    func reading(of metric: AnalysisMetric) -> MetricReading {
        guard let figure = metric.builtin else { return MetricReading(.failure("not a figure of the server")) }
        let share = coverage.share
        guard share >= MetricReading.coverageNeeded else { return MetricReading(.uncovered, coverage: share) }
        if let judge = metric.judge { return points(figure, metric, judge, share) }
        let (mine, others) = (RequestCounts(sum(canary, metric)), RequestCounts(sum(stable, metric)))
        let have = figure.samples(mine)
        let fewest = metric.baseline == nil ? have : min(have, figure.samples(others))
        guard fewest >= metric.samplesNeeded else {
            return MetricReading(.tooFew(fewest), samples: have, coverage: share, inputs: inputs(mine, others, metric))
        }
        let baseline = metric.baseline == nil ? nil : figure.value(others, over: length)
        return MetricReading(
            .value(figure.value(mine, over: length), baseline: baseline), samples: have, coverage: share,
            inputs: inputs(mine, others, metric))
    }

    /// One point a slot that both versions have enough requests in.
    private func points(
        _ figure: BuiltinSeries, _ metric: AnalysisMetric, _ judge: JudgeOptions, _ share: Double
    ) -> MetricReading {
        var (experiment, control): ([Double], [Double]) = ([], [])
        for (_, sample) in samples.sorted(by: { $0.key < $1.key }) {
            let mine = RequestCounts(sum(sample, canary, metric))
            let others = RequestCounts(sum(sample, stable, metric))
            guard mine.requests >= Self.minRequests, others.requests >= Self.minRequests,
                let a = figure.value(mine, over: BuiltinMetric.slot),
                let b = figure.value(others, over: BuiltinMetric.slot)
            else { continue }
            experiment.append(a)
            control.append(b)
        }
        guard experiment.count >= judge.minSamples else {
            return MetricReading(
                .tooFew(experiment.count), samples: experiment.count, coverage: share,
                inputs: Self.inputs(experiment, control))
        }
        return MetricReading(
            .points(experiment: experiment, control: control), samples: experiment.count, coverage: share,
            inputs: Self.inputs(experiment, control))
    }

    /// A judge's points, in order.
    private static func inputs(_ experiment: [Double], _ control: [Double]) -> [String: Double] {
        var inputs: [String: Double] = [:]
        for (index, (a, b)) in zip(experiment, control).enumerated() {
            inputs["canary\(index)"] = a
            inputs["stable\(index)"] = b
        }
        return inputs
    }

    /// The numbers of which the figures of both sides can be computed again.
    private func inputs(_ mine: RequestCounts, _ others: RequestCounts, _ metric: AnalysisMetric) -> [String: Double] {
        guard metric.baseline != nil else { return mine.inputs("") }
        return mine.inputs("").merging(others.inputs("baseline.")) { first, _ in first }
    }

    private func sum(_ version: Name, _ metric: AnalysisMetric) -> TrafficCounts {
        samples.values.reduce(into: TrafficCounts()) { $0.merge(sum($1, version, metric)) }
    }

    private func sum(_ sample: TrafficSample, _ version: Name, _ metric: AnalysisMetric) -> TrafficCounts {
        sample.sum { series in
            guard series.version == version, ports.contains(series.port) else { return false }
            guard !metric.sources.isEmpty else { return true }
            guard let source = series.source?.service else { return false }
            return metric.sources.contains {
                $0 == "\(source)" || (source.namespace == namespace && $0 == source.name.text)
            }
        }
    }
}

/// Everything of the requests to a version that figures go by; kept with a measurement, which can be computed of it again.
struct RequestCounts {
    var requests: UInt64
    var errors: UInt64
    var attempts: UInt64
    var failedAttempts: UInt64
    var latency: LatencyHistogram
}

extension RequestCounts {
    init(_ counts: TrafficCounts) {
        self.init(
            requests: counts.requests, errors: counts.errors, attempts: counts.attempts,
            failedAttempts: counts.failedAttempts, latency: counts.latency)
    }

    /// By name, with the buckets that counted something.
    ///
    /// - Parameter side: stands before each name.
    func inputs(_ side: String) -> [String: Double] {
        var inputs = [
            side + "requests": Double(requests), side + "errors": Double(errors), side + "attempts": Double(attempts),
            side + "failedAttempts": Double(failedAttempts), side + "latencySum": latency.sum,
        ]
        for bucket in 0..<LatencyLadder.bucketCount where latency[bucket] > 0 {
            let name = bucket < LatencyLadder.bounds.count ? "le\(LatencyLadder.bounds[bucket])" : "leInf"
            inputs[side + name] = Double(latency[bucket])
        }
        return inputs
    }
}

extension BuiltinSeries {
    /// How many requests, or tries, the figure is of.
    func samples(_ counts: RequestCounts) -> Int {
        switch metric {
        case .requestSuccessRate, .requestRate: Int(clamping: counts.requests)
        case .attemptSuccessRate: Int(clamping: counts.attempts)
        case .medianDuration, .p95Duration, .p99Duration, .meanDuration, .slowRequestRatio:
            Int(clamping: counts.latency.count)
        }
    }

    /// - Returns: `nil` where nothing tells.
    func value(_ counts: RequestCounts, over length: Duration) -> Double? {
        func share(_ bad: UInt64, of all: UInt64) -> Double? { all == 0 ? nil : max(0, 1 - Double(bad) / Double(all)) }
        switch metric {
        case .requestSuccessRate: return share(counts.errors, of: counts.requests)
        case .attemptSuccessRate: return share(counts.failedAttempts, of: counts.attempts)
        case .medianDuration, .p95Duration, .p99Duration: return metric.quantile.flatMap(counts.latency.quantile)
        case .meanDuration: return counts.latency.mean
        case .slowRequestRatio:
            let bound = Int(clamping: (over ?? .zero).microseconds / 1_000)
            guard let slow = counts.latency.countAbove(bound), counts.latency.count > 0 else { return nil }
            return Double(slow) / Double(counts.latency.count)
        case .requestRate:
            let seconds = Double(length.microseconds) / 1e6
            return seconds > 0 ? Double(counts.requests) / seconds : nil
        }
    }
}
