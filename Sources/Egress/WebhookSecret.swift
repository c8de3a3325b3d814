internal import Crypto
internal import Foundation

/// The key by which a receiver knows that a message is ours. It is not printed.
package struct WebhookSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    private let key: [UInt8]

    /// Reads `whsec_` and the key in base64, as the Standard Webhooks have it; any other text is the key itself.
    package init(_ text: String) {
        let encoded = text.hasPrefix("whsec_") ? Data(base64Encoded: String(text.dropFirst(6))) : nil
        key = encoded.map { Array($0) } ?? Array(text.utf8)
    }

    package var description: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 of `id.timestamp.body`.
    func signature(id: String, at seconds: Int64, _ body: [UInt8]) -> String {
        "v1," + Self.base64(of: Array("\(id).\(seconds).".utf8) + body, key: key)
    }

    /// HMAC-SHA256 in base64, as chats sign, too.
    static func base64(of message: [UInt8], key: [UInt8]) -> String {
        Data(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: key))).base64EncodedString()
    }
}
