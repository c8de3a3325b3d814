internal import MeshCore
internal import MeshModel
internal import Postgres

/// A tenant has a mesh from the beginning, and much that is no object.
struct TenantHook: KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        guard case .creating = write else { return [] }
        return [
            """
            INSERT INTO mesh (tenant, mesh, revision) VALUES (\(key.tenant.text), \(Name.defaultMesh.text), 1)
            ON CONFLICT DO NOTHING
            """
        ]
    }

    var hasMoreToDelete: Bool { true }

    /// Deletes what belongs to the tenant and is no object, so that a later tenant of this name begins without the keys and
    /// answers of this one. The audit trail stays.
    ///
    /// - Throws: ``StoreError/unavailable(retryAfter:because:)`` if something was written into the tenant meanwhile.
    func deleteMore(with key: ObjectKey, _ transaction: StoreTransaction) async throws {
        let tenant = key.tenant
        // This waits for the writers of all meshes; after it nobody can begin to write.
        try transaction.touch(
            await transaction.session.query("DELETE FROM mesh WHERE tenant = \(tenant.text) RETURNING mesh"))
        let results = try await transaction.pipeline([
            "SELECT 1 FROM object WHERE tenant = \(tenant.text) LIMIT 1",
            "DELETE FROM api_key WHERE tenant = \(tenant.text)",
            "DELETE FROM idempotent_call WHERE tenant = \(tenant.text)",
            "DELETE FROM operation WHERE tenant = \(tenant.text)",
            "DELETE FROM proxy_feed WHERE tenant = \(tenant.text)",
            "DELETE FROM proxy WHERE tenant = \(tenant.text)",
            "DELETE FROM departed_proxy WHERE tenant = \(tenant.text)",
            "DELETE FROM forgotten_proxy WHERE tenant = \(tenant.text)",
        ])
        guard results[0].isEmpty else { throw StoreError.unavailable(retryAfter: .seconds(1), because: .filled) }
    }
}
