package import Documents

/// The judge's word on one metric.
package struct JudgeResult: Hashable, Sendable {
    package enum Classification: Hashable, Sendable {
        case pass
        /// The canary's points are greater, or less, by more than is allowed.
        case high, low
        /// One side has no points.
        case noData
        /// One side has no points, of a metric that must have some and is not critical.
        case noDataFailMetric
        /// A side has fewer points than are judged; not among Kayenta's.
        case insufficientData
        case error(String)

        /// Kayenta's name.
        package var name: String {
            switch self {
            case .pass: "Pass"
            case .high: "High"
            case .low: "Low"
            case .noData: "Nodata"
            case .noDataFailMetric: "NodataFailMetric"
            case .insufficientData: "InsufficientData"
            case .error: "Error"
            }
        }
    }

    package var classification: Classification
    /// The difference is beyond the critical effect sizes, or the metric is critical and has no data.
    package var isCritical: Bool
    package var math: JudgeMath

    package init(_ classification: Classification, isCritical: Bool = false, _ math: JudgeMath) {
        self.classification = classification
        self.isCritical = isCritical
        self.math = math
    }
}

/// The numbers behind a judgement.
package struct JudgeMath: Hashable, Sendable {
    /// The points of the canary and of stable that were compared, after those that are none were left out.
    package var n: Int
    package var m: Int
    /// The interval of the difference canary - stable, in the unit of the points; `nil` if it was not computed.
    package var low: Double?
    package var high: Double?
    /// The difference's estimate (Hodges and Lehmann).
    package var estimate: Double?
    /// The effect by the measure that was asked for; `nil` if a mean is 0.
    package var effect: Double?
    package var meanRatio: Double?
    /// How likely so large a difference is by chance.
    package var p: Double?

    package init(n: Int, m: Int) {
        self.n = n
        self.m = m
    }
}

extension JudgeResult {
    /// The phase of a measurement with this result.
    ///
    /// - Parameter noData: the phase without data.
    package func phase(noData: AnalysisPhase) -> AnalysisPhase {
        switch classification {
        case .pass: .successful
        case .high, .low: .failed
        case .noData, .noDataFailMetric: noData
        case .insufficientData: .inconclusive
        case .error: .error
        }
    }

    /// One clause for people.
    package var message: String {
        switch classification {
        case .pass: return "Pass" + detail
        case .high, .low: return classification.name + (isCritical ? ", critical" : "") + detail
        case .noData, .noDataFailMetric: return "no data"
        case .insufficientData: return "too few points: \(math.n) of the canary, \(math.m) of stable"
        case .error(let reason): return reason
        }
    }

    private var detail: String {
        guard let low = math.low, let high = math.high else { return "" }
        let effect = math.effect.map { ", effect \(DecimalText.short($0))" } ?? ""
        return ": difference from \(DecimalText.short(low)) to \(DecimalText.short(high))\(effect)"
    }
}

extension JudgeResult {
    /// Reads what ``json`` wrote.
    ///
    /// - Returns: `nil` without a classification.
    package init?(_ document: JSONValue) {
        let plain: [Classification] = [.pass, .high, .low, .noData, .noDataFailMetric, .insufficientData]
        guard let name = document["classification"]?.stringValue else { return nil }
        let reason = document["reason"]?.stringValue ?? ""
        guard let classification = name == "Error" ? .error(reason) : plain.first(where: { $0.name == name }) else {
            return nil
        }
        let count = { (name: String) in Int(max(0, min(document[name]?.integerValue ?? 0, Int64(Int32.max)))) }
        math = JudgeMath(n: count("n"), m: count("m"))
        math.low = document["low"]?.finiteNumber
        math.high = document["high"]?.finiteNumber
        math.estimate = document["estimate"]?.finiteNumber
        math.effect = document["effect"]?.finiteNumber
        math.meanRatio = document["meanRatio"]?.finiteNumber
        math.p = document["p"]?.finiteNumber
        self.classification = classification
        isCritical = document["critical"]?.boolValue ?? false
    }

    package var json: JSONValue {
        var reason: JSONValue?
        if case .error(let text) = classification { reason = .string(text) }
        return .fields([
            "classification": .string(classification.name), "reason": reason, "critical": .bool(isCritical),
            "n": .integer(Int64(math.n)), "m": .integer(Int64(math.m)), "low": .finite(math.low),
            "high": .finite(math.high), "estimate": .finite(math.estimate), "effect": .finite(math.effect),
            "meanRatio": .finite(math.meanRatio), "p": .finite(math.p),
        ])
    }
}
