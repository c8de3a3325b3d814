internal import Glibc  // lint:allow: logarithms and the error function only

/// Distributions of chance. The only file that asks the C library for functions.
enum Chance {
    /// How often more than so many of independent events happen (binomial distribution); `0...1`.
    ///
    /// - Parameter share: how often each does, `0..<1`.
    static func moreThan(_ allowed: Int, of count: Int, each share: Double) -> Double {
        guard count > 0, share > 0, share < 1, allowed >= 0 else { return 0 }
        var term = exp(Double(count) * log1p(-share))
        var sum = term
        for number in stride(from: 1, through: min(allowed, count), by: 1) {
            term *= Double(count - number + 1) / Double(number) * share / (1 - share)
            sum += term
        }
        return min(1, max(0, 1 - sum))
    }

    /// How often a value of the standard normal distribution is at most this.
    static func normal(_ value: Double) -> Double { 0.5 * erfc(-value / 2.squareRoot()) }

    /// The value that a value of the standard normal distribution does not exceed that often.
    ///
    /// - Parameter share: in `0...1`, neither of them included; others are as the nearest that is.
    static func normalQuantile(_ share: Double) -> Double {
        // Newton's method on the upper half, where it converges from 0 without overshooting: there the function is concave.
        let upper = min(1 - 1e-16, max(share, 1 - share))
        var value = 0.0
        for _ in 0..<100 {
            let density = exp(-value * value / 2) / (2 * Double.pi).squareRoot()
            let step = (upper - normal(value)) / density
            value += step
            if step.magnitude < 1e-14 { break }
        }
        return share < 0.5 ? -value : value
    }

    /// Two independent values of the standard normal distribution (Marsaglia and Bray's polar method).
    static func normalPair(using generator: inout some RandomNumberGenerator) -> (Double, Double) {
        while true {
            let (x, y) = (
                Double.random(in: -1...1, using: &generator), Double.random(in: -1...1, using: &generator)
            )
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * log(square) / square).squareRoot()
            return (x * factor, y * factor)
        }
    }
}
