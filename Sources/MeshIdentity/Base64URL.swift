internal import Foundation

/// base64url without padding (RFC 4648 section 5), as JSON Web Tokens use it.
///
/// Works on bytes: a thousand proxies may come at once, and replacing characters in strings took longer than checking their
/// signatures.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: characters(of: bytes), as: UTF8.self)
    }

    /// - Returns: `nil` for anything that ``encode(_:)`` does not produce.
    static func decode(_ text: Substring) -> [UInt8]? {
        var plain: [UInt8] = []
        plain.reserveCapacity(text.utf8.count + 2)
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "-"): plain.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): plain.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: plain.append(character)
            }
        }
        while !plain.count.isMultiple(of: 4) { plain.append(UInt8(ascii: "=")) }
        guard !plain.isEmpty, let data = Data(base64Encoded: Data(plain)) else { return nil }
        // Several texts decode to the same bytes if the last character has spare bits; only one of them is ours.
        let bytes = Array(data)
        let tail = bytes.suffix((bytes.count - 1) % 3 + 1)
        return characters(of: Array(tail)).last == text.utf8.last ? bytes : nil
    }

    private static func characters(of bytes: [UInt8]) -> [UInt8] {
        Data(bytes).base64EncodedData().compactMap { character in
            switch character {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: character
            }
        }
    }
}
