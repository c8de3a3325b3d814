package import Documents

/// How often a metric was measured in one run, and what came of it.
package struct MetricCounters: Hashable, Sendable {
    /// Measurements with an answer: those of the next three.
    package private(set) var count = 0
    package private(set) var successful = 0
    package private(set) var failed = 0
    package private(set) var inconclusive = 0
    /// Measurements without an answer; they do not use up a metric's count.
    package private(set) var error = 0
    /// Errors since the last answer.
    package private(set) var consecutiveError = 0
    /// Successes since anything else, skipped measurements left aside.
    package private(set) var consecutiveSuccess = 0
    /// Measurements that were not taken; they count for nothing.
    package private(set) var skipped = 0

    /// Numbers stop here.
    private static let most = Int(Int32.max)

    package init() {}

    /// Counts a measurement by its phase; one that is not over does not count.
    package mutating func record(_ phase: AnalysisPhase) {
        switch phase {
        case .successful:
            Self.increase(&successful)
            answer()
            Self.increase(&consecutiveSuccess)
        case .failed:
            Self.increase(&failed)
            answer()
            consecutiveSuccess = 0
        case .inconclusive:
            Self.increase(&inconclusive)
            answer()
            consecutiveSuccess = 0
        case .error:
            Self.increase(&error)
            Self.increase(&consecutiveError)
            consecutiveSuccess = 0
        case .skipped: Self.increase(&skipped)
        case .pending, .running, .canceled: break
        }
    }

    private mutating func answer() {
        Self.increase(&count)
        consecutiveError = 0
    }

    private static func increase(_ counter: inout Int) { counter = min(most, counter + 1) }
}

extension MetricCounters {
    /// The phase of the metric that was counted; the first that fits:
    ///
    /// Failed, Inconclusive and Error beyond their limits; Successful with enough successes in a row; with all measurements taken
    /// Successful, or, where successes in a row were asked for, Inconclusive (Failed if failures have no limit). Before, Running, or
    /// Pending if nothing was measured.
    ///
    /// - Parameters:
    ///   - inBackground: of an analysis beside the steps, which ends with them.
    ///   - acceptsUndecided: whether a metric beside the steps that is undecided goes on being measured.
    package func assess(
        _ metric: AnalysisMetric, inBackground: Bool = false, acceptsUndecided: Bool = false
    ) -> AnalysisPhase {
        let failureLimit = metric.failuresAllowed(inBackground: inBackground)
        if failureLimit >= 0 && failed > failureLimit { return .failed }
        if inconclusive > metric.inconclusiveLimit && !(inBackground && acceptsUndecided) { return .inconclusive }
        if consecutiveError > metric.consecutiveErrorLimit { return .error }
        if let limit = metric.consecutiveSuccessLimit, consecutiveSuccess >= limit { return .successful }
        if let wanted = metric.measurementsWanted(inBackground: inBackground), count >= wanted {
            guard metric.consecutiveSuccessLimit != nil else { return .successful }
            return failureLimit >= 0 ? .inconclusive : .failed
        }
        return count + error == 0 ? .pending : .running
    }
}

extension MetricCounters {
    /// Reads what ``json`` wrote. What is no number, or too large, counts as the nearest that is; what is missing as 0.
    package init(_ document: JSONValue) {
        let read = { (name: String) in Int(max(0, min(document[name]?.integerValue ?? 0, Int64(Self.most)))) }
        count = read("count")
        successful = read("successful")
        failed = read("failed")
        inconclusive = read("inconclusive")
        error = read("error")
        consecutiveError = read("consecutiveError")
        consecutiveSuccess = read("consecutiveSuccess")
        skipped = read("skipped")
    }

    package var json: JSONValue {
        [
            "count": .integer(Int64(count)), "successful": .integer(Int64(successful)),
            "failed": .integer(Int64(failed)), "inconclusive": .integer(Int64(inconclusive)),
            "error": .integer(Int64(error)), "consecutiveError": .integer(Int64(consecutiveError)),
            "consecutiveSuccess": .integer(Int64(consecutiveSuccess)), "skipped": .integer(Int64(skipped)),
        ]
    }
}
