package import MeshModel

/// Reads JSON text (RFC 8259) strictly, because what comes in here comes from strangers.
///
/// Foundation's decoder keeps the last of two members of one name, and says nothing about depth; here both are errors,
/// and so are invalid UTF-8, lone surrogates, U+0000 (which PostgreSQL's `jsonb` cannot hold) and numbers outside of what
/// a `Double` holds. A number without fraction that
/// fits 64 bits becomes ``JSONValue/integer(_:)``, however it is written (`1`, `1.0`, `1e0`).
package struct JSONParser {
    /// Why a text is not the JSON that is accepted here.
    package struct Failure: Error, Equatable {
        /// What is wrong, as a sentence without the place.
        package var reason: String
        /// Offset of the byte where it was noticed, from 0.
        package var offset: Int
    }

    /// How deep arrays and objects may nest.
    package static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a whole text.
    ///
    /// - Throws: ``Failure`` when the text is not one JSON value and white space around it.
    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("has something behind the JSON value") }
        return value
    }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard let byte = current else { throw failure("ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("has something else where a value is expected")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let text = word.description.utf8
        guard bytes[position...].starts(with: text) else { throw failure("has something else where a value is expected") }
        position += text.count
        return value
    }

    private func checkDepth(_ depth: Int) throws(Failure) {
        guard depth <= Self.maximumDepth else {
            throw failure("nests arrays and objects deeper than \(Self.maximumDepth) levels")
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        try checkDepth(depth)
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth))
            skipSpace()
            if try closes(with: UInt8(ascii: "]")) { return .array(elements) }
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        try checkDepth(depth)
        position += 1
        var members: [String: JSONValue] = [:]
        skipSpace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("has something else where a member's name is expected") }
            let start = position
            let name = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw failure("has no colon behind a member's name") }
            position += 1
            skipSpace()
            let member = try value(depth: depth)
            guard members.updateValue(member, forKey: name) == nil else {
                throw Failure(reason: "names a member twice in one object", offset: start)
            }
            skipSpace()
            if try closes(with: UInt8(ascii: "}")) { return .object(members) }
        }
    }

    /// Steps over a comma or the closing bracket; says which.
    private mutating func closes(with bracket: UInt8) throws(Failure) -> Bool {
        guard let byte = current else { throw failure("ends within an array or object") }
        guard byte == bracket || byte == UInt8(ascii: ",") else { throw failure("has no comma between two elements") }
        position += 1
        return byte == bracket
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        var isWhole = true
        if current == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let whole = Int64(text) { return .integer(whole) }
        guard let number = Double(text), number.isFinite else {
            throw Failure(reason: "has a number that is too large", offset: start)
        }
        // Beyond 2^53 a Double does not say which whole number was meant.
        if !isWhole, number.magnitude <= 9_007_199_254_740_992, let whole = Int64(exactly: number) {
            return .integer(whole)
        }
        return .number(number)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw failure("has a number without digits") }
    }
}

extension JSONParser {
    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = current {
            if byte == UInt8(ascii: "\"") {
                let text = try decoded(bytes[start..<position], at: start)
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw failure("has an unescaped control character in a string") }
            position += 1
        }
        throw failure("ends within a string")
    }

    private func decoded(_ utf8: some Collection<UInt8>, at start: Int) throws(Failure) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw Failure(reason: "is not valid UTF-8", offset: start)
        }
        return text
    }

    /// The slow path: a string with at least one escape, the first at ``position``.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var text = Array(bytes[start..<position])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try decoded(text, at: start)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &text)
            case 0..<0x20:
                throw failure("has an unescaped control character in a string")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw failure("ends within a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = current else { throw failure("ends within a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try unicodeEscape())).utf8)
        default: throw failure("has an unknown escape in a string")
        }
    }

    /// `\uXXXX`, or two of them that are a surrogate pair (RFC 8259 section 7).
    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
        let first = try hexadecimal()
        guard first != 0 else { throw failure("has the character U+0000 in a string, which cannot be stored") }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first), bytes[position...].starts(with: #"\u"#.utf8) else {
            throw failure("has half of a surrogate pair in a string")
        }
        position += 2
        let second = try hexadecimal()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
        else { throw failure("has half of a surrogate pair in a string") }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("ends within a string") }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("has an escape in a string that is not hexadecimal")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
