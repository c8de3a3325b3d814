/// One metric's part of a score.
package struct JudgedMetric: Hashable, Sendable {
    /// Metrics without a group are one together.
    package var groups: [String]
    package var options: JudgeOptions
    package var noData: AnalysisPhase
    package var result: JudgeResult

    package init(groups: [String], options: JudgeOptions, noData: AnalysisPhase, result: JudgeResult) {
        self.groups = groups
        self.options = options
        self.noData = noData
        self.result = result
    }

    /// - Returns: `nil` for a metric without a judge.
    package init?(_ metric: AnalysisMetric, _ result: JudgeResult) {
        guard let options = metric.judge else { return nil }
        self.init(groups: metric.groups, options: options, noData: metric.noDataPhase, result: result)
    }
}

/// The judgements of all metrics as one number.
package struct JudgeScore: Hashable, Sendable {
    /// `0...100`, to two decimals.
    package var score: Double
    /// The scores of groups, `0...100`; 0 of one without data, which counts as 100. Metrics without a group are under the empty name.
    package var groups: [String: Double]
    package var phase: AnalysisPhase
    /// One clause for people.
    package var message: String
}

extension Scoring {
    /// The score of judgements: the weighted mean of the groups' shares of metrics that pass, or 0 if a metric failed critically, or half of
    /// the metrics have no data.
    ///
    /// An error makes the whole an error, as a metric that could not be judged is none that passes. No data of half of the metrics,
    /// or of one that is critical or must have some, makes it inconclusive. Muted metrics count for nothing.
    package func score(_ metrics: [JudgedMetric]) -> JudgeScore {
        let scored = metrics.filter { !$0.options.isMuted }
        guard !scored.isEmpty else {
            return JudgeScore(score: 100, groups: [:], phase: .successful, message: "no metric is scored")
        }
        let groups = Self.groupScores(scored)
        let isCritical = scored.contains { $0.hasFailedCritically }
        let missing = scored.count { $0.verdict == nil }
        let isEmpty = 2 * missing >= scored.count
        let score = isCritical || isEmpty ? 0 : weighted(groups)

        var phase: AnalysisPhase = score >= pass ? .successful : score >= marginal ? .inconclusive : .failed
        if isEmpty && !isCritical { phase = .inconclusive }
        for metric in scored { phase = phase.worse(metric.leastPhase) }
        let message =
            isCritical
            ? "a critical metric failed"
            : phase == .error
                ? "a metric could not be judged"
                : isEmpty
                    ? "\(missing) of \(scored.count) metrics have no data"
                    : "score \(DecimalText.short(score)), \(DecimalText.short(pass)) passes"
        return JudgeScore(score: score, groups: groups.mapValues { $0 ?? 0 }, phase: phase, message: message)
    }

    /// The share of metrics that pass, in percent, by group; `nil` of a group without data.
    private static func groupScores(_ metrics: [JudgedMetric]) -> [String: Double?] {
        var verdicts: [String: [Bool]] = [:]
        for metric in metrics {
            for group in metric.groups.isEmpty ? [""] : metric.groups {
                verdicts[group, default: []] += metric.verdict.map { [$0] } ?? []
            }
        }
        return verdicts.mapValues { verdicts in
            verdicts.isEmpty ? nil : Double(verdicts.count { $0 }) / Double(verdicts.count) * 100
        }
    }

    /// The mean by the groups' weights, of those groups that there are.
    private func weighted(_ groups: [String: Double?]) -> Double {
        let free = groups.keys.filter { groupWeights[$0] == nil }.count
        let rest = max(0, 100 - groups.keys.reduce(0) { $0 + (groupWeights[$1] ?? 0) })
        let share = free > 0 ? rest / Double(free) : 0
        var (sum, weights) = (0.0, 0.0)
        for (name, score) in groups.sorted(by: { $0.key < $1.key }) {
            let weight = groupWeights[name] ?? share
            sum += weight * (score ?? 100)
            weights += weight
        }
        if weights <= 0 {
            sum = groups.values.reduce(0) { $0 + ($1 ?? 100) }
            weights = Double(groups.count)
        }
        return (sum / weights * 100).rounded() / 100
    }
}

extension JudgedMetric {
    /// Whether it passes; `nil` if it has no say.
    fileprivate var verdict: Bool? {
        switch result.classification {
        case .pass: true
        case .high, .low: false
        case .noData, .noDataFailMetric:
            switch noData {
            case .successful: true
            case .failed: false
            default: nil
            }
        case .insufficientData, .error: nil
        }
    }

    fileprivate var hasFailedCritically: Bool {
        switch result.classification {
        case .high, .low: result.isCritical
        default: false
        }
    }

    /// The best phase that the whole can have with it.
    fileprivate var leastPhase: AnalysisPhase {
        switch result.classification {
        case .pass, .high, .low: .successful
        case .noData, .noDataFailMetric:
            noData == .failed ? .failed : options.isCritical || options.mustHaveData ? .inconclusive : .successful
        case .insufficientData: .inconclusive
        case .error: .error
        }
    }
}
