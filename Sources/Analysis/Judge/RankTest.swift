/// The Mann-Whitney test of two samples, by its normal approximation with correction for continuity and ties.
struct RankTest {
    /// Both sorted.
    private let x: [Double]
    private let y: [Double]

    /// - Parameters: samples of numbers, none of them empty or infinite.
    init(_ x: [Double], _ y: [Double]) {
        self.x = x.sorted()
        self.y = y.sorted()
    }

    /// The fewest points a side with which the interval of the difference is one (those of the rank sum can be so extreme).
    static func leastSamples(confidence: Double) -> Int {
        let wanted = -Chance.normalQuantile((1 - confidence) / 2)
        for count in 2..<100 {
            let n = Double(count)
            let deviation = (n * n * (2 * n + 1) / 12).squareRoot()
            if (n * n / 2 - 0.5) / deviation >= wanted { return count }
        }
        return 100
    }

    /// The sum of the average ranks of `x - shift` among them and `y`, and the correction for ties: the sum of `t³ - t` of all groups of
    /// `t` equal values.
    private func ranks(shift: Double) -> (sum: Double, ties: Double) {
        var (i, j) = (0, 0)
        var (sum, ties) = (0.0, 0.0)
        while i < x.count || j < y.count {
            let value = i < x.count ? (j < y.count ? min(x[i] - shift, y[j]) : x[i] - shift) : y[j]
            let (firstOfX, before) = (i, i + j)
            while i < x.count, x[i] - shift <= value { i += 1 }
            while j < y.count, y[j] <= value { j += 1 }
            let (equal, ofX) = (Double(i + j - before), Double(i - firstOfX))
            sum += ofX * (Double(before) + (equal + 1) / 2)
            ties += equal * equal * equal - equal
        }
        return (sum, ties)
    }

    /// The rank sum of `x - shift` above what is expected without a difference, in standard deviations.
    ///
    /// - Returns: `nil` if all values are equal.
    func score(shift: Double) -> Double? {
        let (n, m) = (Double(x.count), Double(y.count))
        let (sum, ties) = ranks(shift: shift)
        let difference = sum - n * (n + 1) / 2 - n * m / 2
        let variance = n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1)))
        guard variance > 0 else { return nil }
        let correction = difference > 0 ? 0.5 : difference < 0 ? -0.5 : 0
        return (difference - correction) / variance.squareRoot()
    }

    /// The share of pairs in which the value of `x` is greater, ties halved (common language effect size).
    var greaterShare: Double {
        let (n, m) = (Double(x.count), Double(y.count))
        return (2 * ranks(shift: 0).sum - n * (n + 1)) / (2 * n * m)
    }

    /// How likely so large a difference is by chance, in either direction; `nil` if all values are equal.
    var probability: Double? { score(shift: 0).map { 2 * Chance.normal(-$0.magnitude) } }

    /// The difference between the places of `x` and `y` (Hodges and Lehmann's estimate) with its interval of confidence.
    ///
    /// - Parameters:
    ///   - tolerance: how exact, in the unit of the values.
    ///   - isMiddle: the estimate is the middle of all differences that are as good as each other, instead of the one that is found first.
    /// - Throws: if all values are equal once one sample has been moved onto the other one.
    func shift(
        confidence: Double, tolerance: Double, isMiddle: Bool
    ) throws(Undecidable) -> (low: Double, estimate: Double, high: Double) {
        guard let leastX = x.first, let mostX = x.last, let leastY = y.first, let mostY = y.last else {
            throw Undecidable(reason: "there are no values")
        }
        let ends = (leastX - mostY, mostX - leastY)
        guard ends.0.isFinite, ends.1.isFinite else { throw Undecidable(reason: "the values are too far apart") }
        let z = Chance.normalQuantile((1 - confidence) / 2)
        let estimate: Double
        if isMiddle {
            // A score is at least a little away from 0, or 0.
            let little = 1e-9
            let first = try root(little, ends, tolerance, mayBeEnd: true)
            estimate = first / 2 + (try root(-little, ends, tolerance, mayBeEnd: true)) / 2
        } else {
            estimate = try root(0, ends, tolerance, mayBeEnd: false)
        }
        return (
            try root(-z, ends, tolerance, mayBeEnd: true), estimate, try root(z, ends, tolerance, mayBeEnd: true)
        )
    }

    struct Undecidable: Error {
        var reason: String
    }

    /// The shift at which the score is so large.
    ///
    /// - Parameter mayBeEnd: no shift between the ends has that score if those do not; then the nearer one is the answer.
    private func root(
        _ wanted: Double, _ ends: (Double, Double), _ tolerance: Double, mayBeEnd: Bool
    ) throws(Undecidable) -> Double {
        let difference = { (shift: Double) throws(Undecidable) -> Double in
            guard let score = score(shift: shift) else { throw Undecidable(reason: "all observations are tied") }
            return score - wanted
        }
        let (low, high) = (try difference(ends.0), try difference(ends.1))
        // A score falls as the shift rises.
        if low <= 0 && mayBeEnd { return ends.0 }
        if high >= 0 && mayBeEnd { return ends.1 }
        return try RootFinder.root(
            between: (ends.0, low), and: (ends.1, high), tolerance: tolerance, of: difference)
    }
}
