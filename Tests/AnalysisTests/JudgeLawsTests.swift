import Analysis
import TestSupport
import Testing

@Suite("Laws of the judge, on simulated latencies")
struct JudgeLawsTests {
    /// Latencies that are lognormal, with a deviation of 0.3 of their logarithm, around so many.
    ///
    /// The exponential is a product of small powers, and the normal distribution a sum of twelve uniform ones.
    private func latencies(
        _ count: Int, around middle: Double, _ random: inout SeededGenerator
    ) -> [Double] {
        (0..<count).map { _ in
            let normal = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
            let step = 1 + 0.3 * normal / 256
            return middle * (0..<8).reduce(step) { power, _ in power * power }
        }
    }

    /// The share of trials in which a difference is found.
    private func share(
        of classification: JudgeResult.Classification, points: Int, factor: Double, trials: Int, _ options: JudgeOptions
    ) -> Double {
        var random = SeededGenerator(seed: UInt64(points) &* 1000 &+ UInt64(factor * 100))
        var found = 0
        for _ in 0..<trials {
            let x = latencies(points, around: 100 * factor, &random)
            let y = latencies(points, around: 100, &random)
            if Judge(options).compare(experiment: x, control: y, noise: &random).classification == classification {
                found += 1
            }
        }
        return Double(found) / Double(trials)
    }

    private static let increase = JudgeTests.options { $0.direction = .increase }

    /// Without a least effect, so that it is chance alone that decides.
    private static let chance = JudgeTests.options {
        $0.direction = .increase
        $0.effectSize.allowedIncrease = 1
    }

    @Test(arguments: [5, 10, 20])
    func seldomSeesWhatIsNotThere(_ points: Int) {
        #expect(share(of: .high, points: points, factor: 1, trials: 1500, Self.chance) <= 0.006)
    }

    @Test(arguments: [(2, 0.05...0.15), (3, 0.005...0.045), (4, 0...0.025)])
    func seesWhatIsNotThereInTooFewPointsAsKayentaDoes(_ points: Int, _ expected: ClosedRange<Double>) {
        var options = Self.chance
        options.kayentaCompat = true
        #expect(expected.contains(share(of: .high, points: points, factor: 1, trials: 1000, options)))
    }

    @Test(
        arguments: [
            (10, 1.5, 0.20...0.36), (10, 2, 0.84...0.97), (20, 1.3, 0.21...0.38), (20, 1.5, 0.76...0.90),
            (30, 1.5, 0.89...1), (60, 1.3, 0.87...1),
        ])
    func seesWhatIsThere(_ points: Int, _ factor: Double, _ expected: ClosedRange<Double>) {
        let found = share(of: .high, points: points, factor: factor, trials: 300, Self.increase)
        #expect(expected.contains(found), "\(found)")
    }

