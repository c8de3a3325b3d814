import Documents
import MeshCore
import Testing

@testable import Analysis

@Suite("A run of an analysis")
struct AnalysisRunTests {
    private static let start = Timestamp(microseconds: 1_800_000_000_000_000)

    private static func at(_ seconds: Double) -> Timestamp { start + .seconds(seconds) }

    private static func metric(_ change: [String: JSONValue] = [:]) throws -> AnalysisMetric {
        let standard: [String: JSONValue] = [
            "name": "success", "provider": ["builtin": "request-success-rate"], "interval": "10s", "minSamples": 20,
            "successCondition": "result >= 0.9",
        ]
        let document = JSONValue.object(standard.merging(change) { $1 })
        let log = ViolationLog()
        return try #require(AnalysisMetric.read(document, at: .root, log: log), "\(log.violations)")
    }

    private static func run(_ metrics: [AnalysisMetric], _ kind: AnalysisRun.Kind = .step) -> AnalysisRun {
        var template = AnalysisTemplateSpec()
        template.metrics = metrics
        return AnalysisRun(id: "r", kind, step: 1, attempt: 1, startedAt: start, templates: [("ok", template)])
    }

    private static let traffic = MeasuredTraffic(since: at(3), hasCanary: true, hasStable: true)

    private static func value(_ value: Double, _ samples: Int = 100) -> MetricReading {
        MetricReading(.value(value, baseline: nil), samples: samples)
    }

    @Test(
        "measures windows of slots that begin when every report is about the traffic, and are known eight seconds after they end"
    )
    func windows() throws {
        var run = Self.run([try Self.metric()], .background)
        #expect(run.nextDue == nil)
        _ = run.plan(Self.traffic, now: Self.at(3))
        #expect(run.metrics[0].window?.from == Self.at(20) && run.metrics[0].window?.to == Self.at(30))
        #expect(run.nextDue == Self.at(38) && run.due(at: Self.at(37.9)).isEmpty && run.due(at: Self.at(38)) == [0])
        let takenFirst = run.take(Self.value(1), of: 0, now: Self.at(38))
        let first = try #require(takenFirst)
        #expect(first.k == 0 && first.phase == .successful && run.nextDue == Self.at(48))
        #expect(run.measuredSince == Self.at(20) && run.phase == .running)
        // A change of traffic cuts the window.
        var changed = run
        _ = changed.plan(nil, now: Self.at(39))
        #expect(changed.nextDue == nil)
        _ = changed.plan(MeasuredTraffic(since: Self.at(40), hasCanary: true, hasStable: true), now: Self.at(40))
        #expect(changed.metrics[0].window?.from == Self.at(50) && changed.metrics[0].next == 1)
        #expect(AnalysisRun(run.json)?.json == run.json)
    }

