/// A condition on a measurement's value, such as `result >= 0.99 && result > baseline - 0.005`.
///
/// ```
/// or   := and ("||" and)*
/// and  := cmp ("&&" cmp)*
/// cmp  := sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum)?
/// sum  := term (("+" | "-") term)*
/// term := unary ("*" unary)*
/// unary := ("!" | "-")? atom
/// atom := number | "true" | "false" | operand | "default(" operand "," number ")" | "(" or ")"
/// operand := "result" ("[0]")? | "baseline"
/// ```
///
/// There are two types, number and boolean, which are checked when the text is read; `==` and `!=` compare two of the same. There
/// is no division, so a value is missing only where an operand has none, or where arithmetic overflows.
package struct Expression: Hashable, Sendable {
    /// The text as it was read; what documents have.
    package let text: String
    let root: Truth

    /// The longest text, in bytes.
    package static let maxLength = 256
    /// The deepest nesting of parentheses.
    package static let maxDepth = 16

    /// Reads a condition.
    ///
    /// - Parameter hasBaseline: whether there is a `baseline` to compare with.
    /// - Throws: for what is no boolean expression of the grammar.
    package init(_ text: String, hasBaseline: Bool) throws(ExpressionProblem) {
        guard text.utf8.count <= Self.maxLength else {
            throw ExpressionProblem(column: Self.maxLength + 1, text: "must be at most \(Self.maxLength) bytes long")
        }
        var parser = ExpressionParser(text, hasBaseline: hasBaseline)
        root = try parser.parse()
        self.text = text
    }

    /// A measured value that a condition names.
    enum Operand: Hashable, Sendable {
        case result, baseline
    }

    /// A part that is a number.
    indirect enum Number: Hashable, Sendable {
        case literal(Double)
        case operand(Operand)
        /// An operand, or the number where it has no value.
        case defaulted(Operand, Double)
        case negated(Number)
        case sum(Number, Number)
        case difference(Number, Number)
        case product(Number, Number)
    }

    /// A part that is true or false.
    indirect enum Truth: Hashable, Sendable {
        case literal(Bool)
        case not(Truth)
        case both(Truth, Truth)
        case either(Truth, Truth)
        case comparison(Comparison, Number, Number)
        /// Whether two booleans are equal.
        case same(Truth, Truth)
    }
}

/// The relation of two numbers that a condition asks for.
enum Comparison: String, CaseIterable, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case atMost = "<="
    case greater = ">"
    case atLeast = ">="

    /// The relation that holds exactly where this one does not, between numbers that are not NaN.
    var opposite: Comparison {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .less: .atLeast
        case .atMost: .greater
        case .greater: .atMost
        case .atLeast: .less
        }
    }

    /// The relation with its sides exchanged.
    var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .atMost: .atLeast
        case .greater: .less
        case .atLeast: .atMost
        }
    }

    func holds(_ a: Double, _ b: Double) -> Bool {
        switch self {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .atMost: a <= b
        case .greater: a > b
        case .atLeast: a >= b
        }
    }
}

/// The reason why a text is no condition.
package struct ExpressionProblem: Error, Hashable, Sendable {
    /// The place, in bytes from 1; one more than the text has where it ends too early.
    package var column: Int
    /// A clause such as `expected a number, …`.
    package var text: String

    /// A clause for people: `column 8: expected …`.
    package var message: String { "column \(column): \(text)" }
}
