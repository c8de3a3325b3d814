import Analysis
import Documents
import MeshCore
import TestSupport
import Testing

@Suite("What measurements come to")
struct AssessmentTests {
    private func metric(_ members: [String: JSONValue]) throws -> AnalysisMetric {
        var all: [String: JSONValue] = ["name": "m", "provider": ["builtin": "request-success-rate"]]
        all.merge(members) { $1 }
        let log = ViolationLog()
        let metric = AnalysisMetric.read(.object(all.filter { $0.value != .null }), at: .root, log: log)
        return try #require(metric, "\(log.violations)")
    }

    private static let (success, failure): (JSONValue, JSONValue) = ("result >= 0.9", "result < 0.5")

    @Test(
        arguments: [
            (["successCondition": success], 0.95, .successful, "0.95 >= 0.9"),
            (["successCondition": success], 0.71, .failed, "0.71 < 0.9"),
            (["failureCondition": failure], 0.4, .failed, "0.4 < 0.5"),
            (["failureCondition": failure], 0.5, .successful, "0.5 >= 0.5"),
            (["successCondition": success, "failureCondition": failure], 0.4, .failed, "0.4 < 0.5"),
            (["successCondition": success, "failureCondition": failure], 0.7, .inconclusive, "0.7 < 0.9"),
            (["successCondition": success, "failureCondition": failure], 0.9, .successful, "0.9 >= 0.9"),
            (["successCondition": success, "failureCondition": "result < 2"], 1, .failed, "1 < 2"),
            (
                ["successCondition": "result > 0.5 && result < 0.6"], 0.7, .failed,
                "0.7, successCondition result > 0.5 && result < 0.6 does not hold"
            ),
            (
                ["failureCondition": "result > 0.5 || false"], 0.7, .failed,
                "0.7, failureCondition result > 0.5 || false holds"
            ),
            (["successCondition": success], nil, .inconclusive, "no data"),
            (["successCondition": success], .nan, .inconclusive, "no data"),
            (["successCondition": success, "onNoData": "successful"], nil, .successful, "no data"),
            (["successCondition": success, "onNoData": "failed"], nil, .failed, "no data"),
            (["successCondition": "default(result, 1) > 0"], nil, .successful, "1 > 0"),
            (["successCondition": success, "failureCondition": "default(result, 0) < 0.5"], nil, .failed, "0 < 0.5"),
            (
                ["successCondition": success], .infinity, .error, "the value is infinite, or the condition overflows"
            ),
            (["thresholdRange": ["min": .number(0.9)]], 0.71, .failed, "0.71 < 0.9"),
            (["thresholdRange": ["min": .number(0.9)]], 0.9, .successful, "0.9"),
            (["thresholdRange": ["max": 250]], 300, .failed, "300 > 250"),
            (["thresholdRange": ["min": 1, "max": 250]], 250, .successful, "250"),
            (["thresholdRange": ["max": 250]], nil, .inconclusive, "no data"),
            (
                ["thresholdRange": ["max": 250]], -.infinity, .error,
                "the value is infinite, or the condition overflows"
            ),
            (["successCondition": "result > baseline", "baseline": "stable"], 0.7, .failed, "0.7 <= 0.8"),
        ] as [([String: JSONValue], Double?, AnalysisPhase, String)])
    func decides(_ members: [String: JSONValue], _ value: Double?, _ phase: AnalysisPhase, _ message: String) throws {
        let outcome = try metric(members).outcome(of: value, baseline: 0.8)
        #expect(outcome == MeasurementOutcome(phase, message))
    }

    @Test func isAnErrorWithoutConditions() {
        #expect(AnalysisMetric().outcome(of: 1, baseline: nil).phase == .error)
    }

