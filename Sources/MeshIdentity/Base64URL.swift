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
        let characters = Array(text.utf8)
        guard !characters.isEmpty, !characters.contains(where: "+/=".utf8.contains) else { return nil }
        let plain = characters.map { character in
            switch character {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: character
            }
        }
        let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - plain.count % 4) % 4)
        guard let data = Data(base64Encoded: Data(plain + padding)) else { return nil }
        let bytes = Array(data)
        // Several texts decode to the same bytes if the last character has spare bits; only one of them is ours.
        return Self.characters(of: bytes) == characters ? bytes : nil
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
