import Analysis
import Testing

@Suite("Scores of judgements")
struct ScoringTests {
    private func metric(
        _ classification: JudgeResult.Classification, _ groups: [String] = ["a"], isCritical: Bool = false,
        noData: AnalysisPhase = .inconclusive, _ change: (inout JudgeOptions) -> Void = { _ in }
    ) -> JudgedMetric {
        var options = JudgeOptions()
        change(&options)
        let result = JudgeResult(classification, isCritical: isCritical, JudgeMath(n: 20, m: 20))
        return JudgedMetric(groups: groups, options: options, noData: noData, result: result)
    }

    private func scoring(_ weights: [String: Double] = [:]) -> Scoring {
        var scoring = Scoring()
        scoring.groupWeights = weights
        return scoring
    }

    @Test func weighsGroups() {
        let metrics = [
            metric(.pass, ["latency"]), metric(.high, ["latency"]), metric(.pass, ["errors"]), metric(.pass, ["other"]),
        ]
        #expect(scoring().score(metrics).score == 83.33)
        #expect(scoring(["latency": 60, "errors": 20]).score(metrics).score == 70)
        #expect(scoring(["latency": 60, "errors": 20]).score(metrics).groups["latency"] == 50)
        // Groups that are not there have no weight.
        #expect(scoring(["gone": 50]).score(metrics).score == 83.33)
        #expect(scoring(["latency": 0, "errors": 0, "other": 0]).score(metrics).score == 83.33)
    }

    @Test func countsAMetricInAllItsGroups() {
        let metrics = [metric(.low, ["a", "b"]), metric(.pass, ["a"]), metric(.pass, ["b"]), metric(.pass, [])]
        #expect(scoring().score(metrics).groups == ["a": 50, "b": 50, "": 100])
    }

    @Test(
        arguments: [
            (10, 0, AnalysisPhase.successful), (9, 1, .successful), (8, 2, .inconclusive), (75, 25, .inconclusive),
            (7, 3, .failed), (0, 1, .failed),
        ])
    func mapsScoresToPhases(_ passed: Int, _ failed: Int, _ phase: AnalysisPhase) {
        let metrics =
            Array(repeating: metric(.pass), count: passed) + Array(repeating: metric(.high), count: failed)
        #expect(scoring().score(metrics).phase == phase)
    }

    @Test func failsOnOneCriticalMetric() {
        let metrics = Array(repeating: metric(.pass), count: 99) + [metric(.high, isCritical: true)]
        let score = scoring().score(metrics)
        #expect(score.score == 0)
        #expect(score.phase == .failed)
        #expect(score.message == "a critical metric failed")
    }

    @Test func isAnErrorWithOneError() {
        let score = scoring().score([metric(.error("all observations are tied")), metric(.pass), metric(.pass)])
        #expect(score.phase == .error)
        #expect(scoring().score([metric(.error("x")), metric(.high, isCritical: true)]).phase == .failed)
    }

    @Test func isInconclusiveWithoutHalfTheData() {
        let half = scoring().score([metric(.noData), metric(.pass)])
        #expect(half.phase == .inconclusive)
        #expect(half.score == 0)
        #expect(half.message == "1 of 2 metrics have no data")
        let third = scoring().score([metric(.noData), metric(.pass, ["b"]), metric(.pass, ["b"])])
        #expect(third.phase == .successful)
        #expect(third.score == 100)
        #expect(third.groups == ["a": 0, "b": 100])
    }

    @Test(
        arguments: [
            (JudgeResult.Classification.noData, false, false, AnalysisPhase.inconclusive, AnalysisPhase.successful),
            (.noData, true, false, .inconclusive, .inconclusive), (.noData, false, true, .inconclusive, .inconclusive),
            (.noDataFailMetric, false, true, .successful, .inconclusive), (.noData, false, false, .failed, .failed),
            (.noData, false, false, .successful, .successful),
            (.insufficientData, false, false, .successful, .inconclusive),
        ])
    func neverPassesWithoutDataThatThereMustBe(
        _ classification: JudgeResult.Classification, _ isCritical: Bool, _ mustHaveData: Bool,
        _ noData: AnalysisPhase, _ expected: AnalysisPhase
    ) {
        let missing = metric(classification, ["b"], noData: noData) {
            $0.isCritical = isCritical
            $0.mustHaveData = mustHaveData
        }
        let score = scoring(["b": 1]).score([metric(.pass), metric(.pass), metric(.pass), missing])
        #expect(score.phase == expected)
    }

    @Test func leavesMutedMetricsOut() {
        let muted = metric(.high, isCritical: true) { $0.isMuted = true }
        #expect(scoring().score([muted, metric(.pass)]).score == 100)
        #expect(scoring().score([muted]).phase == .successful)
        #expect(scoring().score([]).phase == .successful)
    }

    @Test func takesWhatMetricsSay() throws {
        let template = try #require(BuiltinTemplates.all["builtin/http-compare"])
        let result = JudgeResult(.high, isCritical: true, JudgeMath(n: 20, m: 20))
        let judged = template.metrics.compactMap { JudgedMetric($0, result) }
        #expect(judged.map(\.groups) == [["latency"], ["errors"]])
        #expect(template.scoring.score(judged).phase == .failed)
        let golden = try #require(BuiltinTemplates.all[BuiltinTemplates.standard])
        #expect(golden.metrics.compactMap { JudgedMetric($0, result) }.isEmpty)
    }
}
