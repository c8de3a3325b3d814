// MARK: - Character classes and escapes

extension RE2.Parser {
    /// Reads `[…]`.
    mutating func parseClass() throws(RE2.SyntaxProblem) {
        let start = input.position
        input.skip()
        var set = RE2.CharacterSet(ignoresCase: flags.ignoresCase)
        set.isNegated = input.take("^")
        var size = set.isNegated ? 12 : 1
        var isFirst = true
        while let byte = input.first, byte != UInt8(ascii: "]") || isFirst {
            isFirst = false
            if input.hasPrefix("[:"), let named = try parsePOSIXClass() {
                set.members.append(named)
                size += 4
            } else if input.hasPrefix("\\p") || input.hasPrefix("\\P"), input.remaining > 2 {
                set.members.append(try parseUnicodeClass())
                size += Self.unicodeClassSize
            } else if let named = input.takePerlClass() {
                set.members.append(named)
                size += 8
            } else {
                size += try parseRange(into: &set)
            }
        }
        guard input.take("]") else { throw RE2.SyntaxProblem("missing \"]\" for \"\(input.text(from: start))\"") }
        push([.character(set)], size: size)
    }

    /// RE2 turns classes of Unicode into many ranges of bytes: `\pL` into 1200 instructions.
    private static let unicodeClassSize = 500

    /// Reads `[:alpha:]`. Without an end it is no class but characters.
    private mutating func parsePOSIXClass() throws(RE2.SyntaxProblem) -> RE2.CharacterSet.Member? {
        var ahead = input
        ahead.skip(2)
        guard let name = ahead.takeText(before: ":]") else { return nil }
        let isNegated = name.hasPrefix("^")
        guard let ranges = RE2.asciiClasses[isNegated ? String(name.dropFirst()) : name] else {
            throw RE2.SyntaxProblem("unknown class \"[:\(name):]\"")
        }
        input = ahead
        return .ascii(ranges, isNegated: isNegated)
    }

    /// - Returns: an estimate of its instructions.
    private mutating func parseRange(into set: inout RE2.CharacterSet) throws(RE2.SyntaxProblem) -> Int {
        let begin = input.position
        let low = try parseClassCharacter()
        guard input.remaining >= 2, input.first == UInt8(ascii: "-"), !input.hasPrefix("-]") else {
            set.members.append(.range(low...low))
            return low.utf8Length
        }
        input.skip()
        let high = try parseClassCharacter()
        guard low <= high else { throw RE2.SyntaxProblem("bad range \"\(input.text(from: begin))\"") }
        set.members.append(.range(low...high))
        return low.utf8Length == high.utf8Length ? 2 * low.utf8Length : 16
    }

    private mutating func parseClassCharacter() throws(RE2.SyntaxProblem) -> RE2.CodePoint {
        guard let byte = input.first else { throw RE2.SyntaxProblem("missing \"]\"") }
        return byte == UInt8(ascii: "\\") ? try parseEscape() : input.takeScalar()
    }

    /// Reads what a backslash outside of brackets begins.
    mutating func parseBackslash() throws(RE2.SyntaxProblem) {
        for (escape, assertion) in RE2.Assertion.escapes where input.take(escape) {
            return push([.assertion(assertion)], size: 2)
        }
        if input.take("\\C") { return push([.unknown], size: 2) }
        if input.take("\\Q") { return parseQuoted() }
        if input.hasPrefix("\\p") || input.hasPrefix("\\P") {
            var set = RE2.CharacterSet(ignoresCase: flags.ignoresCase)
            set.members = [try parseUnicodeClass()]
            return push([.character(set)], size: Self.unicodeClassSize)
        }
        if let named = input.takePerlClass() {
            var set = RE2.CharacterSet(ignoresCase: flags.ignoresCase)
            set.members = [named]
            return push([.character(set)], size: 8)
        }
        push(literal: try parseEscape())
    }

    /// Everything up to `\E`, or to the end, is literal.
    private mutating func parseQuoted() {
        while input.first != nil, !input.take("\\E") { push(literal: input.takeScalar()) }
    }

    /// Reads `\pN`, `\p{Greek}` or `\P{^Greek}`.
    private mutating func parseUnicodeClass() throws(RE2.SyntaxProblem) -> RE2.CharacterSet.Member {
        let start = input.position
        let isUpper = input.hasPrefix("\\P")
        input.skip(2)
        guard input.first != nil else { throw RE2.SyntaxProblem("trailing \"\(input.text(from: start))\"") }
        let name: String?
        if input.take("{") {
            name = input.takeText(before: "}")
        } else {
            let begin = input.position
            _ = input.takeScalar()
            name = input.text(from: begin)
        }
        let isNegated = name?.hasPrefix("^") == true
        let plain = isNegated ? name.map { String($0.dropFirst()) } : name
        guard let plain, RE2.unicodeClasses.contains(plain) else {
            throw RE2.SyntaxProblem("unknown Unicode class \"\(input.text(from: start))\"")
        }
        return .unicode(plain, isNegated: isUpper != isNegated)
    }

    /// Reads an escape that stands for one character.
    private mutating func parseEscape() throws(RE2.SyntaxProblem) -> RE2.CodePoint {
        let start = input.position
        input.skip()
        guard let byte = input.first else { throw RE2.SyntaxProblem("trailing \"\\\"") }
        _ = input.takeScalar()
        var value: RE2.CodePoint?
        switch byte {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "f"),
            UInt8(ascii: "v"):
            value = RE2.controlEscapes[byte]
        case UInt8(ascii: "x"): value = input.takeHexadecimal()
        case UInt8(ascii: "1")...UInt8(ascii: "7"):
            guard let next = input.first, RE2.isOctal(next) else {
                throw RE2.SyntaxProblem("back-reference \"\(input.text(from: start))\" is not supported")
            }
            value = input.takeOctal(after: byte)
        case UInt8(ascii: "0"): value = input.takeOctal(after: byte)
        case 0..<128 where !RE2.isAlphanumeric(byte): value = RE2.CodePoint(byte)
        default: value = nil
        }
        guard let value else { throw RE2.SyntaxProblem("unknown escape \"\(input.text(from: start))\"") }
        return value
    }
}

extension RE2 {
    static let controlEscapes: [UInt8: CodePoint] = [
        UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "a"): 7, UInt8(ascii: "f"): 12,
        UInt8(ascii: "v"): 11,
    ]

    static func isOctal(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
