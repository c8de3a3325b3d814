package import Documents

/// How the points of two versions are compared: the settings of ``Judge``, by the names of Kayenta's canary configuration.
package struct JudgeOptions: Document {
    /// The direction of a difference that is bad.
    package enum Direction: String, CaseIterable, Sendable {
        case increase, decrease, either
    }

    /// The treatment of points that are no numbers.
    package enum NaNStrategy: String, CaseIterable, Sendable {
        case remove
        /// Replaced by 0.
        case replace
    }

    package enum OutlierStrategy: String, CaseIterable, Sendable {
        case keep, remove
    }

    /// The confidence of the interval of the difference, `0.5...0.999`; default 0.98.
    package var confidence = 0.98
    /// How far the interval must be from 0, as a share of the estimated difference; `0...1`, default 0.25.
    package var tolerance = 0.25
    package var direction = Direction.either
    package var effectSize = EffectSize()
    /// A difference beyond the critical effect sizes fails the whole score.
    package var isCritical = false
    /// Without data the score is never a pass.
    package var mustHaveData = false
    /// Judged and shown, and not scored.
    package var isMuted = false
    package var nanStrategy = NaNStrategy.remove
    package var outlierStrategy = OutlierStrategy.keep
    /// How many interquartile ranges an outlier is away from the quartiles; `0.1...100`, default 3.
    package var outlierFactor = 3.0
    /// The fewest points a side that are judged; `5...1000`, default 20.
    package var minSamples = 20
    /// Computes as Kayenta does, with its fixed tolerances, noise and default effect sizes, and with any number of points.
    package var kayentaCompat = false

    package init() {}

    package static let fields: [Field<Self>] = [
        .constant("type", "mannWhitney", isWritten: true, "there is no other test"),
        .defaulted("confidence", \.confidence, .number(0.5...0.999), "The confidence of the difference's interval."),
        .defaulted(
            "tolerance", \.tolerance, .number(0...1),
            "How far the interval must be from 0, as a share of the estimated difference."),
        .defaulted("direction", \.direction, .choice, "The direction of a difference that is bad."),
        .defaulted(
            "effectSize", \.effectSize, .documentUnlessEmpty, isWritten: false,
            "How large a difference must be to count."),
        .defaulted("critical", \.isCritical, .bool, "A critical difference fails the whole score."),
        .defaulted("mustHaveData", \.mustHaveData, .bool, "Without data the score is never a pass."),
        .defaulted("muted", \.isMuted, .bool, "Judged and shown, and not scored."),
        .defaulted("nanStrategy", \.nanStrategy, .choice, "Points that are no numbers: left out, or 0."),
        .group(
            "outliers",
            [
                .defaulted("strategy", \.outlierStrategy, .choice, "Whether outliers are left out."),
                .defaulted(
                    "factor", \.outlierFactor, .number(0.1...100),
                    "How many interquartile ranges they are away from the quartiles."),
            ], "Points far away from the others."),
        .defaulted("minSamples", \.minSamples, .integer(5...1000), "The fewest points a side that are judged."),
        .defaulted(
            "kayentaCompat", \.kayentaCompat, .bool, isWritten: false,
            "Computes exactly as Kayenta's NetflixACAJudge-v1.0, with what is wrong about it."),
    ]
    package static let schemaName: String? = nil
    package static let summary: String? = """
        A Mann-Whitney test of the version's points against stable's, one point for every 10 s in which both had at least 5 requests.
        """

    package func finish(_ reading: Members) {
        let least = RankTest.leastSamples(confidence: confidence)
        if minSamples < least {
            reading.report(
                "minSamples", .conflict,
                "must be at least \(least): with fewer points no difference is certain at a confidence of \(confidence)"
            )
        }
    }
}

/// How large a difference must be to count.
package struct EffectSize: Document {
    package enum Measure: String, CaseIterable, Sendable {
        /// The mean of the canary's points in relation to that of stable's.
        case meanRatio
        /// The share of pairs of points in which the canary's is greater, ties halved: the common language effect size.
        case cles
    }

    package var measure = Measure.meanRatio
    /// The least effect that counts as an increase; `nil`: 1.1 for a ratio of means, 0.5 for the other measure.
    package var allowedIncrease: Double?
    /// The greatest effect that counts as a decrease; `nil`: 1 for a ratio of means, 0.5 for the other measure.
    package var allowedDecrease: Double?
    /// The least effect that is a critical increase; `nil`: any that counts.
    package var criticalIncrease: Double?
    /// The greatest effect that is a critical decrease; `nil`: any that counts.
    package var criticalDecrease: Double?

    package init() {}

    package static let fields: [Field<Self>] = [
        .defaulted(
            "measure", \.measure, .choice, isWritten: false,
            "meanRatio: the canary's mean by stable's. cles: the share of pairs in which the canary's point is greater."
        ),
        .optional(
            "allowedIncrease", \.allowedIncrease, .number(0...1e6),
            "Increases count from here on; left out, 1.1 of meanRatio and 0.5 of cles."),
        .optional(
            "allowedDecrease", \.allowedDecrease, .number(0...1e6),
            "Decreases count from here down; left out, 1 of meanRatio and 0.5 of cles."),
        .optional("criticalIncrease", \.criticalIncrease, .number(0...1e6), "Left out: allowedIncrease."),
        .optional("criticalDecrease", \.criticalDecrease, .number(0...1e6), "Left out: allowedDecrease."),
    ]
    package static let schemaName: String? = nil

    package func finish(_ reading: Members) {
        if measure == .cles {
            let sizes = [
                ("allowedIncrease", allowedIncrease), ("allowedDecrease", allowedDecrease),
                ("criticalIncrease", criticalIncrease), ("criticalDecrease", criticalDecrease),
            ]
            for (name, size) in sizes where size.map({ $0 > 1 }) == true {
                reading.report(name, .outOfRange, "must be from 0 to 1 where the measure is cles")
            }
        }
        if let criticalIncrease, criticalIncrease < allowed(isIncrease: true, isCompatible: false) {
            reading.report("criticalIncrease", .conflict, "must not be less than allowedIncrease")
        }
        if let criticalDecrease, criticalDecrease > allowed(isIncrease: false, isCompatible: false) {
            reading.report("criticalDecrease", .conflict, "must not be more than allowedDecrease")
        }
    }

    /// The effect from which on a difference counts.
    ///
    /// - Parameter isCompatible: with Kayenta's defaults.
    package func allowed(isIncrease: Bool, isCompatible: Bool) -> Double {
        if let given = isIncrease ? allowedIncrease : allowedDecrease { return given }
        switch measure {
        case .cles: return 0.5
        case .meanRatio: return isIncrease && !isCompatible ? 1.1 : 1
        }
    }

    /// The effect from which on a difference is critical.
    package func critical(isIncrease: Bool, isCompatible: Bool) -> Double {
        if let given = isIncrease ? criticalIncrease : criticalDecrease { return given }
        if isCompatible { return measure == .cles ? 0.5 : 1 }
        return allowed(isIncrease: isIncrease, isCompatible: false)
    }
}
