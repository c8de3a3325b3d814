/// Reads the grammar of ``Expression`` by recursive descent, and checks types on the way.
struct ExpressionParser {
    private let bytes: [UInt8]
    private let hasBaseline: Bool
    private var position = 0
    private var depth = 0

    init(_ text: String, hasBaseline: Bool) {
        bytes = Array(text.utf8)
        self.hasBaseline = hasBaseline
    }

    mutating func parse() throws(ExpressionProblem) -> Expression.Truth {
        let (value, column) = try located { parser throws(ExpressionProblem) in try parser.disjunction() }
        skipBlanks()
        guard position == bytes.count else { throw unexpected("an operator or the end") }
        return try truth(value, at: column, "a condition")
    }

    private enum Value {
        case number(Expression.Number)
        case truth(Expression.Truth)
    }

    // MARK: The grammar's rules

    private mutating func disjunction() throws(ExpressionProblem) -> Value {
        try chain(of: "||", { parser throws(ExpressionProblem) in try parser.conjunction() }, Expression.Truth.either)
    }

    private mutating func conjunction() throws(ExpressionProblem) -> Value {
        try chain(of: "&&", { parser throws(ExpressionProblem) in try parser.comparison() }, Expression.Truth.both)
    }

    private mutating func chain(
        of symbol: String, _ part: (inout Self) throws(ExpressionProblem) -> Value,
        _ make: (Expression.Truth, Expression.Truth) -> Expression.Truth
    ) throws(ExpressionProblem) -> Value {
        var (value, column) = try located(part)
        while take(symbol) {
            let left = try truth(value, at: column, "the left side of \(symbol)")
            let next = try located(part)
            let right = try truth(next.value, at: next.column, "the right side of \(symbol)")
            (value, column) = (.truth(make(left, right)), column)
        }
        return value
    }

    private mutating func comparison() throws(ExpressionProblem) -> Value {
        let left = try located { parser throws(ExpressionProblem) in try parser.sum() }
        // Longer symbols first: `<=` begins as `<` does.
        let symbols = [Comparison.equal, .notEqual, .atMost, .atLeast, .less, .greater]
        guard let symbol = symbols.first(where: { take($0.rawValue) }) else { return left.value }
        let right = try located { parser throws(ExpressionProblem) in try parser.sum() }
        if case .truth(let a) = left.value, symbol == .equal || symbol == .notEqual {
            let b = try truth(right.value, at: right.column, "the right side of \(symbol.rawValue)")
            return .truth(symbol == .equal ? .same(a, b) : .not(.same(a, b)))
        }
        let a = try number(left.value, at: left.column, "the left side of \(symbol.rawValue)")
        let b = try number(right.value, at: right.column, "the right side of \(symbol.rawValue)")
        return .truth(.comparison(symbol, a, b))
    }

    private mutating func sum() throws(ExpressionProblem) -> Value {
        var (value, column) = try located { parser throws(ExpressionProblem) in try parser.term() }
        while true {
            let isSum = take("+")
            guard isSum || take("-") else { return value }
            let symbol = isSum ? "+" : "-"
            let left = try number(value, at: column, "the left side of \(symbol)")
            let next = try located { parser throws(ExpressionProblem) in try parser.term() }
            let right = try number(next.value, at: next.column, "the right side of \(symbol)")
            (value, column) = (.number(isSum ? .sum(left, right) : .difference(left, right)), column)
        }
    }

    private mutating func term() throws(ExpressionProblem) -> Value {
        var (value, column) = try located { parser throws(ExpressionProblem) in try parser.unary() }
        while take("*") {
            let left = try number(value, at: column, "the left side of *")
            let next = try located { parser throws(ExpressionProblem) in try parser.unary() }
            let right = try number(next.value, at: next.column, "the right side of *")
            (value, column) = (.number(.product(left, right)), column)
        }
        return value
    }

    private mutating func unary() throws(ExpressionProblem) -> Value {
        if take("!") {
            let atom = try located { parser throws(ExpressionProblem) in try parser.atom() }
            return .truth(.not(try truth(atom.value, at: atom.column, "the value behind !")))
        }
        if take("-") {
            let atom = try located { parser throws(ExpressionProblem) in try parser.atom() }
            return .number(.negated(try number(atom.value, at: atom.column, "the value behind -")))
        }
        return try atom()
    }

