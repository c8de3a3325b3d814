package import Documents
package import MeshCore

/// One value of a metric in one run, with everything that it takes to decide again.
package struct Measurement: Hashable, Sendable {
    /// Why a measurement has no value, or was not taken.
    package enum Reason: String, CaseIterable, Sendable {
        /// There is no traffic to measure, by the plan.
        case notApplicable = "NotApplicable"
        /// No replica ran when it was due.
        case missed = "Missed"
        /// There were too few requests, although the window became as long as it may.
        case insufficientData = "InsufficientData"
        /// Too few of the window's measuring points came in.
        case coverage = "Coverage"
    }

    /// Counts the windows of the metric in this run, from 0.
    package var k: Int
    /// The window: its first instant, and the first one after it.
    package var from: Timestamp
    package var to: Timestamp
    package var phase: AnalysisPhase
    package var reason: Reason?
    /// `nil`: no data.
    package var value: Double?
    /// The requests behind the value, or of a judge the points of the canary; `nil` of outside providers, which do not say.
    package var samples: Int?
    package var baselineValue: Double?
    /// The share of the window's measuring points that came in, `0...1`.
    package var coverage: Double
    /// The numbers that the value was computed of.
    package var inputs: JSONValue
    /// The judge's result.
    package var math: JudgeResult?
    /// The comparison that decided, `0.71 < 0.9`, or another clause for people.
    package var message: String
    /// When it was taken.
    package var at: Timestamp

    package init(
        k: Int, from: Timestamp, to: Timestamp, _ outcome: MeasurementOutcome, reason: Reason? = nil,
        value: Double? = nil, samples: Int? = nil, baselineValue: Double? = nil, coverage: Double = 1,
        inputs: JSONValue = [:], math: JudgeResult? = nil, at: Timestamp
    ) {
        self.k = k
        self.from = from
        self.to = to
        phase = outcome.phase
        self.reason = reason
        self.value = value
        self.samples = samples
        self.baselineValue = baselineValue
        self.coverage = coverage
        self.inputs = inputs
        self.math = math
        message = outcome.message
        self.at = at
    }

    /// One line for people: `metric "success" failed: 0.71 < 0.9 (n=212, 10 s from 04:05:10Z)`.
    ///
    /// - Parameter metric: its name.
    package func summary(of metric: Name) -> String {
        let count = samples.map { "n=\($0), " } ?? ""
        let why = message.isEmpty ? "" : ": \(message)"
        return "metric \"\(metric)\" \(verb)\(why) (\(count)\(length) from \(from.text.dropFirst(11).prefix(8))Z)"
    }

    private var verb: String {
        switch phase {
        case .successful: "succeeded"
        case .failed: "failed"
        case .inconclusive: "is inconclusive"
        case .error: "had an error"
        case .skipped: "was skipped"
        case .pending, .running, .canceled: "is \(phase.rawValue)"
        }
    }

    /// The window's length.
    private var length: String {
        let (microseconds, isTooLong) = to.microseconds.subtractingReportingOverflow(from.microseconds)
        guard !isTooLong, microseconds >= 0 else { return "0 s" }
        return microseconds % 1_000_000 == 0 ? "\(microseconds / 1_000_000) s" : "\(microseconds / 1000) ms"
    }
}
