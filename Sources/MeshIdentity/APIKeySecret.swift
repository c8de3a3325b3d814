internal import Crypto
package import MeshModel

/// The secret of an API key, `slk_<id>_<random>`: shown once, stored only as a hash.
package struct APIKeySecret: Sendable {
    package let text: Secret<String>
    /// What people recognise the key by; not enough to guess the rest.
    package let prefix: String

    /// Makes a secret with 192 random bits.
    package init(id: Name) {
        // The system's generator is one for cryptography (`getrandom(2)`).
        let random = (0..<24).map { _ in UInt8.random(in: .min ... .max) }
        let text = "slk_\(id)_" + Base64URL.encode(random)
        self.text = Secret(text)
        prefix = String(text.prefix(5 + id.text.utf8.count + 4))
    }

    package var hash: [UInt8] { Self.hash(of: text.reveal()) }

    /// SHA-256. The secret has enough entropy of its own, so no slow hash is needed.
    package static func hash(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}
