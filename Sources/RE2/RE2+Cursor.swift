extension RE2 {
    /// A Unicode code point, also one that no text can have (`\x{D800}`), which RE2 lets be written.
    typealias CodePoint = UInt32

    /// The position of a parser in the UTF-8 of its pattern.
    struct Cursor {
        private let bytes: [UInt8]
        private(set) var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var first: UInt8? { position < bytes.count ? bytes[position] : nil }
        var remaining: Int { bytes.count - position }

        /// Moves on, at most to the end.
        mutating func skip(_ count: Int = 1) { position = min(position + count, bytes.count) }

        func hasPrefix(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

        /// Moves past `text` if it is next.
        mutating func take(_ text: String) -> Bool {
            guard hasPrefix(text) else { return false }
            skip(text.utf8.count)
            return true
        }

        /// The text that was passed since `start`.
        func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

        /// The text up to `end`, which is passed too; `nil` if `end` does not come.
        mutating func takeText(before end: String) -> String? {
            var index = position
            while index < bytes.count {
                if bytes[index...].starts(with: end.utf8) {
                    let text = String(decoding: bytes[position..<index], as: UTF8.self)
                    position = index + end.utf8.count
                    return text
                }
                index += 1
            }
            return nil
        }

        /// The next character, from bytes that are known to be valid UTF-8; 0 at the end.
        mutating func takeScalar() -> CodePoint {
            guard let lead = first else { return 0 }
            let length =
                switch lead {
                case 0..<0x80: 1
                case 0x80..<0xE0: 2
                case 0xE0..<0xF0: 3
                default: 4
                }
            let start = position
            skip(length)
            return String(decoding: bytes[start..<position], as: UTF8.self).unicodeScalars.first?.value ?? 0
        }

        /// `\d`, `\S` and the like.
        mutating func takePerlClass() -> CharacterSet.Member? {
            for (letter, name) in [("d", "digit"), ("s", "perl space"), ("w", "word")] {
                let ranges = RE2.asciiClasses[name] ?? []
                if take("\\\(letter)") { return .ascii(ranges, isNegated: false) }
                if take("\\\(letter.uppercased())") { return .ascii(ranges, isNegated: true) }
            }
            return nil
        }

        /// `{n}`, `{n,}` (no upper bound) or `{n,m}`; does not move if it is none of them.
        mutating func takeCount() -> (low: Int, high: Int?)? {
            var ahead = self
            guard ahead.take("{"), let low = ahead.takeInteger() else { return nil }
            var high: Int? = low
            if ahead.take(",") {
                high = nil
                if ahead.first != UInt8(ascii: "}") {
                    guard let number = ahead.takeInteger() else { return nil }
                    high = number
                }
            }
            guard ahead.take("}") else { return nil }
            self = ahead
            return (low, high)
        }

        /// A number without leading zeros below 10⁹.
        private mutating func takeInteger() -> Int? {
            let digits = bytes[position...].prefix(while: RE2.isDigit)
            guard (1...9).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else {
                return nil
            }
            skip(digits.count)
            return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }

        /// At most three octal digits of which the first is passed already.
        mutating func takeOctal(after first: UInt8) -> CodePoint {
            var code = CodePoint(first - UInt8(ascii: "0"))
            for _ in 0..<2 {
                guard let byte = self.first, RE2.isOctal(byte) else { break }
                code = code * 8 + CodePoint(byte - UInt8(ascii: "0"))
                skip()
            }
            return code
        }

        /// `7F` or `{10FFFF}`.
        mutating func takeHexadecimal() -> CodePoint? {
            guard take("{") else {
                guard remaining >= 2, let code = CodePoint(hexadecimal: bytes[position..<position + 2]) else {
                    // Passed all the same, so that the message shows them.
                    _ = takeScalar()
                    return nil
                }
                skip(2)
                return code
            }
            guard let digits = takeText(before: "}"), let code = CodePoint(hexadecimal: Array(digits.utf8)[...]) else {
                return nil
            }
            return code <= 0x10_FFFF ? code : nil
        }
    }
}

extension RE2.CodePoint {
    /// Hexadecimal digits only, with any number of leading zeros.
    fileprivate init?(hexadecimal digits: ArraySlice<UInt8>) {
        guard !digits.isEmpty else { return nil }
        var code: UInt32 = 0
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue, code <= 0x10_FFFF else { return nil }
            code = code * 16 + UInt32(value)
        }
        self = code
    }

    /// How many bytes it has in UTF-8.
    var utf8Length: Int {
        switch self {
        case 0..<0x80: 1
        case 0x80..<0x800: 2
        case 0x800..<0x1_0000: 3
        default: 4
        }
    }
}
