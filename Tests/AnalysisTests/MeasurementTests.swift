import Analysis
import Documents
import MeshCore
import TestSupport
import Testing

@Suite("Measurements")
struct MeasurementTests {
    private static let from = Timestamp(text: "2026-11-24T04:05:10Z") ?? Timestamp(microseconds: 0)

    private func measurement(_ outcome: MeasurementOutcome) -> Measurement {
        Measurement(
            k: 3, from: Self.from, to: Self.from + .seconds(10), outcome, value: 0.71, samples: 212,
            inputs: ["requests": 212, "errors": 61], at: Self.from + .seconds(12))
    }

    @Test func tellsInOneLine() throws {
        let name = try #require(Name("success"))
        let failed = measurement(MeasurementOutcome(.failed, "0.71 < 0.9"))
        #expect(failed.summary(of: name) == "metric \"success\" failed: 0.71 < 0.9 (n=212, 10 s from 04:05:10Z)")
        var outside = failed
        outside.samples = nil
        outside.to = outside.from + .milliseconds(1500)
        #expect(outside.summary(of: name) == "metric \"success\" failed: 0.71 < 0.9 (1500 ms from 04:05:10Z)")
        outside.phase = .inconclusive
        outside.message = ""
        #expect(outside.summary(of: name) == "metric \"success\" is inconclusive (1500 ms from 04:05:10Z)")
        outside.from = Timestamp(microseconds: .min)
        outside.to = Timestamp(microseconds: .max)
        for phase in AnalysisPhase.allCases {
            outside.phase = phase
            #expect(outside.summary(of: name).hasSuffix("Z)"))
        }
    }

    @Test func readsBack() throws {
        var measured = measurement(MeasurementOutcome(.failed, "0.71 < 0.9"))
        #expect(Measurement(measured.json) == measured)
        measured.reason = .coverage
        measured.baselineValue = 0.99
        measured.coverage = 0.875
        measured.samples = nil
        measured.value = nil
        for reason in [Measurement.Reason.notApplicable, .missed, .insufficientData, .coverage] {
            measured.reason = reason
            #expect(Measurement(measured.json) == measured)
        }
        var math = JudgeMath(n: 20, m: 21)
        (math.low, math.high, math.estimate, math.effect, math.meanRatio, math.p) = (-1.5, 2, 0.25, 1.1, 1.1, 0.02)
        for classification in [JudgeResult.Classification.pass, .error("tied"), .insufficientData, .noDataFailMetric] {
            measured.math = JudgeResult(classification, isCritical: true, math)
            #expect(Measurement(measured.json) == measured)
        }
    }

    @Test func writesOnlyNumbersThatJSONHas() {
        var measured = measurement(MeasurementOutcome(.error, "infinite"))
        measured.value = .infinity
        measured.baselineValue = .nan
        measured.coverage = .nan
        let json = measured.json
        #expect(json["value"] == .null)
        #expect(json["baselineValue"] == nil)
        #expect(json["coverage"] == nil)
        #expect(Measurement(json)?.coverage == 1)
    }

    @Test func leavesOutWhatDoesNotLookLikeIt() {
        let whole = measurement(MeasurementOutcome(.failed, "x")).json.objectValue ?? [:]
        for name in ["k", "from", "to", "at", "phase"] {
            var document = whole
            document[name] = nil
            #expect(Measurement(.object(document)) == nil, "\(name)")
            document[name] = ["x"]
            #expect(Measurement(.object(document)) == nil, "\(name)")
        }
        for name in ["reason", "value", "samples", "baselineValue", "coverage", "inputs", "math", "message"] {
            var document = whole
            document[name] = nil
            #expect(Measurement(.object(document)) != nil, "\(name)")
            for scrap in [["x"], "x", true, .integer(.min), .integer(.max), .number(.nan)] as [JSONValue] {
                document[name] = scrap
                #expect(Measurement(.object(document)) != nil, "\(name)")
            }
        }
        for scrap in [nil, [], "x", 1, [:]] as [JSONValue] {
            #expect(Measurement(scrap) == nil)
            #expect(JudgeResult(scrap) == nil)
        }
        #expect(JudgeResult(["classification": "Marginal"]) == nil)
    }

    @Test(
        arguments: [
            (JudgeResult.Classification.pass, AnalysisPhase.successful), (.high, .failed), (.low, .failed),
            (.noData, .skipped), (.noDataFailMetric, .skipped), (.insufficientData, .inconclusive),
            (.error("x"), .error),
        ])
    func takesThePhaseOfAJudgement(_ classification: JudgeResult.Classification, _ phase: AnalysisPhase) {
        let result = JudgeResult(classification, JudgeMath(n: 20, m: 20))
        #expect(result.phase(noData: .skipped) == phase)
        #expect(!result.message.isEmpty)
        let outcome = AnalysisMetric().outcome(of: result)
        #expect(outcome.phase == (phase == .skipped ? .inconclusive : phase))
        #expect(outcome.message == result.message)
    }

    @Test func tellsTheDifference() {
        var math = JudgeMath(n: 20, m: 20)
        (math.low, math.high, math.effect) = (1.5, 20.25, 1.31)
        let result = JudgeResult(.high, isCritical: true, math)
        #expect(result.message == "High, critical: difference from 1.5 to 20.25, effect 1.31")
    }
}
