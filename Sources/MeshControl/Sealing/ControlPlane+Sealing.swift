internal import Logging
internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

/// A tenant's data key, and the uid that it is bound to.
struct TenantSeal: Sendable {
    let key: DataKey
    let tenantUID: String

    func seal(_ value: Secret<[UInt8]>, of object: ObjectKey, _ field: String) -> SealedValue {
        let sealed = key.seal(value, at: SealedPlace(of: object, field, tenant: tenantUID))
        return SealedValue(key: object, field: field, dataKey: key.id, sealed: sealed)
    }
}

/// A reason for which a Secret that is named has no value for whoever needs it: a sentence without the value.
struct MissingSecret: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

extension ControlPlane {
    /// - Throws: ``ControlError/noKeyEncryptionKey(_:)`` if this server was given none.
    func keyEncryptionKeys() throws -> KeyEncryptionKeys {
        guard let keys = sealing else {
            throw ControlError.noKeyEncryptionKey("this server was given no key-encryption key")
        }
        return keys
    }

    /// The key that seals for a transaction's tenant, which is made if there is none.
    func seal(in transaction: StoreTransaction) async throws -> TenantSeal {
        let keys = try keyEncryptionKeys()
        var stored = try await transaction.currentDataKey()
        if stored == nil {
            try await transaction.addDataKey(keys.newDataKey(of: transaction.tenant, transaction.tenantUID()))
            stored = try await transaction.currentDataKey()
        }
        guard let stored else { throw ControlError.fault("tenant \(transaction.tenant) has no data key") }
        return TenantSeal(key: try unwrap(stored, by: keys), tenantUID: stored.tenantUID)
    }

    /// The value of a Secret that an object names, as text.
    ///
    /// - Throws: ``MissingSecret`` in words that whoever reads the object may read.
    func secret(_ reference: SecretReference, of object: ObjectKey) async throws -> Secret<String> {
        guard let key = reference.target(from: object) else { throw ControlError.fault("\(object) has no namespace") }
        do {
            let value = try await unsealed(SecretField.name(reference.key), of: key)
            guard let text = value.flatMap({ String(validating: $0.reveal(), as: UTF8.self) }) else {
                throw MissingSecret("there is no key \(reference.key) in the Secret \(reference.name) any more")
            }
            return Secret(text)
        } catch ControlError.noKeyEncryptionKey(let reason) {
            throw MissingSecret("the Secret \(reference.name) cannot be opened: \(reason)")
        } catch ControlError.fault(let reason) {
            logger.error("a secret does not open", metadata: ["error": "\(reason)"])
            throw MissingSecret("the Secret \(reference.name) cannot be opened; write it again")
        }
    }

    /// Opens one of an object's sealed values; `nil` if it has none of this name.
    ///
    /// - Throws: ``ControlError/noKeyEncryptionKey(_:)``; ``ControlError/fault(_:)`` if it was not sealed for this place.
    func unsealed(_ field: String, of key: ObjectKey) async throws -> Secret<[UInt8]>? {
        guard let (value, stored) = try await store.sealedValues(of: key, [field]).first else { return nil }
        let dataKey = try unwrap(stored, by: keyEncryptionKeys())
        do {
            return try dataKey.open(value.sealed, at: SealedPlace(of: key, field, tenant: stored.tenantUID))
        } catch {
            throw ControlError.fault("\(field) of \(key.placed) does not open: \(error)")
        }
    }

    private func unwrap(_ key: StoredDataKey, by keys: KeyEncryptionKeys) throws -> DataKey {
        do {
            return try keys.unwrap(key)
        } catch .unknownKey(let id) {
            throw ControlError.noKeyEncryptionKey("this server was not given the key-encryption key \"\(id)\"")
        } catch .notAuthentic {
            throw ControlError.fault("the data key \(key.id) of tenant \(key.tenant) does not open")
        }
    }
}
