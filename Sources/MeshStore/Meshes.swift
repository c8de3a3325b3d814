package import MeshModel
internal import Postgres

/// Everything that a mesh is compiled from, as of one revision.
package struct LoadedMesh: Sendable {
    package var objects: [StoredObject]
    /// All clusters of the tenant.
    package var clusters: [StoredObject]
    package var revision: Revision
}

/// What changed in a mesh since a revision.
package struct MeshChanges: Sendable {
    /// Objects as they are now.
    package var changed: [StoredObject]
    package var deleted: [ObjectKey]
    /// The revision that a reader who applies this has.
    package var revision: Revision
    /// There was no more when this was read.
    package var isComplete: Bool
    /// The feed no longer reaches back so far: load the mesh anew.
    package var compacted: Bool
}

extension MeshStore {
    /// The mesh's current revision; `nil` if there is no such mesh.
    package func meshRevision(_ mesh: MeshKey) async throws(StoreError) -> Revision? {
        try await rows(
            "SELECT revision FROM mesh WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)",
            seeing: .tenant(mesh.tenant)
        ).first { row throws(PostgresError) in try row["revision"] }
    }

    /// Loads a mesh as of one moment.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func loadMesh(_ mesh: MeshKey) async throws -> LoadedMesh {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
        do {
            return try await pool.transaction(
                isolation: .repeatableRead, readOnly: true, prelude: [Visibility.tenant(mesh.tenant).statement]
            ) { session in
                let results = try await session.pipeline([
                    "SELECT revision FROM mesh WHERE tenant = \(tenant) AND mesh = \(name)",
                    "SELECT \(ObjectRow.columns) FROM object WHERE tenant = \(tenant) AND mesh = \(name)",
                    """
                    SELECT \(ObjectRow.columns) FROM object
                     WHERE tenant = \(tenant) AND kind = \(Kind.cluster.rawValue) AND mesh = ''
                    """,
                ])
                let revision: Revision? = try results[0].first { row throws(PostgresError) in try row["revision"] }
                guard let revision else { throw StoreError.notFound }
                return LoadedMesh(
                    objects: try results[1].allInParallel(ObjectRow.decode),
                    clusters: try results[2].allInParallel(ObjectRow.decode), revision: revision)
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// What changed after a revision, oldest first: whole revisions, as many as it takes for at least `limit` changes.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func changes(_ mesh: MeshKey, after: Revision, limit: Int) async throws(StoreError) -> MeshChanges {
        let log = try await changeLog(of: mesh.tenant, mesh.mesh, after: after, limit: limit)
        guard !log.isCompacted else {
            return MeshChanges(changed: [], deleted: [], revision: log.newest, isComplete: false, compacted: true)
        }
        return MeshChanges(
            changed: log.changes.compactMap(\.object),
            deleted: log.changes.filter { $0.object == nil }.map(\.key), revision: log.reached,
            isComplete: log.reached == log.newest, compacted: false)
    }

    /// Forgets changes that are older than `age`; readers that are further behind load the mesh anew.
    package func compactChanges(olderThan age: Duration) async throws {
        let seconds = Int(age.components.seconds)
        _ = try await rows(
            """
            WITH gone AS (
                DELETE FROM change WHERE at < now() - make_interval(secs => \(seconds)) RETURNING tenant, mesh, revision)
            UPDATE mesh SET compacted = greatest(compacted, last)
              FROM (SELECT tenant, mesh, max(revision) AS last FROM gone GROUP BY tenant, mesh) AS old
             WHERE mesh.tenant = old.tenant AND mesh.mesh = old.mesh
            """, seeing: .all)
        try await compactProxyFeeds(olderThan: age)
        _ = try await rows("DELETE FROM idempotent_call WHERE at < now() - interval '24 hours'", seeing: .all)
    }
}
