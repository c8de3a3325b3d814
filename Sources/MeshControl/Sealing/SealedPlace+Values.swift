internal import MeshCore
internal import MeshIdentity
internal import MeshModel
internal import MeshStore

extension SealedPlace {
    /// The place of one of an object's sealed values.
    init(of key: ObjectKey, _ field: String, tenant: String) {
        let row =
            [key.kind.name] + [key.mesh, key.namespace, key.service].map { $0?.text ?? "" } + [key.name.text, field]
        self.init(table: "sealed_value", tenant: tenant, row: row, column: "sealed")
    }
}

extension KeyEncryptionKeys {
    func unwrap(_ key: StoredDataKey) throws(SealingFailure) -> DataKey {
        try unwrap(key.id, key.wrapped, by: key.wrappedBy, for: key.tenantUID)
    }

    /// A new data key of a tenant, wrapped.
    func newDataKey(of tenant: Name, _ tenantUID: String) -> StoredDataKey {
        let key = DataKey()
        let (wrapper, wrapped) = wrap(key, for: tenantUID)
        return StoredDataKey(
            tenant: tenant, tenantUID: tenantUID, id: key.id, wrappedBy: wrapper, wrapped: wrapped)
    }
}
