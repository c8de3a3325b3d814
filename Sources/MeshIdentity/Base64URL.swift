internal import Foundation

/// base64url without padding (RFC 4648 section 5), as JSON Web Tokens use it.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// - Returns: `nil` for anything that ``encode(_:)`` does not produce.
    static func decode(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty, !text.contains(where: { $0 == "+" || $0 == "/" || $0 == "=" }) else { return nil }
        var plain = text.replacing("-", with: "+").replacing("_", with: "/")
        plain.append(contentsOf: String(repeating: "=", count: (4 - text.utf8.count % 4) % 4))
        guard let data = Data(base64Encoded: String(plain)) else { return nil }
        let bytes = Array(data)
        // Several texts decode to the same bytes if the last character has spare bits; only one of them is ours.
        return encode(bytes) == text ? bytes : nil
    }
}
