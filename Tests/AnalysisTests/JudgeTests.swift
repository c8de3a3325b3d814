import Analysis
import Documents
import TestSupport
import Testing

@Suite("The judge")
struct JudgeTests {
    static func options(_ change: (inout JudgeOptions) -> Void = { _ in }) -> JudgeOptions {
        var options = JudgeOptions()
        options.minSamples = 5
        change(&options)
        return options
    }

    private static func compatible(_ confidence: Double, _ tolerance: Double = 0.25) -> JudgeOptions {
        options {
            $0.kayentaCompat = true
            $0.confidence = confidence
            $0.tolerance = tolerance
        }
    }

    private func judge(_ options: JudgeOptions, _ x: [Double], _ y: [Double], seed: UInt64 = 1) -> JudgeResult {
        var noise = SeededGenerator(seed: seed)
        return Judge(options).compare(experiment: x, control: y, noise: &noise)
    }

    // MARK: Kayenta's own vectors

    @Test func findsTheKnownInterval() throws {
        let result = judge(Self.compatible(0.95), [10, 20, 30, 40], [1, 2, 3, 4])
        let math = result.math
        #expect(abs(try #require(math.low) - 6) < 1e-3)
        #expect(abs(try #require(math.high) - 39) < 1e-3)
        #expect(abs(try #require(math.estimate) - 22.5) < 1e-3)
        #expect((math.n, math.m) == (4, 4))
        #expect(result.classification == .high)
    }

    @Test func findsTheKnownHigh() throws {
        let result = judge(Self.compatible(0.95, 0.10), [20, 22, 21, 25, 30], [1, 2.2, 1.1, 2.5, 3])
        #expect(result.classification == .high)
        #expect(abs(try #require(result.math.meanRatio) - 12.04081633) < 1e-7)
        #expect(abs(try #require(result.math.low) - 17.80004385) < 1e-7)
        #expect(abs(try #require(result.math.high) - 27.79994325) < 1e-7)
        #expect(!result.isCritical)
    }

    @Test func findsTheKnownLow() {
        var options = Self.compatible(0.95, 0.10)
        options.isCritical = true
        options.effectSize.criticalIncrease = 1.2
        options.effectSize.criticalDecrease = 1
        let result = judge(options, [2, 2, 2, 2, 3], [10, 20.2, 10.1, 20.5, 30])
        #expect(result.classification == .low)
        #expect(result.isCritical)
    }

    @Test func findsTheKnownPass() {
        #expect(judge(Self.compatible(0.95), [1, 1, 1, 1, 10], [1, 1, 1, 1, 1]).classification == .pass)
    }

    @Test func blursConstantSidesAsKayentaDoes() {
        let result = judge(Self.compatible(0.98), Array(repeating: 10, count: 20), Array(repeating: 5, count: 20))
        #expect(result.classification == .high)
        let again = judge(Self.compatible(0.98), Array(repeating: 10, count: 20), Array(repeating: 5, count: 20))
        #expect(again == result)
        let other = judge(
            Self.compatible(0.98), Array(repeating: 10, count: 20), Array(repeating: 5, count: 20), seed: 2)
        #expect(other.math != result.math)
    }

    /// Two points a side are never that certain; then the ends are the answer.
    @Test func fallsBackToTheEndsAsKayentaDoes() {
        let math = judge(Self.compatible(0.98), [1, 2], [10, 20]).math
        #expect((math.low, math.high) == (-19, -8))
        #expect(judge(Self.compatible(0.98), [10, 20], [1, 2]).classification == .high)
    }

    @Test func takesKayentasCriticalSizes() {
        var options = Self.compatible(0.95)
        options.isCritical = true
        options.effectSize.measure = .cles
        let result = judge(options, [4, 5, 6, 7, 8, 9, 10, 11], [1, 2, 3, 4, 5, 2, 3, 1])
        #expect(result.classification == .high)
        #expect(result.isCritical)
        options.effectSize.measure = .meanRatio
        #expect(judge(options, [4, 5, 6, 7, 8, 9, 10, 11], [1, 2, 3, 4, 5, 2, 3, 1]).isCritical)
    }

    @Test func failsOnOnePointAsKayentaDoes() {
        let result = judge(Self.compatible(0.98), [2], [1])
        #expect(result.classification == .error("all observations are tied") || result.classification == .high)
    }

    // MARK: The decision list

    @Test(
        arguments: [
            (JudgeOptions.NaNStrategy.remove, false, false, "Nodata", false),
            (.remove, true, false, "NodataFailMetric", false), (.remove, true, true, "Nodata", true),
            (.replace, false, false, "Pass", false),
        ])
    func knowsNoData(
        _ strategy: JudgeOptions.NaNStrategy, _ mustHaveData: Bool, _ isCritical: Bool, _ expected: String,
        _ resultIsCritical: Bool
    ) {
        let options = Self.options {
            $0.nanStrategy = strategy
            $0.mustHaveData = mustHaveData
            $0.isCritical = isCritical
            $0.kayentaCompat = true
        }
        for (x, y) in [([], [1.0]), ([1], []), ([], [])] as [([Double], [Double])] {
            let result = judge(options, x, y)
            #expect(result.classification.name == expected)
            #expect(result.isCritical == resultIsCritical)
            var ours = options
            ours.kayentaCompat = false
            #expect(judge(ours, x, y).classification.name.hasPrefix("Nodata"))
        }
    }

