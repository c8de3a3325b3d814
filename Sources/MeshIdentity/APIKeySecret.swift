internal import Crypto
package import MeshCore

/// The secret of an API key, `slk_<id>_<random>`: shown once, stored only as a hash.
package struct APIKeySecret: Sendable {
    package let text: Secret<String>
    /// The beginning of the key, by which people recognise it; not enough to guess the rest.
    package let prefix: String

    /// Makes a secret with 192 random bits.
    package init(id: Name) {
        // The system's generator is one for cryptography (`getrandom(2)`).
        let random = (0..<24).map { _ in UInt8.random(in: .min ... .max) }
        let text = "slk_\(id)_" + Base64URL.encode(random)
        self.text = Secret(text)
        prefix = String(text.prefix(5 + id.text.utf8.count + 4))
    }

    /// Bytes of randomness in base64url.
    private static let randomLength = 32

    /// Whether a text can be the secret of any key: whoever sends another one need not be looked up.
    package static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count > "slk__".utf8.count + randomLength, text.hasPrefix("slk_") else { return false }
        let random = bytes.suffix(randomLength)
        let rest = bytes.dropFirst(4).dropLast(randomLength)
        guard rest.last == UInt8(ascii: "_"), Name(String(decoding: rest.dropLast(), as: UTF8.self)) != nil else {
            return false
        }
        return random.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    package var hash: [UInt8] { Self.hash(of: text.reveal()) }

    /// SHA-256. The secret has enough entropy of its own, so no slow hash is needed.
    package static func hash(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}
