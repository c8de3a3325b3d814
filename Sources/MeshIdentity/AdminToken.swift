internal import Crypto

/// The platform administrator's token as it is kept: enough to know it again.
package struct AdminToken: Sendable {
    private let hash: SHA256Digest

    package init(_ token: String) { hash = SHA256.hash(data: Array(token.utf8)) }

    /// Comparing digests takes the same time whatever they are (swift-crypto), and tells nothing of the token's length.
    package func matches(_ token: String) -> Bool { SHA256.hash(data: Array(token.utf8)) == hash }
}