    @Test func passesWhatIsEqual() {
        let points = (0..<20).map { Double($0 * 7 % 13) }
        #expect(judge(Self.options(), points, points.reversed()).classification == .pass)
        let zeros = Array(repeating: 0.0, count: 20)
        #expect(judge(Self.options(), zeros, zeros + zeros).classification == .pass)
    }

    @Test func refusesTooFewPoints() {
        let few = [1.0, 2, 3, 4]
        let result = judge(Self.options(), few, [10, 11, 12, 13, 14])
        #expect(result.classification == .insufficientData)
        #expect(result.message == "too few points: 4 of the canary, 5 of stable")
        #expect(judge(Self.options(), few + [5], [10, 11, 12, 13, 14]).classification == .low)
        #expect(judge(JudgeOptions(), few + [5], [10, 11, 12, 13, 14]).classification == .insufficientData)
    }

    @Test(
        arguments: [
            (2.0, 1.0, JudgeOptions.Direction.either, "High"), (2, 1, .increase, "High"), (2, 1, .decrease, "Pass"),
            (1, 2, .either, "Low"), (1, 2, .increase, "Pass"), (1.05, 1, .increase, "Pass"), (1, 0, .increase, "High"),
            (0, 1, .decrease, "Low"),
        ])
    func comparesConstantsByTheirEffect(
        _ a: Double, _ b: Double, _ direction: JudgeOptions.Direction, _ expected: String
    ) {
        let options = Self.options { $0.direction = direction }
        let result = judge(options, Array(repeating: a, count: 6), Array(repeating: b, count: 7))
        #expect(result.classification.name == expected)
        #expect(result.math.estimate == a - b)
    }

    @Test func tellsCriticalDifferences() {
        let control = (0..<20).map { 100 + Double($0) }
        let options = Self.options {
            $0.isCritical = true
            $0.effectSize.allowedIncrease = 1.1
            $0.effectSize.criticalIncrease = 1.5
        }
        for (factor, classification, isCritical) in [(1.05, "Pass", false), (1.3, "High", false), (1.6, "High", true)] {
            let result = judge(options, control.map { $0 * factor }, control)
            #expect(result.classification.name == classification, "\(factor)")
            #expect(result.isCritical == isCritical)
        }
    }

    @Test func leavesOutWhatIsNoNumber() {
        let control = (0..<10).map { 10 + Double($0) }
        let result = judge(Self.options(), control.map { $0 * 3 } + [.nan, .infinity, -.infinity], control + [.nan])
        #expect((result.math.n, result.math.m) == (10, 10))
        #expect(result.classification == .high)
        let replaced = judge(
            Self.options { $0.nanStrategy = .replace }, control.map { $0 * 3 } + [.nan], control)
        #expect(replaced.math.n == 11)
    }

    @Test func leavesOutOutliers() {
        // Among this many one outlier is beyond the 99th percentile, which the fences do not go below.
        let control = (0..<200).map { 10 + Double($0 % 10) }
        let options = Self.options { $0.outlierStrategy = .remove }
        #expect(judge(options, control + [1e6], control).math.n == 200)
        #expect(judge(Self.options(), control + [1e6], control).math.n == 201)
        #expect(judge(options, control + [25], control).math.n == 201)
        // Among few points two are more than a hundredth.
        let few = (0..<18).map { 10 + Double($0 % 10) }
        for outlier in [1e6, -1e6] {
            #expect(judge(options, few + [outlier, outlier], few).math.n == 20)
            #expect(judge(options, few + [outlier], few).math.n == 18)
        }
    }

    @Test func knowsTheShareOfGreaterPairs() throws {
        let options = Self.options { $0.effectSize.measure = .cles }
        let effect = judge(options, [2, 3, 4, 5, 6], [1, 2, 3, 4, 5]).math.effect
        // Of 25 pairs 15 are greater and 4 are ties, which count half.
        #expect(abs(try #require(effect) - 17.0 / 25) < 1e-12)
    }

    @Test func survivesAnyPoints() {
        var random = SeededGenerator(seed: 21)
        let values: [Double] = [
            0, -0.0, 1, -1, 1e-300, 1e300, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .nan, .infinity,
            -.infinity, .leastNonzeroMagnitude, 1e-5, 3, 3, 3, 7,
        ]
        for round in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 3000) {
            func points() -> [Double] {
                let count = Int.random(in: 0...12, using: &random)
                return (0..<count).map { _ in values[Int.random(in: 0..<values.count, using: &random)] }
            }
            let options = Self.options {
                $0.kayentaCompat = round % 2 == 0
                $0.nanStrategy = round % 3 == 0 ? .replace : .remove
                $0.outlierStrategy = round % 5 < 2 ? .remove : .keep
                $0.effectSize.measure = round % 7 < 3 ? .cles : .meanRatio
            }
            let result = judge(options, points(), points())
            if let low = result.math.low, let high = result.math.high, !options.kayentaCompat { #expect(low <= high) }
            #expect(JudgeResult(result.json)?.classification == result.classification)
        }
    }
}
