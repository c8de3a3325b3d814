package import Documents

extension JSONPointer {
    /// Reads a pointer as RFC 6901 writes it: empty, or `/` before each token, `~` and `/` in one as `~0` and `~1`.
    package init?(text: String) {
        guard !text.isEmpty else {
            self = .root
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let token = Self.unescape(part) else { return nil }
            tokens.append(token)
        }
        self.init(tokens)
    }

    private static func unescape(_ part: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (true, UInt8(ascii: "0")): bytes.append(UInt8(ascii: "~"))
            case (true, UInt8(ascii: "1")): bytes.append(UInt8(ascii: "/"))
            case (true, _): return nil
            case (false, UInt8(ascii: "~")):
                isEscape = true
                continue
            case (false, _): bytes.append(byte)
            }
            isEscape = false
        }
        return isEscape ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// The end of the way that a pointer describes.
    enum Target: Equatable {
        case value(JSONValue)
        /// An object lacks the member, an array the element, or `null` stands on the way.
        case missing
        /// Something on the way that has no members of such a name: where, and what is wrong with it.
        case astray(JSONPointer, String)
    }

    func target(in document: JSONValue) -> Target {
        var value = document
        var here = JSONPointer.root
        for token in tokens {
            switch value {
            case .null: return .missing
            case .object(let members):
                guard let member = members[token] else { return .missing }
                value = member
            case .array(let elements):
                // `-` is the element after the last (RFC 6901 4).
                if token == "-" { return .missing }
                guard let index = Self.index(token) else { return .astray(here, "an array, and \(token) is no index") }
                guard elements.indices.contains(index) else { return .missing }
                value = elements[index]
            default: return .astray(here, "a \(value.typeName)")
            }
            here = here.appending(token)
        }
        return .value(value)
    }

    /// Decimal digits, the first of several not 0.
    private static func index(_ token: String) -> Int? {
        let digits = token.utf8
        guard digits.allSatisfy(\.isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        // More digits than an index can have stand behind every end.
        return digits.count > 18 ? .max : Int(token)
    }
}