    @Test("becomes longer while there are too few requests, and then is undecided")
    func tooFew() throws {
        var run = Self.run([try Self.metric(["maxWindow": "30s"])])
        _ = run.plan(Self.traffic, now: Self.at(3))
        for due in [38.0, 48] {
            #expect(run.take(MetricReading(.tooFew(7)), of: 0, now: Self.at(due)) == nil)
            #expect(run.phase == .pending && run.shortages == ["metric \"success\" has 7 of 20 requests"])
        }
        #expect(run.metrics[0].window?.from == Self.at(20) && run.nextDue == Self.at(58))
        let takenMeasurement = run.take(MetricReading(.tooFew(9)), of: 0, now: Self.at(58))
        let measurement = try #require(takenMeasurement)
        #expect(measurement.phase == .inconclusive && measurement.reason == .insufficientData)
        #expect(run.phase == .inconclusive && run.completedAt == Self.at(58) && run.shortages.isEmpty)
        #expect(
            run.message
                == "analysis \"ok\": metric \"success\" is inconclusive: 9 requests, needs 20 (30 s from 08:00:20Z)")
    }

    @Test("never takes numbers for a verdict of which too many are missing")
    func uncovered() throws {
        var run = Self.run([try Self.metric(["maxWindow": "10s"])])
        _ = run.plan(Self.traffic, now: Self.at(3))
        let measurement = run.take(MetricReading(.uncovered, coverage: 0.5), of: 0, now: Self.at(38))
        #expect(measurement?.reason == .coverage && run.phase == .inconclusive)
    }

    @Test("skips windows that nobody measured, and measures the newest late")
    func missed() throws {
        var run = Self.run([try Self.metric()], .background)
        _ = run.plan(Self.traffic, now: Self.at(3))
        let skipped = run.plan(Self.traffic, now: Self.at(80))
        #expect(skipped.count == 1 && skipped[0].1.reason == .missed)
        #expect(skipped[0].1.from == Self.at(20) && skipped[0].1.to == Self.at(60))
        #expect(run.metrics[0].window?.from == Self.at(60) && run.due(at: Self.at(80)) == [0])
        #expect(run.metrics[0].counters.skipped == 1 && run.metrics[0].counters.count == 0)
    }

    @Test("is done where there is nothing to measure by the plan, and says so once")
    func notApplicable() throws {
        let comparing = try Self.metric([
            "name": "compare", "baseline": "stable", "successCondition": "result >= baseline",
        ])
        let all = MeasuredTraffic(since: Self.at(3), hasCanary: true, hasStable: false)
        var run = Self.run([comparing])
        #expect(run.plan(all, now: Self.at(4)).map(\.1.reason) == [.notApplicable])
        #expect(run.phase == .successful)
        var beside = Self.run([comparing, try Self.metric()], .background)
        #expect(beside.plan(all, now: Self.at(4)).count == 1 && beside.plan(all, now: Self.at(5)).isEmpty)
        #expect(!beside.phase.isFinal && beside.measuredSince == nil)
        _ = beside.take(Self.value(1), of: 1, now: Self.at(38))
        #expect(beside.measuredSince == Self.at(3))
    }

    @Test("fails with its worst metric, dry runs left aside, and measures no more")
    func worst() throws {
        var run = Self.run([
            try Self.metric(), try Self.metric(["name": "other"]), try Self.metric(["name": "dry", "dryRun": true]),
        ])
        _ = run.plan(Self.traffic, now: Self.at(3))
        _ = run.take(Self.value(0.1), of: 2, now: Self.at(38))
        #expect(!run.phase.isFinal)
        _ = run.take(Self.value(1), of: 0, now: Self.at(38))
        #expect(!run.phase.isFinal)
        _ = run.take(Self.value(0.71, 212), of: 1, now: Self.at(38))
        #expect(run.phase == .failed && run.nextDue == nil && run.due(at: Self.at(100)).isEmpty)
        #expect(run.message == "analysis \"ok\": metric \"other\" failed: 0.71 < 0.9 (n=212, 10 s from 08:00:20Z)")
        #expect(run.take(Self.value(1), of: 0, now: Self.at(99)) == nil)
    }

    @Test("goes on where nobody answers, and forgets it with the first answer")
    func errors() throws {
        var run = Self.run([try Self.metric(["consecutiveErrorLimit": 1])], .background)
        _ = run.plan(Self.traffic, now: Self.at(3))
        _ = run.take(MetricReading(.failure("503")), of: 0, now: Self.at(38))
        #expect(run.phase == .running && run.errorSince == Self.at(38))
        _ = run.take(MetricReading(.failure("503")), of: 0, now: Self.at(48))
        #expect(run.phase == .error && !run.phase.isFinal && run.nextDue == Self.at(58) && run.message.contains("503"))
        _ = run.take(Self.value(1), of: 0, now: Self.at(58))
        #expect(run.phase == .running && run.errorSince == nil && run.message.isEmpty)
        run.cancel(now: Self.at(59))
        #expect(run.phase == .canceled && AnalysisRun(run.json)?.phase == .canceled)
    }

    @Test("has judgements decide together")
    func judges() throws {
        func judged(_ name: String, _ group: String) throws -> AnalysisMetric {
            let document: JSONValue = [
                "name": .string(name), "judge": ["type": "mannWhitney", "direction": "increase"],
                "series": ["builtin": "request-duration-mean"], "groups": [.string(group)],
            ]
            return try #require(AnalysisMetric.read(document, at: .root, log: ViolationLog()))
        }
        let (good, bad) = ((0..<20).map { 10 + Double($0 % 5) }, (0..<20).map { 30 + Double($0 % 5) })
        for (second, phase) in [(good, AnalysisPhase.successful), (bad, .failed)] {
            var template = AnalysisTemplateSpec()
            template.metrics = [try judged("a", "x"), try judged("b", "y")]
            var run = AnalysisRun(
                id: "r", .step, step: 0, attempt: 1, startedAt: Self.start, templates: [("ok", template)])
            _ = run.plan(Self.traffic, now: Self.at(3))
            _ = run.take(MetricReading(.points(experiment: good, control: good)), of: 0, now: Self.at(300))
            #expect(run.phase == .running)
            _ = run.take(MetricReading(.points(experiment: second, control: good)), of: 1, now: Self.at(300))
            #expect(run.phase == phase, "\(run.message)")
        }
    }

    @Test("without metrics is an error, and so is one that cannot be read: nothing was looked at")
    func empty() throws {
        var run = Self.run([])
        _ = run.plan(Self.traffic, now: Self.at(3))
        #expect(run.phase == .error && run.errorSince == Self.at(3) && run.measuredSince == nil)
        #expect(run.message == "the analysis has no metrics that this server can read")
        _ = run.plan(Self.traffic, now: Self.at(9))
        #expect(run.phase == .error && run.errorSince == Self.at(3), "it goes on being one")
        let unreadable = AnalysisRun.unreadable(id: "r", startedAt: Self.at(1))
        #expect(unreadable.phase == .error && unreadable.errorSince == Self.at(1) && !unreadable.message.isEmpty)
    }

    @Test(
        "is news when its phase, its errors or what was measured change, or another metric waits; not when requests come"
    )
    func standing() throws {
        var run = Self.run([try Self.metric(), try Self.metric(["name": "other"])], .background)
        _ = run.plan(Self.traffic, now: Self.at(3))
        var last = run.standing
        func isNews(_ change: (inout AnalysisRun) -> Void) -> Bool {
            change(&run)
            defer { last = run.standing }
            return run.standing != last
        }
        let waits = isNews { _ = $0.take(MetricReading(.tooFew(7)), of: 0, now: Self.at(38)) }
        let growsOnly = isNews { _ = $0.take(MetricReading(.tooFew(9)), of: 0, now: Self.at(48)) }
        let othersWait = isNews { _ = $0.take(MetricReading(.tooFew(9)), of: 1, now: Self.at(48)) }
        let hasError = isNews { _ = $0.take(MetricReading(.failure("503")), of: 1, now: Self.at(58)) }
        let isMeasured = isNews {
            _ = $0.take(Self.value(1), of: 0, now: Self.at(58))
            _ = $0.take(Self.value(1), of: 1, now: Self.at(68))
        }
        let fails = isNews { _ = $0.take(Self.value(0), of: 1, now: Self.at(78)) }
        #expect(waits && !growsOnly && othersWait && hasError && isMeasured && fails)
    }

    @Test("that goes past what is undecided is over when no other metric can fail any more")
    func goesPastUndecided() throws {
        let metrics = [
            try Self.metric(["maxWindow": "10s"]), try Self.metric(["name": "other", "interval": "20s"]),
        ]
        func undecided(_ accepts: Bool) -> AnalysisRun {
            var run = Self.run(metrics)
            run.acceptsUndecided = accepts
            _ = run.plan(Self.traffic, now: Self.at(3))
            _ = run.take(MetricReading(.tooFew(7)), of: 0, now: Self.at(38))
            return run
        }
        #expect(undecided(false).phase == .inconclusive)
        var (fails, succeeds) = (undecided(true), undecided(true))
        #expect(fails.phase == .running && fails.nextDue == Self.at(48) && fails.message.isEmpty)
        _ = fails.take(Self.value(0), of: 1, now: Self.at(48))
        #expect(fails.phase == .failed)
        _ = succeeds.take(Self.value(1), of: 1, now: Self.at(48))
        #expect(succeeds.phase == .inconclusive && succeeds.completedAt == Self.at(48))
    }

    @Test("beside the steps goes on with a metric that is undecided, so that no other begins to count anew")
    func undecidedBesideTheSteps() throws {
        var run = Self.run(
            [try Self.metric(["maxWindow": "10s"]), try Self.metric(["name": "other", "failureLimit": 1])], .background)
        run.acceptsUndecided = true
        _ = run.plan(Self.traffic, now: Self.at(3))
        for now in [38.0, 48] {
            _ = run.take(MetricReading(.tooFew(7)), of: 0, now: Self.at(now))
            #expect(run.phase == .running || run.phase == .pending)
            _ = run.take(Self.value(0), of: 1, now: Self.at(now))
        }
        #expect(run.phase == .failed && run.metrics[0].counters.inconclusive == 2)
    }
}
