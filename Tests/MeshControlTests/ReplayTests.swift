import Analysis
import Documents
import MeshCore
import MeshTelemetry
import TestSupport
import Testing

@testable import MeshControl

@Suite("A measurement is decided again from what is stored of it")
struct ReplayTests {
    private static let start = Timestamp(microseconds: 1_800_000_000_000_000)
    private static let traffic = MeasuredTraffic(since: start, hasCanary: true, hasStable: true)
    private static let (stable, canary) = (Name("v1") ?? .blank, Name("v2") ?? .blank)

    private static let documents: [JSONValue] = {
        let values: [JSONValue] = BuiltinMetric.allCases.flatMap { metric -> [JSONValue] in
            var provider: [String: JSONValue] = ["builtin": .string(metric.rawValue)]
            if metric == .slowRequestRatio { provider["over"] = "250ms" }
            let alone: JSONValue = [
                "name": "m", "provider": .object(provider), "interval": "1m", "minSamples": 5,
                "successCondition": "result < 0.9", "failureCondition": "result > 300",
            ]
            let compared: JSONValue = [
                "name": "m", "provider": .object(provider), "interval": "1m", "minSamples": 5, "baseline": "stable",
                "successCondition": "result <= baseline",
            ]
            return [alone, compared]
        }
        let judge: JSONValue = [
            "name": "m", "interval": "1m", "judge": ["type": "mannWhitney", "direction": "increase", "minSamples": 5],
            "series": ["builtin": "request-duration-mean"],
        ]
        return values + [judge]
    }()

    private static func counts(_ generator: inout SeededGenerator) -> TrafficCounts {
        var counts = TrafficCounts()
        for code in [200, 404, 503] { counts.answers.add(.random(in: 0...40, using: &generator), of: code) }
        counts.retried.add(.random(in: 0...5, using: &generator), of: 503)
        counts.calls.add(.random(in: 0...3, using: &generator), of: 13)
        for _ in 0..<Int.random(in: 0...40, using: &generator) {
            counts.latency.add(Double.random(in: 0...2_000, using: &generator))
        }
        return counts
    }

    private static func window(_ generator: inout SeededGenerator) -> BuiltinWindow {
        var samples: [Int64: TrafficSample] = [:]
        for slot in Int64(0)..<6 where Int.random(in: 0..<8, using: &generator) > 0 {
            var sample = TrafficSample()
            for version in [stable, canary] {
                sample.series[TrafficSeries(port: 80, version: version, source: nil)] = counts(&generator)
            }
            samples[slot] = sample
        }
        return BuiltinWindow(
            samples: samples, coverage: TrafficCoverage(), length: .seconds(60), ports: [80], stable: stable,
            canary: canary, namespace: Name("shop") ?? .blank)
    }

    /// The reading that a stored measurement was made of.
    private static func reading(_ stored: Measurement, of metric: AnalysisMetric) throws -> MetricReading {
        let inputs = (stored.inputs.objectValue ?? [:]).compactMapValues(\.numberValue)
        let content: MetricReading.Content
        let figure = try #require(metric.builtin)
        if metric.judge != nil {
            func points(_ side: String) -> [Double] {
                (0..<inputs.count / 2).compactMap { inputs["\(side)\($0)"] }
            }
            content =
                stored.reason == .insufficientData
                ? .tooFew(points("canary").count)
                : .points(experiment: points("canary"), control: points("stable"))
        } else {
            let (mine, others) = (RequestCounts(inputs, ""), RequestCounts(inputs, "baseline."))
            let fewest =
                metric.baseline == nil ? figure.samples(mine) : min(figure.samples(mine), figure.samples(others))
            let length = stored.to - stored.from
            content =
                fewest < metric.samplesNeeded
                ? .tooFew(fewest)
                : .value(
                    figure.value(mine, over: length),
                    baseline: metric.baseline == nil ? nil : figure.value(others, over: length))
        }
        return MetricReading(content, samples: stored.samples, coverage: stored.coverage, inputs: inputs)
    }

    private static func run(_ metric: AnalysisMetric) -> AnalysisRun {
        var template = AnalysisTemplateSpec()
        template.metrics = [metric]
        var run = AnalysisRun(
            id: "r", .background, step: 0, attempt: 1, startedAt: start, templates: [("t", template)])
        _ = run.plan(traffic, now: start)
        return run
    }

    @Test("with the same value and phase, whichever figure it is of", arguments: documents.indices)
    func replay(_ index: Int) throws {
        let log = ViolationLog()
        var document = Self.documents[index].objectValue ?? [:]
        document["maxWindow"] = "1m"
        let metric = try #require(
            AnalysisMetric.read(.object(document), at: .root, log: log), "\(log.violations)")
        var (values, phases): (Set<Double?>, Set<AnalysisPhase>) = ([], [])
        for seed in 0..<40 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let now = Self.start + .seconds(200)
            var (first, second) = (Self.run(metric), Self.run(metric))
            let taken = first.take(Self.window(&generator).reading(of: metric), of: 0, now: now)
            let measurement = try #require(taken)
            let stored = try #require(Measurement(measurement.json))
            let again = second.take(try Self.reading(stored, of: metric), of: 0, now: now)
            #expect(again == measurement, "\(metric.name) \(seed)")
            values.insert(measurement.value)
            phases.insert(measurement.phase)
        }
        #expect(values.count > 20 || phases.count > 1, "they differ")
    }
}

extension RequestCounts {
    fileprivate init(_ inputs: [String: Double], _ side: String) {
        func number(_ name: String) -> UInt64 { UInt64(inputs[side + name] ?? 0) }
        var latency = LatencyHistogram()
        var sum = inputs[side + "latencySum"] ?? 0
        for bucket in 0..<LatencyLadder.bucketCount {
            let isBound = bucket < LatencyLadder.bounds.count
            let count = number(isBound ? "le\(LatencyLadder.bounds[bucket])" : "leInf")
            latency.add(count: count, inBucket: bucket, sum: sum)
            if count > 0 { sum = 0 }
        }
        self.init(
            requests: number("requests"), errors: number("errors"), attempts: number("attempts"),
            failedAttempts: number("failedAttempts"), latency: latency)
    }
}
