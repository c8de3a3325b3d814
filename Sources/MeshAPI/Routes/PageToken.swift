internal import Foundation

/// The text form of a place in a list: its parts in base64url (RFC 4648 section 5).
enum PageToken {
    static func of(_ parts: [String]) -> String {
        Data(parts.joined(separator: "/").utf8).base64EncodedString().replacing("+", with: "-").replacing(
            "/", with: "_"
        )
        .replacing("=", with: "")
    }

    static func parts(_ token: String) -> [String]? {
        guard token.utf8.count <= 1024 else { return nil }
        let plain = token.replacing("-", with: "+").replacing("_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: padded).flatMap { String(data: $0, encoding: .utf8) }?
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    }
}
