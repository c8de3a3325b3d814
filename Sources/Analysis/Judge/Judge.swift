/// Tells whether the points of one version differ from those of another one by more than chance and by more than is allowed: Kayenta's
/// NetflixACAJudge-v1.0, with its defects corrected, or by ``JudgeOptions/kayentaCompat`` with them.
///
/// What differs from Kayenta: points are divided by a common scale, as its fixed tolerance makes small numbers, such as shares of errors,
/// come out wrong; the ends of the interval are in order; sides with too few points are not judged, as with fewer than five any difference
/// is one; two constant sides are compared by their effect size instead of with random noise; and no data is never a pass.
package struct Judge: Sendable {
    private let options: JudgeOptions

    package init(_ options: JudgeOptions) { self.options = options }

    /// - Parameters:
    ///   - experiment: the canary's points.
    ///   - control: those of the version that it is compared with.
    ///   - noise: asked for random numbers only where Kayenta asks; seeded, so that a judgement can be repeated.
    package func compare(
        experiment: [Double], control: [Double], noise: inout some RandomNumberGenerator
    ) -> JudgeResult {
        let x = JudgePoints.prepared(experiment, options)
        let y = JudgePoints.prepared(control, options)
        var math = JudgeMath(n: x.count, m: y.count)
        guard !x.isEmpty, !y.isEmpty else { return withoutData(math) }
        guard options.kayentaCompat || min(x.count, y.count) >= options.minSamples else {
            return JudgeResult(.insufficientData, math)
        }
        math.meanRatio = Self.meanRatio(x, y)
        math.effect = math.meanRatio
        if options.effectSize.measure == .cles { math.effect = RankTest(x, y).greaterShare }
        guard x.sorted() != y.sorted(), Set(x + y).count > 1 else {
            (math.low, math.estimate, math.high) = (0, 0, 0)
            return JudgeResult(.pass, math)
        }
        do throws(RankTest.Undecidable) {
            try measure(x, y, &math, &noise)
        } catch {
            return JudgeResult(.error(error.reason), math)
        }
        return classify(math)
    }

    private func withoutData(_ math: JudgeMath) -> JudgeResult {
        if options.kayentaCompat && options.nanStrategy == .replace { return JudgeResult(.pass, math) }
        let fails = options.mustHaveData && !options.isCritical
        return JudgeResult(fails ? .noDataFailMetric : .noData, isCritical: options.isCritical, math)
    }

    /// Estimates the difference.
    private func measure(
        _ x: [Double], _ y: [Double], _ math: inout JudgeMath, _ noise: inout some RandomNumberGenerator
    ) throws(RankTest.Undecidable) {
        let areConstant = Set(x).count == 1 && Set(y).count == 1
        if options.kayentaCompat {
            let test = areConstant ? RankTest(Self.blurred(x, &noise), Self.blurred(y, &noise)) : RankTest(x, y)
            let shift = try test.shift(confidence: options.confidence, tolerance: 1e-4, isMiddle: false)
            (math.low, math.estimate, math.high, math.p) = (shift.low, shift.estimate, shift.high, test.probability)
            return
        }
        if areConstant, let a = x.first, let b = y.first {
            (math.low, math.estimate, math.high) = (a - b, a - b, a - b)
            return
        }
        let scale = JudgePoints.scale(x + y)
        let test = RankTest(x.map { $0 / scale }, y.map { $0 / scale })
        let shift = try test.shift(confidence: options.confidence, tolerance: 1e-8, isMiddle: true)
        math.low = min(shift.low, shift.high) * scale
        math.high = max(shift.low, shift.high) * scale
        math.estimate = shift.estimate * scale
        math.p = test.probability
    }

    private func classify(_ math: JudgeMath) -> JudgeResult {
        guard let low = math.low, let high = math.high, let estimate = math.estimate else {
            return JudgeResult(.error("there is no interval"), math)
        }
        let bound = options.tolerance * estimate.magnitude
        if options.direction != .decrease, low > bound, reaches(math.effect, isIncrease: true, isCritical: false) {
            let isCritical = options.isCritical && reaches(math.effect, isIncrease: true, isCritical: true)
            return JudgeResult(.high, isCritical: isCritical, math)
        }
        if options.direction != .increase, high < -bound, reaches(math.effect, isIncrease: false, isCritical: false) {
            let isCritical = options.isCritical && reaches(math.effect, isIncrease: false, isCritical: true)
            return JudgeResult(.low, isCritical: isCritical, math)
        }
        return JudgeResult(.pass, math)
    }

    /// Whether an effect is as large as one has to be to count. One that is not known does.
    private func reaches(_ effect: Double?, isIncrease: Bool, isCritical: Bool) -> Bool {
        guard let effect else { return true }
        let size = options.effectSize
        let limit =
            isCritical
            ? size.critical(isIncrease: isIncrease, isCompatible: options.kayentaCompat)
            : size.allowed(isIncrease: isIncrease, isCompatible: options.kayentaCompat)
        return isIncrease ? effect >= limit : effect <= limit
    }

    /// The mean of the one by that of the other; `nil` if one of them is 0.
    private static func meanRatio(_ x: [Double], _ y: [Double]) -> Double? {
        let (a, b) = (x.reduce(0, +) / Double(x.count), y.reduce(0, +) / Double(y.count))
        guard a != 0, b != 0 else { return nil }
        let ratio = a / b
        return ratio.isFinite ? ratio : nil
    }

    /// Points with noise of a hundred-thousandth of their size.
    private static func blurred(_ points: [Double], _ noise: inout some RandomNumberGenerator) -> [Double] {
        points.map { $0 + Chance.normalPair(using: &noise).0 * $0 * 1e-5 }
    }
}
