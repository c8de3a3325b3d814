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

extension MeshChanges {
    init(_ log: ChangeLog) {
        if log.isCompacted {
            self.init(changed: [], deleted: [], revision: log.newest, isComplete: false, compacted: true)
        } else {
            self.init(
                changed: log.changes.compactMap(\.object),
                deleted: log.changes.filter { $0.object == nil }.map(\.key), revision: log.reached,
                isComplete: log.reached == log.newest, compacted: false)
        }
    }
}

extension LoadedMesh {
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    init(_ mesh: MeshKey, _ session: Transaction) async throws {
        let (tenant, name) = (mesh.tenant.text, mesh.mesh.text)
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
        self.init(
            objects: try results[1].allInParallel(ObjectRow.decode),
            clusters: try results[2].allInParallel(ObjectRow.decode), revision: revision)
    }
}

extension StoreTransaction {
    /// As ``MeshStore/changes(_:after:limit:)``, as this transaction sees it.
    package func changes(_ mesh: MeshKey, after: Revision, limit: Int) async throws -> MeshChanges {
        let results = try await session.pipeline([
            "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)",
            ChangeLog.statement(of: mesh.tenant, mesh.mesh, after: after, limit: limit),
            "SELECT set_config('plan_cache_mode', 'auto', true)",
        ])
        return MeshChanges(try ChangeLog(results[1], after: after, limit: limit))
    }

    /// As ``MeshStore/loadMesh(_:)``, as this transaction sees it; what others commit meanwhile may be in it or not.
    package func loadMesh(_ mesh: MeshKey) async throws -> LoadedMesh { try await LoadedMesh(mesh, session) }

    /// Locks those of some objects of the tenant that exist until the transaction ends, in an order that is everybody's. What
    /// is read of them afterwards stays so.
    package func lock(_ keys: some Sequence<ObjectKey>) async throws {
        let rows = keys.map(ObjectRow.init)
        guard !rows.isEmpty else { return }
        _ = try await session.query(
            """
            SELECT 1 FROM object
             WHERE tenant = \(tenant.text) AND (kind, mesh, namespace, service, name) IN (
                SELECT * FROM unnest(\(rows.map(\.kind))::text[], \(rows.map(\.mesh))::text[],
                                     \(rows.map(\.namespace))::text[], \(rows.map(\.service))::text[],
                                     \(rows.map(\.name))::text[]))
             ORDER BY kind, mesh, namespace, service, name FOR UPDATE
            """)
    }
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
        do {
            return try await pool.transaction(
                isolation: .repeatableRead, readOnly: true, prelude: [Visibility.tenant(mesh.tenant).statement]
            ) { try await LoadedMesh(mesh, $0) }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// What changed after a revision, oldest first: whole revisions, as many as it takes for at least `limit` changes.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func changes(_ mesh: MeshKey, after: Revision, limit: Int) async throws(StoreError) -> MeshChanges {
        MeshChanges(try await changeLog(of: mesh.tenant, mesh.mesh, after: after, limit: limit))
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
        try await compactConditions(olderThan: age)
        _ = try await rows("DELETE FROM idempotent_call WHERE at < now() - interval '24 hours'", seeing: .all)
    }
}
