internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A mesh has a row of its own, with its revision, and sidecars; which freeze windows hold for all of it depends on its document.
struct MeshHook: KindHook {
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        switch write {
        case .creating:
            return [
                """
                INSERT INTO mesh (tenant, mesh, revision) VALUES (\(key.tenant.text), \(key.name.text), 1)
                ON CONFLICT DO NOTHING
                """
            ]
        case .replacing(let old, let new) where old["rootNamespace"] != new["rootNamespace"]:
            // Nobody is told: they are found when somebody looks next.
            return [StoreTransaction.wakeReleases(in: (key.tenant.text, key.name.text), namespace: nil)]
        default: return []
        }
    }

    var hasMoreToDelete: Bool { true }

    /// Deletes what is of the mesh and is no object. Its changes and the state of its conditions go with its row.
    ///
    /// - Throws: ``StoreError/unavailable(retryAfter:because:)`` if something was written into the mesh meanwhile.
    func deleteMore(with key: ObjectKey, _ transaction: StoreTransaction) async throws {
        let (tenant, mesh) = (key.tenant.text, key.name.text)
        // This waits for those who write into the mesh; after it nobody can begin to.
        try transaction.touch(
            await transaction.session.query(
                "DELETE FROM mesh WHERE tenant = \(tenant) AND mesh = \(mesh) RETURNING mesh"))
        let results = try await transaction.pipeline([
            "SELECT 1 FROM object WHERE tenant = \(tenant) AND mesh = \(mesh) LIMIT 1",
            "DELETE FROM proxy_feed WHERE tenant = \(tenant) AND mesh = \(mesh)",
            "DELETE FROM proxy WHERE tenant = \(tenant) AND mesh = \(mesh)",
            "DELETE FROM departed_proxy WHERE tenant = \(tenant) AND mesh = \(mesh)",
            "DELETE FROM forgotten_proxy WHERE tenant = \(tenant) AND mesh = \(mesh)",
        ])
        guard results[0].isEmpty else { throw StoreError.unavailable(retryAfter: .seconds(1), because: .filled) }
    }
}
