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