    /// Letters stand for outcomes: success, failure, inconclusive, error, skipped.
    @Test(
        arguments: [
            ("", [:], .pending), ("s", [:], .successful), ("f", [:], .failed), ("i", [:], .inconclusive),
            ("e", [:], .running), ("x", [:], .pending), ("eeee", [:], .running), ("eeeee", [:], .error),
            ("eeeees", [:], .successful), ("eeeesee", ["count": 3], .running), ("ss", ["count": 3], .running),
            ("sxs", ["count": 3], .running), ("sss", ["count": 3], .successful), ("sese", ["count": 3], .running),
            ("f", ["count": 3, "failureLimit": 1], .running), ("ff", ["count": 3, "failureLimit": 1], .failed),
            ("fss", ["count": 3, "failureLimit": 1], .successful),
            ("fff", ["count": 3, "failureLimit": -1], .successful),
            ("i", ["count": 3, "inconclusiveLimit": 1], .running),
            ("ii", ["count": 3, "inconclusiveLimit": 1], .inconclusive),
            ("fi", ["count": 3], .failed), ("if", ["count": 3], .failed), ("ieeeee", ["count": 3], .inconclusive),
            ("feeeee", ["count": 3], .failed), ("ee", ["consecutiveErrorLimit": 1], .error),
            ("ss", ["count": 5, "consecutiveSuccessLimit": 2], .successful),
            ("sfs", ["count": 5, "consecutiveSuccessLimit": 2, "failureLimit": 3], .running),
            ("sxs", ["count": 5, "consecutiveSuccessLimit": 2], .successful),
            ("ses", ["count": 5, "consecutiveSuccessLimit": 2], .running),
            ("sfsf", ["count": 4, "consecutiveSuccessLimit": 2, "failureLimit": 3], .inconclusive),
            ("sfsf", ["count": 4, "consecutiveSuccessLimit": 2, "failureLimit": -1], .failed),
        ] as [(String, [String: JSONValue], AnalysisPhase)])
    func assesses(_ outcomes: String, _ members: [String: JSONValue], _ expected: AnalysisPhase) throws {
        let metric = try metric(members.merging(["successCondition": Self.success]) { $1 })
        #expect(counters(outcomes).assess(metric) == expected)
    }

    @Test func hasNoEndInTheBackground() throws {
        let metric = try metric(["successCondition": Self.success])
        #expect(counters("ssssssss").assess(metric, inBackground: true) == .running)
        #expect(counters("sf").assess(metric, inBackground: true) == .failed)
        var judge = AnalysisMetric()
        judge.source = .judge(JudgeOptions())
        #expect(counters("sf").assess(judge, inBackground: true) == .running)
        #expect(counters("sff").assess(judge, inBackground: true) == .failed)
        #expect(counters("f").assess(judge) == .failed)
    }

    private func counters(_ outcomes: String) -> MetricCounters {
        let phases: [Character: AnalysisPhase] = [
            "s": .successful, "f": .failed, "i": .inconclusive, "e": .error, "x": .skipped,
        ]
        return outcomes.reduce(into: MetricCounters()) { $0.record(phases[$1] ?? .running) }
    }

    @Test func counts() {
        let counted = counters("sfiexsse?")
        #expect(counted.count == 5)
        #expect((counted.successful, counted.failed, counted.inconclusive) == (3, 1, 1))
        #expect((counted.error, counted.consecutiveError, counted.consecutiveSuccess) == (2, 1, 0))
        #expect(counted.skipped == 1)
        #expect(counters("ss").consecutiveSuccess == 2)
    }

    @Test func readsCountersBack() {
        var random = SeededGenerator(seed: 41)
        for _ in 0..<200 {
            var counted = MetricCounters()
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                counted.record(AnalysisPhase.allCases.randomElement(using: &random) ?? .error)
            }
            #expect(MetricCounters(counted.json) == counted)
        }
        #expect(MetricCounters([]) == MetricCounters())
        var hostile = MetricCounters([
            "count": .integer(.max), "failed": -5, "error": "7", "successful": .integer(.max), "skipped": nil,
        ])
        hostile.record(.successful)
        #expect(hostile.count == Int(Int32.max))
        #expect((hostile.failed, hostile.error, hostile.skipped) == (0, 0, 0))
    }

    @Test(
        arguments: [
            ([.successful, .running], .running), ([.pending, .running], .pending),
            ([.successful, .inconclusive, .running], .inconclusive), ([.inconclusive, .error], .error),
            ([.failed, .error, .inconclusive], .failed), ([.successful, .successful], .successful),
        ] as [([AnalysisPhase], AnalysisPhase)])
    func takesTheWorstMetric(_ phases: [AnalysisPhase], _ expected: AnalysisPhase) {
        let metrics = phases.map { (phase: $0, isDryRun: false) }
        #expect(AnalysisPhase.ofRun(metrics) == expected)
        #expect(AnalysisPhase.ofRun(metrics.reversed()) == expected)
        #expect(AnalysisPhase.ofRun(metrics + [(phase: .failed, isDryRun: true)]) == expected)
    }

    @Test func succeedsWithoutMetricsThatCount() {
        #expect(AnalysisPhase.ofRun([]) == .successful)
        #expect(AnalysisPhase.ofRun([(phase: .failed, isDryRun: true)]) == .successful)
        #expect(AnalysisPhase.ofRun([(phase: .running, isDryRun: true)]) == .running)
        #expect(AnalysisPhase.ofRun([(phase: .error, isDryRun: true)]) == .running)
    }
}