    /// The unit of the points is not part of the question.
    @Test(arguments: [1e-12, 1e-6, 1e-5, 1e-3, 1e3, 1e9])
    func doesNotDependOnTheUnit(_ unit: Double) throws {
        var random = SeededGenerator(seed: 31)
        for round in 0..<30 {
            let x = latencies(20, around: round % 2 == 0 ? 100 : 140, &random)
            let y = latencies(20, around: 100, &random)
            let judge = Judge(JudgeTests.options())
            let one = judge.compare(experiment: x, control: y, noise: &random)
            let scaled = judge.compare(
                experiment: x.map { $0 * unit }, control: y.map { $0 * unit }, noise: &random)
            #expect(one.classification == scaled.classification)
            for path in [\JudgeMath.low, \.estimate, \.high] {
                let (a, b) = (try #require(one.math[keyPath: path]), try #require(scaled.math[keyPath: path]))
                #expect(abs(a - b / unit) < 1e-3)
            }
        }
    }

    /// Kayenta's fixed tolerance makes the unit part of the question; what is corrected is there.
    @Test func kayentaDependsOnTheUnit() throws {
        var random = SeededGenerator(seed: 32)
        let (x, y) = ([20.0, 22, 21, 25, 30, 24, 26], [10.0, 11, 12, 13, 14, 15, 16])
        let judge = Judge(JudgeTests.options { $0.kayentaCompat = true })
        let one = judge.compare(experiment: x, control: y, noise: &random)
        let scaled = judge.compare(experiment: x.map { $0 * 1e-6 }, control: y.map { $0 * 1e-6 }, noise: &random)
        #expect(abs(try #require(one.math.low) - (try #require(scaled.math.low)) * 1e6) > 0.5)
    }

    /// Points that are mostly 0, as shares of errors are: Kayenta's interval may then end before it begins.
    @Test func hasItsEndsInOrder() throws {
        var random = SeededGenerator(seed: 36)
        let ours = Judge(JudgeTests.options())
        let theirs = Judge(JudgeTests.options { $0.kayentaCompat = true })
        var inverted = 0
        for _ in 0..<400 {
            func points() -> [Double] {
                (0..<40).map { _ in random.chance(60) ? 0 : Double.random(in: 0..<1e-4, using: &random) }
            }
            let (x, y) = (points(), points())
            let math = ours.compare(experiment: x, control: y, noise: &random).math
            #expect(try #require(math.low) <= (try #require(math.high)))
            let unit = ours.compare(experiment: x.map { $0 * 1024 }, control: y.map { $0 * 1024 }, noise: &random).math
            #expect(unit.low == math.low.map { $0 * 1024 })
            let other = theirs.compare(experiment: x, control: y, noise: &random).math
            if try #require(other.low) > (try #require(other.high)) { inverted += 1 }
        }
        #expect(inverted > 0)
    }

    /// With the sides exchanged the difference is the opposite one.
    @Test func isSymmetric() throws {
        var random = SeededGenerator(seed: 33)
        let judge = Judge(
            JudgeTests.options {
                $0.effectSize.allowedIncrease = 1.25
                $0.effectSize.allowedDecrease = 0.8
            })
        for round in 0..<100 {
            let x = latencies(10 + round % 10, around: 60 + Double(round), &random)
            let y = latencies(12, around: 100, &random)
            let there = judge.compare(experiment: x, control: y, noise: &random)
            let back = judge.compare(experiment: y, control: x, noise: &random)
            let names = [there.classification.name, back.classification.name].sorted()
            #expect(names == ["Pass", "Pass"] || names == ["High", "Low"])
            #expect(abs(try #require(there.math.low) + (try #require(back.math.high))) < 1e-4)
            #expect(abs(try #require(there.math.estimate) + (try #require(back.math.estimate))) < 1e-4)
            #expect(abs(try #require(there.math.p) - (try #require(back.math.p))) < 1e-9)
        }
    }

    /// Points far from their order are judged as if they came in order.
    @Test func doesNotDependOnTheOrder() {
        var random = SeededGenerator(seed: 34)
        let judge = Judge(JudgeTests.options())
        for _ in 0..<30 {
            let (x, y) = (latencies(15, around: 120, &random), latencies(15, around: 100, &random))
            let one = judge.compare(experiment: x, control: y, noise: &random)
            let shuffled = judge.compare(
                experiment: x.shuffled(using: &random), control: y.shuffled(using: &random), noise: &random)
            #expect(one.classification == shuffled.classification)
            #expect(one.math.low == shuffled.math.low)
        }
    }

    /// A wider interval holds a narrower one.
    @Test func widensWithConfidence() throws {
        var random = SeededGenerator(seed: 35)
        let (x, y) = (latencies(30, around: 120, &random), latencies(30, around: 100, &random))
        var before: (low: Double, high: Double)?
        for confidence in [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999] {
            let judge = Judge(JudgeTests.options { $0.confidence = confidence })
            let math = judge.compare(experiment: x, control: y, noise: &random).math
            let (low, high) = (try #require(math.low), try #require(math.high))
            if let before { #expect(low <= before.low && high >= before.high) }
            before = (low, high)
        }
    }
}
