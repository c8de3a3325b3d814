extension AnalysisMetric {
    /// The figure of the server that it is about; `nil` of outside providers.
    package var builtin: BuiltinSeries? {
        switch source {
        case .provider(let provider): provider.series
        case .judge: series
        }
    }

    package var judge: JudgeOptions? {
        guard case .judge(let options) = source else { return nil }
        return options
    }

    /// Whether it takes points of stable as well.
    package var isComparing: Bool { judge != nil || baseline != nil }

    /// A condition as it is evaluated; `nil` for one that is no expression, as none of a resolved template is.
    func expression(_ condition: String?) -> Expression? {
        condition.flatMap { try? Expression($0, hasBaseline: baseline != nil) }
    }

    /// How many failures do not fail it; -1: any number.
    package func failuresAllowed(inBackground: Bool) -> Int {
        // A judge that looks a hundred times sees a difference of 0.25 % chance in 22 of a hundred releases.
        failureLimit ?? (judge != nil && inBackground ? 1 : 0)
    }

    /// How many measurements end it; `nil`: it has no end.
    package func measurementsWanted(inBackground: Bool) -> Int? { count ?? (inBackground ? nil : 1) }

    /// The fewest requests, or points of a judge, on each side that are measured; 0 of outside providers, which answer what they
    /// answer.
    package var samplesNeeded: Int {
        if let judge { return judge.minSamples }
        guard let metric = builtin?.metric else { return 0 }
        return minSamples ?? Swift.max(20, metric.isRatio ? samplesForShare ?? 20 : 20)
    }

    /// How long a window may become while it has too few requests.
    package var longestWindow: Duration {
        let points = BuiltinMetric.slot * (judge?.minSamples ?? 0)
        return maxWindow ?? min(Self.longestWindow, Swift.max(interval * 10, points))
    }

    /// The share of bad requests that is allowed, if a single number in the conditions says it; `nil` of other figures than shares.
    var badShareAllowed: Double? {
        guard let metric = builtin?.metric, metric.isRatio else { return nil }
        let isGood = metric != .slowRequestRatio
        let bound: Double?
        if let thresholdRange {
            bound = (isGood ? thresholdRange.min : thresholdRange.max)?.number
        } else if successCondition != nil {
            bound = expression(successCondition)?.bound(isLower: isGood)
        } else {
            bound = expression(failureCondition)?.boundOfOpposite(isLower: isGood)
        }
        guard let bound, bound > 0, bound < 1 else { return nil }
        return isGood ? 1 - bound : bound
    }

    /// So many requests that three bad ones are allowed (rule of three).
    private var samplesForShare: Int? {
        guard let share = badShareAllowed else { return nil }
        // 1 - 0.99 is a little more than 0.01.
        return Int(min(1_000_000, (3 / share - 1e-6).rounded(.up)))
    }

    /// How often chance alone keeps a version from passing that is bad half as often as is allowed, with the fewest requests that it takes;
    /// `0...1`. `nil` if there are enough, or it cannot be told.
    var falseAlarmShare: Double? {
        guard let given = minSamples, let share = badShareAllowed, let needed = samplesForShare, given < max(20, needed)
        else { return nil }
        return Chance.moreThan(Int((Double(given) * share + 1e-9).rounded(.down)), of: given, each: share / 2)
    }
}