    private mutating func atom() throws(ExpressionProblem) -> Value {
        skipBlanks()
        let start = position
        if take("(") {
            guard depth < Expression.maxDepth else {
                throw ExpressionProblem(
                    column: start + 1, text: "parentheses must nest at most \(Expression.maxDepth) deep")
            }
            depth += 1
            let value = try disjunction()
            try expect(")")
            depth -= 1
            return value
        }
        if let byte = peek(), Self.isDigit(byte) { return .number(.literal(try literal())) }
        switch word() {
        case "true": return .truth(.literal(true))
        case "false": return .truth(.literal(false))
        case "default": return .number(try defaulted())
        default: position = start
        }
        guard let operand = try operand() else {
            throw unexpected(
                "a number, result\(hasBaseline ? ", baseline" : ""), true, false, default(result, number) or (")
        }
        return .number(.operand(operand))
    }

    /// Reads on behind `default`.
    private mutating func defaulted() throws(ExpressionProblem) -> Expression.Number {
        try expect("(")
        skipBlanks()
        guard let operand = try operand() else { throw unexpected(hasBaseline ? "result or baseline" : "result") }
        try expect(",")
        skipBlanks()
        let number = try literal()
        try expect(")")
        return .defaulted(operand, number)
    }

    // MARK: Words and numbers

    /// - Returns: `nil`, having read nothing, if there is another word or none.
    private mutating func operand() throws(ExpressionProblem) -> Expression.Operand? {
        let start = position
        switch word() {
        case "result":
            if take("[") {
                try expect("0")
                try expect("]")
            }
            return .result
        case "baseline":
            guard hasBaseline else {
                throw ExpressionProblem(
                    column: start + 1, text: "baseline needs \"baseline\": \"stable\" in the metric")
            }
            return .baseline
        default:
            position = start
            return nil
        }
    }

    /// Digits, perhaps a fraction, perhaps an exponent.
    private mutating func literal() throws(ExpressionProblem) -> Double {
        let start = position
        guard takeDigits() else { throw unexpected("a number") }
        if peek() == UInt8(ascii: ".") {
            position += 1
            guard takeDigits() else { throw unexpected("a digit") }
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            guard takeDigits() else { throw unexpected("a digit") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let number = Double(text), number.isFinite else {
            throw ExpressionProblem(column: start + 1, text: "the number is too large")
        }
        return number
    }

    private mutating func takeDigits() -> Bool {
        let start = position
        while let byte = peek(), Self.isDigit(byte) { position += 1 }
        return position > start
    }

    /// Letters, digits and `_` from here on; may be empty.
    private mutating func word() -> String {
        let start = position
        while let byte = peek(), Self.isLetter(byte) || Self.isDigit(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) || byte == 95 }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = peek(), [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ symbol: String) -> Bool {
        skipBlanks()
        guard bytes[position...].starts(with: symbol.utf8) else { return false }
        position += symbol.utf8.count
        return true
    }

    private mutating func expect(_ symbol: String) throws(ExpressionProblem) {
        if !take(symbol) { throw unexpected("\"\(symbol)\"") }
    }

    private func unexpected(_ expected: String) -> ExpressionProblem {
        ExpressionProblem(column: position + 1, text: "expected \(expected)")
    }

    // MARK: Types

    /// A part, and the column at which it begins.
    private mutating func located(
        _ part: (inout Self) throws(ExpressionProblem) -> Value
    ) throws(ExpressionProblem) -> (value: Value, column: Int) {
        skipBlanks()
        let column = position + 1
        return (try part(&self), column)
    }

    private func number(
        _ value: Value, at column: Int, _ what: String
    ) throws(ExpressionProblem) -> Expression.Number {
        guard case .number(let number) = value else {
            throw ExpressionProblem(column: column, text: "\(what) must be a number, not a boolean")
        }
        return number
    }

    private func truth(_ value: Value, at column: Int, _ what: String) throws(ExpressionProblem) -> Expression.Truth {
        guard case .truth(let truth) = value else {
            throw ExpressionProblem(column: column, text: "\(what) must be a boolean, not a number")
        }
        return truth
    }
}
