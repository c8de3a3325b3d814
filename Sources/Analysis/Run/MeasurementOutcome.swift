/// The meaning of a measured value.
package struct MeasurementOutcome: Hashable, Sendable {
    /// Successful, Failed, Inconclusive or Error.
    package var phase: AnalysisPhase
    /// The comparison that decided, `0.71 < 0.9`, or another clause for people.
    package var message: String

    package init(_ phase: AnalysisPhase, _ message: String) {
        self.phase = phase
        self.message = message
    }
}

extension AnalysisMetric {
    /// The meaning of a value, by the range or the conditions of a resolved template.
    ///
    /// A failure condition that holds fails; with a success condition alone anything else fails, with a failure condition alone anything
    /// else succeeds, and with both what fits neither is inconclusive. No data is what ``onNoData`` says, unless conditions have a
    /// `default` for it. Infinite values and conditions that overflow are errors.
    ///
    /// - Parameter baseline: the value of the version that it is compared with.
    package func outcome(of value: Double?, baseline: Double?) -> MeasurementOutcome {
        if let thresholdRange { return outcome(of: value, within: thresholdRange) }
        let failure = Verdict(failureCondition, named: "failureCondition", of: self, value, baseline)
        let success = Verdict(successCondition, named: "successCondition", of: self, value, baseline)
        if let problem = failure?.problem { return outcome(of: problem) }
        if let failure, failure.holds { return MeasurementOutcome(.failed, failure.message) }
        if let problem = success?.problem { return outcome(of: problem) }
        switch (failure, success) {
        case (_, let success?) where success.holds: return MeasurementOutcome(.successful, success.message)
        case (nil, let success?): return MeasurementOutcome(.failed, success.message)
        case (.some, let success?): return MeasurementOutcome(.inconclusive, success.message)
        case (let failure?, nil): return MeasurementOutcome(.successful, failure.message)
        case (nil, nil): return MeasurementOutcome(.error, "there is no condition that can be read")
        }
    }

    /// The meaning of a judgement.
    package func outcome(of result: JudgeResult) -> MeasurementOutcome {
        MeasurementOutcome(result.phase(noData: noDataPhase), result.message)
    }

    /// The phase of a measurement without a value.
    package var noDataPhase: AnalysisPhase {
        switch onNoData {
        case .inconclusive: .inconclusive
        case .successful: .successful
        case .failed: .failed
        }
    }

    private func outcome(of value: Double?, within range: ThresholdRange) -> MeasurementOutcome {
        guard let value, !value.isNaN else { return outcome(of: .noData) }
        guard value.isFinite else { return outcome(of: .overflow) }
        if let violation = range.violation(of: value) { return MeasurementOutcome(.failed, violation) }
        return MeasurementOutcome(.successful, DecimalText.short(value))
    }

    private func outcome(of problem: EvaluationProblem) -> MeasurementOutcome {
        switch problem {
        case .noData: MeasurementOutcome(noDataPhase, "no data")
        case .overflow: MeasurementOutcome(.error, "the value is infinite, or the condition overflows")
        }
    }

    /// A condition applied to a value.
    private struct Verdict {
        var holds = false
        var problem: EvaluationProblem?
        /// The deciding comparison, or the value and the condition.
        var message = ""

        /// - Returns: `nil` if there is no condition, or none that can be read.
        init?(_ text: String?, named name: String, of metric: AnalysisMetric, _ value: Double?, _ baseline: Double?) {
            guard let text, let expression = metric.expression(text) else { return nil }
            switch expression.evaluate(result: value, baseline: baseline) {
            case .success(let holds):
                self.holds = holds
                let shown = value.map(DecimalText.short) ?? "no data"
                message =
                    expression.decision(result: value, baseline: baseline)
                    ?? "\(shown), \(name) \(text) \(holds ? "holds" : "does not hold")"
            case .failure(let problem): self.problem = problem
            }
        }
    }
}
