/// Brent's method for the root of a function, as R's `zeroin` has it (R. Brent, "Algorithms for Minimization without Derivatives",
/// 1973, chapter 4).
enum RootFinder {
    private static let maxSteps = 1000

    /// - Parameters:
    ///   - start: one end and the value there.
    ///   - end: the other end; one value is not above 0, the other one not below.
    ///   - tolerance: how far the result may be from the root.
    /// - Returns: the nearest that was found, also after too many steps.
    static func root<Problem: Error>(
        between start: (Double, Double), and end: (Double, Double), tolerance: Double,
        of function: (Double) throws(Problem) -> Double
    ) throws(Problem) -> Double {
        var (a, fa) = start
        var (b, fb) = end
        guard fa != 0 else { return a }
        var (c, fc) = (a, fa)
        for _ in 0...maxSteps {
            let previous = b - a
            if fc.magnitude < fb.magnitude {
                (a, fa) = (b, fb)
                (b, fb) = (c, fc)
                (c, fc) = (a, fa)
            }
            let near = 2 * Double.ulpOfOne * b.magnitude + tolerance / 2
            var step = (c - b) / 2
            guard step.magnitude > near, fb != 0 else { return b }
            if previous.magnitude >= near, fa.magnitude > fb.magnitude {
                let (p, q) = interpolation(a, fa, b, fb, c, fc)
                if p < 0.75 * (c - b) * q - (near * q).magnitude / 2, p < (previous * q / 2).magnitude { step = p / q }
            }
            if step.magnitude < near { step = step > 0 ? near : -near }
            (a, fa) = (b, fb)
            b += step
            fb = try function(b)
            if (fb > 0 && fc > 0) || (fb < 0 && fc < 0) { (c, fc) = (a, fa) }
        }
        return b
    }

    /// The step from `b` as a fraction whose numerator is not negative: linear with two points, inversely quadratic with three.
    private static func interpolation(
        _ a: Double, _ fa: Double, _ b: Double, _ fb: Double, _ c: Double, _ fc: Double
    ) -> (p: Double, q: Double) {
        var (p, q): (Double, Double)
        if a == c {
            let ratio = fb / fa
            (p, q) = ((c - b) * ratio, 1 - ratio)
        } else {
            let (ac, bc, ba) = (fa / fc, fb / fc, fb / fa)
            p = ba * ((c - b) * ac * (ac - bc) - (b - a) * (bc - 1))
            q = (ac - 1) * (bc - 1) * (ba - 1)
        }
        if p > 0 { q = -q } else { p = -p }
        return (p, q)
    }
}
