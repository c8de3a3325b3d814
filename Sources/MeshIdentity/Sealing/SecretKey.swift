internal import Crypto
internal import MeshCore

/// A key of 256 bits that is never printed.
struct SecretKey: Sendable {
    static let length = 32

    private let secret: Secret<[UInt8]>

    /// A new one.
    init() {
        // The system's generator is one for cryptography (`getrandom(2)`).
        secret = Secret((0..<Self.length).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// - Returns: `nil` unless there are as many bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        secret = Secret(bytes)
    }

    var bytes: [UInt8] { secret.reveal() }
    var symmetric: SymmetricKey { SymmetricKey(data: bytes) }
}
