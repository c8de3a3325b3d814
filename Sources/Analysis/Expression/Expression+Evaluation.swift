/// The reason why a condition is neither true nor false.
package enum EvaluationProblem: Error, Hashable, Sendable {
    /// An operand has no value, and no `default(…)` stands for it.
    case noData
    /// Arithmetic left the range of finite numbers, or an operand is infinite.
    case overflow
}

extension Expression {
    /// Whether the condition holds.
    ///
    /// `&&` and `||` look at their right side only if the left one does not decide: `default(result, 0) == 0 || result < 1` is true
    /// of no data. A left side that has no value decides as well: so has the whole none.
    ///
    /// - Parameters:
    ///   - result: the measured value; `nil` and NaN are no data.
    ///   - baseline: what it is compared with, likewise.
    package func evaluate(result: Double?, baseline: Double?) -> Result<Bool, EvaluationProblem> {
        let values = Values(result: result, baseline: baseline)
        do throws(EvaluationProblem) {
            return .success(try values.evaluate(root))
        } catch {
            return .failure(error)
        }
    }

    /// The values of the operands.
    struct Values {
        var result: Double?
        var baseline: Double?

        func evaluate(_ truth: Truth) throws(EvaluationProblem) -> Bool {
            switch truth {
            case .literal(let value): return value
            case .not(let part): return !(try evaluate(part))
            case .both(let a, let b):
                guard try evaluate(a) else { return false }
                return try evaluate(b)
            case .either(let a, let b):
                if try evaluate(a) { return true }
                return try evaluate(b)
            case .comparison(let comparison, let a, let b): return comparison.holds(try evaluate(a), try evaluate(b))
            case .same(let a, let b): return try evaluate(a) == evaluate(b)
            }
        }

        func evaluate(_ number: Number) throws(EvaluationProblem) -> Double {
            let value: Double
            switch number {
            case .literal(let literal): value = literal
            case .operand(let operand):
                guard let measured = self[operand] else { throw .noData }
                value = measured
            case .defaulted(let operand, let standard): value = self[operand] ?? standard
            case .negated(let part): value = -(try evaluate(part))
            case .sum(let a, let b): value = try evaluate(a) + evaluate(b)
            case .difference(let a, let b): value = try evaluate(a) - evaluate(b)
            case .product(let a, let b): value = try evaluate(a) * evaluate(b)
            }
            guard value.isFinite else { throw .overflow }
            return value
        }

        private subscript(operand: Operand) -> Double? {
            let value = operand == .result ? result : baseline
            return value?.isNaN == true ? nil : value
        }
    }
}

extension Expression {
    /// The comparison that decided, with values in the place of operands: `0.71 < 0.9`; `nil` if the condition is not a single
    /// comparison, or has no value.
    ///
    /// Of a condition that does not hold it is the opposite that does.
    package func decision(result: Double?, baseline: Double?) -> String? {
        guard case .comparison(let comparison, let left, let right) = root else { return nil }
        let values = Values(result: result, baseline: baseline)
        guard let a = try? values.evaluate(left), let b = try? values.evaluate(right) else { return nil }
        let holds = comparison.holds(a, b)
        return DecimalText.comparison(a, (holds ? comparison : comparison.opposite).rawValue, b)
    }

    /// The number that the result has to reach, or to stay under, for the condition to hold, if it names exactly one such number and
    /// is nothing but comparisons that all must hold.
    ///
    /// - Parameter isLower: asks for the number that must be reached (`result >= 0.99`), otherwise for the one that the result must not
    ///   exceed (`result <= 0.05`).
    func bound(isLower: Bool) -> Double? {
        let wanted: [Comparison] = isLower ? [.atLeast, .greater] : [.atMost, .less]
        guard let comparisons = root.conjunction else { return nil }
        let bounds = comparisons.compactMap { wanted.contains($0.comparison) ? $0.number : nil }
        return bounds.count == 1 ? bounds.first : nil
    }

    /// The number of ``bound(isLower:)`` that decides where it is the negation of the condition that has to hold.
    func boundOfOpposite(isLower: Bool) -> Double? {
        guard case .comparison(let comparison, let a, let b) = root,
            let (found, number) = Truth.comparison(comparison.opposite, a, b).bound
        else { return nil }
        return (isLower ? [.atLeast, .greater] : [.atMost, .less]).contains(found) ? number : nil
    }
}

extension Expression.Truth {
    /// Comparisons of the result with numbers that must all hold; `nil` if there is anything but comparisons joined by `&&`.
    fileprivate var conjunction: [(comparison: Comparison, number: Double)]? {
        switch self {
        case .both(let a, let b):
            guard let left = a.conjunction, let right = b.conjunction else { return nil }
            return left + right
        case .comparison: return bound.map { [$0] } ?? []
        default: return nil
        }
    }

    /// The comparison of the result with a number that this is, with the result on its left.
    fileprivate var bound: (comparison: Comparison, number: Double)? {
        switch self {
        case .comparison(let comparison, .operand(.result), .literal(let number)): (comparison, number)
        case .comparison(let comparison, .literal(let number), .operand(.result)): (comparison.mirrored, number)
        default: nil
        }
    }
}
