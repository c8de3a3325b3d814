internal import Crypto
package import MeshCore

/// A tenant's key, by which its secrets are sealed in the database. It is stored wrapped by a key-encryption key.
package struct DataKey: Sendable {
    package let id: String
    fileprivate let secret: SecretKey

    /// A new key.
    package init() {
        id = String(UInt64.random(in: .min ... .max), radix: 36)
        secret = SecretKey()
    }

    fileprivate init(id: String, secret: SecretKey) {
        self.id = id
        self.secret = secret
    }

    package func seal(_ value: Secret<[UInt8]>, at place: SealedPlace) -> [UInt8] {
        Cipher.seal(value.reveal(), with: secret.symmetric, at: place)
    }

    package func open(_ sealed: [UInt8], at place: SealedPlace) throws(SealingFailure) -> Secret<[UInt8]> {
        Secret(try Cipher.open(sealed, with: secret.symmetric, at: place))
    }

    /// How long a value is of which so many bytes are stored.
    package static func length(ofSealed length: Int) -> Int { max(0, length - Cipher.overhead) }
}

extension KeyEncryptionKeys {
    /// A digest that only who has the first key can compare with one of a guess: HMAC-SHA256, by a key that is derived for this alone.
    package func digest(_ bytes: [UInt8]) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: first.secret.symmetric, info: Array("sluice digest".utf8), outputByteCount: 32)
        return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    /// The place of a tenant's wrapped key.
    private static func place(of id: String, tenant: String) -> SealedPlace {
        SealedPlace(table: "data_key", tenant: tenant, row: [id], column: "wrapped")
    }

    /// Wraps a data key by the first key.
    ///
    /// - Parameter tenant: the uid of the tenant's object.
    package func wrap(_ key: DataKey, for tenant: String) -> (by: String, wrapped: [UInt8]) {
        let place = Self.place(of: key.id, tenant: tenant)
        return (first.id, Cipher.seal(key.secret.bytes, with: first.secret.symmetric, at: place))
    }

    /// Unwraps a data key.
    ///
    /// - Parameter wrapper: the id of the key-encryption key that wrapped it.
    package func unwrap(
        _ id: String, _ wrapped: [UInt8], by wrapper: String, for tenant: String
    ) throws(SealingFailure) -> DataKey {
        guard let key = key(wrapper) else { throw .unknownKey(wrapper) }
        let bytes = try Cipher.open(wrapped, with: key.secret.symmetric, at: Self.place(of: id, tenant: tenant))
        guard let secret = SecretKey(bytes) else { throw .notAuthentic }
        return DataKey(id: id, secret: secret)
    }
}
