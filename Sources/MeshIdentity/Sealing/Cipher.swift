internal import Crypto
internal import Foundation

/// Why something sealed does not open.
package enum SealingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The key-encryption key of this id, which sealed it, is none of those that were given.
    case unknownKey(String)
    /// The key is another one, the value was changed, or it stands in another place.
    case notAuthentic

    package var description: String {
        switch self {
        case .unknownKey(let id): "it is sealed by key-encryption key \"\(id)\", which was not given"
        case .notAuthentic: "it was not sealed by this key, for this place, or was changed since"
        }
    }
}

/// AES-256-GCM with a random nonce for each value, as swift-crypto does it.
enum Cipher {
    /// The first byte of what is sealed, so that another form can be told from this one.
    private static let form: UInt8 = 1
    /// Bytes that are stored besides those of the value: form, nonce and tag.
    static let overhead = 1 + 12 + 16

    static func seal(_ value: [UInt8], with key: SymmetricKey, at place: SealedPlace) -> [UInt8] {
        // Only a key of another length or a value of 64 GiB is refused; there is neither.
        guard let box = try? AES.GCM.seal(value, using: key, authenticating: place.bytes), let combined = box.combined
        else { preconditionFailure("AES-256-GCM seals with 32 bytes") }
        return [form] + Array(combined)
    }

    static func open(
        _ sealed: [UInt8], with key: SymmetricKey, at place: SealedPlace
    ) throws(SealingFailure) -> [UInt8] {
        guard sealed.first == form, let box = try? AES.GCM.SealedBox(combined: Data(sealed.dropFirst())),
            let value = try? AES.GCM.open(box, using: key, authenticating: place.bytes)
        else { throw .notAuthentic }
        return Array(value)
    }
}
