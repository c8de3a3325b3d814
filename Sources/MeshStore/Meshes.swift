internal import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// Everything that a mesh is compiled from, as of one revision.
package struct LoadedMesh: Sendable {
    package var objects: [StoredObject]
    /// All clusters of the tenant.
    package var clusters: [StoredObject]
    package var revision: Revision
    package var life: MeshLife
    /// How many pieces it was read in.
    package private(set) var pages = 0

    init(objects: [StoredObject], clusters: [StoredObject], revision: Revision, life: MeshLife) {
        self.objects = objects
        self.clusters = clusters
        self.revision = revision
        self.life = life
    }
}

/// The changes of a mesh after a revision.
package struct MeshChanges: Sendable {
    private let log: ChangeLog
    /// The revision that a reader must have whom this brings further.
    private let after: Revision

    init(_ log: ChangeLog, after: Revision) {
        self.log = log
        self.after = after
    }

    /// Objects as they are now.
    package var changed: [StoredObject] { log.changes.compactMap(\.object) }
    package var deleted: [ObjectKey] { log.changes.filter { $0.object == nil }.map(\.key) }
    /// The revision that a reader who applies this has.
    package var revision: Revision { log.reached }
    /// There was no more when this was read.
    package var isComplete: Bool { !log.isCompacted && log.reached == log.newest }
    /// The feed no longer reaches back so far, or is another mesh's: load the mesh anew.
    package var compacted: Bool { log.isCompacted }

    /// The changes as those see them who watch the mesh's objects.
    package var page: FeedPage { log.page(after: after, isOfMesh: true) }
}

extension LoadedMesh {
    /// Rows that are read at a time at most.
    private static let pageRows = 10_000

    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    init(_ mesh: MeshKey, _ session: Transaction) async throws {
        let found = try await session.query(
            """
            SELECT revision, \(MeshStore.life) FROM mesh m
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)
            """
        ).first { row throws(PostgresError) -> (Revision, MeshLife) in (try row["revision"], try MeshLife(row)) }
        guard let (revision, life) = found else { throw StoreError.notFound }
        self.init(objects: [], clusters: [], revision: revision, life: life)
        for kind in kinds.all where kind.info.isInMesh {
            let loaded = try await load(kind, mesh.tenant, mesh.mesh.text, session)
            objects += loaded
        }
        clusters = try await load(.cluster, mesh.tenant, "", session)
    }

    /// All objects of a kind, page by page: the bytes of one page are there twice, those of the mesh are not. Annotations are left
    /// out: they mean nothing to the mesh.
    private mutating func load(
        _ kind: Kind, _ tenant: Name, _ mesh: String, _ session: Transaction
    ) async throws -> [StoredObject] {
        var loaded: [StoredObject] = []
        var last = ("", "", "")
        while true {
            let order: Statement = "namespace, service, name"
            let query: Statement = """
                SELECT tenant, kind, mesh, namespace, service, name, uid::text AS uid, generation, revision, labels,
                       '{}'::jsonb AS annotations, spec, status, created_at, updated_at, size
                  FROM object
                 WHERE tenant = \(tenant.text) AND kind = \(kind.name) AND mesh = \(mesh)
                   AND (namespace, service, name) > (\(last.0), \(last.1), \(last.2))
                 ORDER BY \(order) LIMIT \(Self.pageRows)
                """
            let rows = try await session.query(
                ObjectRow.bounded(
                    query, orderedBy: order, frame: ObjectRow.frameOfEarlierRows, limit: Limits.feedPageBytes))
            let page = try rows.allInParallel(ObjectRow.decode)
            let found = try rows.first { row throws(PostgresError) -> Int64 in try row["found"] } ?? 0
            loaded += page
            pages += 1
            guard let end = page.last.map({ ObjectRow($0.key) }), found > page.count || found == Self.pageRows else {
                return loaded
            }
            last = (end.namespace, end.service, end.name)
        }
    }
}

extension StoreTransaction {
    /// The changes of ``MeshStore/changes(_:of:after:limit:withConditions:)``, as this transaction sees them.
    package func changes(
        _ mesh: MeshKey, of life: MeshLife? = nil, after: Revision, limit: Int
    ) async throws -> MeshChanges {
        let results = try await session.pipeline([
            "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)",
            ChangeLog.statement(of: mesh.tenant, mesh.mesh, after: after, limit: limit),
            "SELECT set_config('plan_cache_mode', 'auto', true)",
        ])
        return MeshChanges(try ChangeLog(results[1], uid: life?.mesh, after: after, limit: limit), after: after)
    }

    /// The mesh of ``MeshStore/loadMesh(_:)``, as this transaction sees it; what others commit meanwhile may be in it or not.
    package func loadMesh(_ mesh: MeshKey) async throws -> LoadedMesh { try await LoadedMesh(mesh, session) }

    /// Locks, until the transaction ends, those of the objects that exist, in everybody's order. What is read of them afterwards
    /// stays so. Who only holds one (``hold(_:)``) is not waited for, and does not wait.
    package func lock(_ keys: some Sequence<ObjectKey>) async throws {
        let keys = Array(keys)
        if keys.isEmpty { return }
        _ = try await session.query(
            """
            SELECT 1 FROM object WHERE \(ObjectRow.isOne(of: keys, tenant: tenant)) \(ObjectRow.lockOrder) FOR NO KEY UPDATE
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

    /// Which of the meshes that had this name is there now; `nil` if there is none.
    package func life(of mesh: MeshKey) async throws(StoreError) -> MeshLife? {
        try await rows(
            "SELECT \(Self.life) FROM mesh m WHERE m.tenant = \(mesh.tenant.text) AND m.mesh = \(mesh.mesh.text)",
            seeing: .tenant(mesh.tenant)
        ).first(MeshLife.init)
    }

    /// The columns that ``MeshLife/init(_:)`` reads, of `mesh m`.
    static let life: Statement = """
        m.uid::text AS mesh_uid, floor(extract(epoch FROM m.created_at))::bigint AS since, (
            SELECT uid::text FROM object o WHERE o.tenant = m.tenant AND o.kind = 'Tenant' AND o.mesh = '' LIMIT 1
        ) AS tenant_uid
        """

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

    /// The changes after a revision, oldest first: whole revisions, as many as it takes for at least `limit` changes.
    ///
    /// - Parameters:
    ///   - life: of the mesh that the reader has; `nil`: of whichever is there.
    ///   - withConditions: whether objects come with their conditions, as watches have them.
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    package func changes(
        _ mesh: MeshKey, of life: MeshLife? = nil, after: Revision, limit: Int, withConditions: Bool = false
    ) async throws(StoreError) -> MeshChanges {
        let log = try await changeLog(
            of: mesh.tenant, mesh.mesh, uid: life?.mesh, after: after, limit: limit, withConditions: withConditions)
        return MeshChanges(log, after: after)
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

extension MeshLife {
    fileprivate init(_ row: Row) throws(PostgresError) {
        self.init(
            tenant: try row["tenant_uid", as: String?.self] ?? "", mesh: try row["mesh_uid"], since: try row["since"])
    }
}
