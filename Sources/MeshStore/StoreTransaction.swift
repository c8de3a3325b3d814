package import MeshModel
internal import Postgres

/// One transaction of a tenant: what it writes is committed together, with its audit trail, its rows of the change feed
/// and its notifications, or not at all.
///
/// Not Sendable: it lives as long as the body of ``MeshStore/write(tenant:mesh:actor:requestId:_:)``.
package final class StoreTransaction {
    let session: Transaction
    package let tenant: Name
    /// What the revision is of.
    let mesh: Name?
    let actor: String
    let requestId: String
    private var revision: Revision?
    /// Meshes whose feed was written to, for the notification.
    private var touched: Set<String> = []
    /// Whether a release was written, which may be due now.
    private var touchesReleases = false

    init(_ session: Transaction, tenant: Name, mesh: Name?, actor: String, requestId: String) {
        self.session = session
        self.tenant = tenant
        self.mesh = mesh
        self.actor = actor
        self.requestId = requestId
    }

    func rows(_ statement: Statement) async throws(StoreError) -> Rows {
        do {
            return try await session.query(statement)
        } catch {
            throw StoreError(error)
        }
    }

    @discardableResult
    func pipeline(_ statements: [Statement]) async throws -> [Rows] {
        try await session.pipeline(statements)
    }

    // MARK: Reading

    /// One object; `forUpdate` keeps others from writing it until the transaction ends.
    package func fetch(_ key: ObjectKey, forUpdate: Bool) async throws -> StoredObject? {
        let lock: Statement = forUpdate ? " FOR UPDATE" : ""
        return try await session.query(
            "SELECT \(ObjectRow.columns) FROM object WHERE \(ObjectRow(key).condition)\(lock)"
        ).first(ObjectRow.decode)
    }

    /// Those of some objects of the tenant that exist.
    package func fetch(_ keys: [ObjectKey]) async throws -> [StoredObject] {
        if keys.isEmpty { return [] }
        return try await session.query(ObjectRow.select(keys, tenant: tenant)).all(ObjectRow.decode)
    }

    package func list(_ query: ListQuery) async throws -> (items: [StoredObject], next: PageCursor?) {
        page(try await session.query(ObjectRow.select(query)).all(ObjectRow.decode), of: query)
    }

    package func meshExists(_ mesh: MeshKey) async throws -> Bool {
        try await !session.query(
            "SELECT 1 FROM mesh WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)"
        ).isEmpty
    }

    // MARK: Writing

    /// The time of a write of an object `o`: always later than the one before, although transactions do not commit in the
    /// order in which they began. So whoever finds both times of an object equal knows that it was just created.
    private static let later: Statement = "greatest(now(), o.updated_at + interval '1 microsecond')"

    /// The revision of what this transaction writes. The first call raises it and locks its row until the end, so it is
    /// called as late as possible, and after the rows of objects are locked: that order is everybody's.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such tenant, for it may have been deleted in between.
    func raiseRevision(isNewTenant: Bool = false) async throws -> Revision {
        if let revision { return revision }
        let update: Statement = """
            UPDATE mesh SET revision = revision + 1 WHERE tenant = \(tenant.text) AND mesh = \(mesh?.text ?? "")
            RETURNING revision
            """
        var rows = try await session.query(update)
        if rows.isEmpty {
            rows = try await session.query(
                """
                INSERT INTO mesh AS m (tenant, mesh, revision) SELECT \(tenant.text), \(mesh?.text ?? ""), 1
                 WHERE \(isNewTenant) OR EXISTS (SELECT 1 FROM object WHERE tenant = \(tenant.text) AND kind = 'Tenant')
                ON CONFLICT (tenant, mesh) DO UPDATE SET revision = m.revision + 1
                RETURNING revision
                """)
        }
        let raised = try rows.first { row throws(PostgresError) -> Revision in try row["revision"] }
        guard let raised else { throw StoreError.notFound }
        revision = raised
        return raised
    }

    /// Creates an object, or replaces its labels, annotations, spec and, if given, status.
    ///
    /// `generation` grows when the spec changes. If nothing changes at all, nothing is written and the object is returned
    /// as it is.
    package func put(
        _ key: ObjectKey, metadata: ObjectLabels, spec: JSONValue, status: JSONValue? = nil
    ) async throws -> StoredObject {
        let old = try await fetch(key, forUpdate: true)
        if let old, old.metadata == metadata, old.spec == spec, status.map({ $0 == old.status }) ?? true { return old }
        let at = try await raiseRevision(isNewTenant: key.kind == .tenant && old == nil)
        let row = ObjectRow(key)
        let upsert: Statement = """
            INSERT INTO object AS o (tenant, kind, mesh, namespace, service, name, revision, labels, annotations, spec, status)
            VALUES (\(row.tenant), \(row.kind), \(row.mesh), \(row.namespace), \(row.service), \(row.name), \(at),
                    \(try Self.json(metadata.labels)), \(try Self.json(metadata.annotations)), \(try spec.stored),
                    \(try (status ?? [:]).stored))
            ON CONFLICT (tenant, kind, mesh, namespace, service, name) DO UPDATE
               SET revision = excluded.revision, labels = excluded.labels, annotations = excluded.annotations,
                   spec = excluded.spec, status = CASE WHEN \(status != nil) THEN excluded.status ELSE o.status END,
                   generation = o.generation + CASE WHEN o.spec = excluded.spec THEN 0 ELSE 1 END,
                   updated_at = \(Self.later)
            RETURNING \(ObjectRow.columns)
            """
        let results = try await pipeline([upsert] + record("put", key, at, deleted: false))
        let object = try results[0].single(ObjectRow.decode)
        try await follow(object, isNew: old == nil)
        return object
    }

    /// Replaces an object's status.
    ///
    /// - Throws: ``StoreError/notFound``.
    package func putStatus(_ key: ObjectKey, _ status: JSONValue) async throws -> StoredObject {
        let at = try await raiseRevision()
        let update: Statement = """
            UPDATE object o SET status = \(try status.stored), revision = \(at), updated_at = \(Self.later)
             WHERE \(ObjectRow(key).condition) RETURNING \(ObjectRow.columns)
            """
        let results = try await pipeline([update] + record("putStatus", key, at, deleted: false))
        guard let object = try results[0].first(ObjectRow.decode) else { throw StoreError.notFound }
        try await follow(object, isNew: false)
        return object
    }

    /// Deletes an object.
    ///
    /// - Throws: ``StoreError/notFound``.
    package func delete(_ key: ObjectKey) async throws {
        guard let old = try await fetch(key, forUpdate: true) else { throw StoreError.notFound }
        let at = try await raiseRevision()
        let deletion: Statement = "DELETE FROM object WHERE \(ObjectRow(key).condition)"
        try await pipeline([deletion] + record("delete", key, at, deleted: true))
        switch key.kind {
        case .release: try await deleteReleaseRow(old)
        case .cluster: try await noteInMeshes(key, deleted: true)
        case .tenant: try await forgetTenant()
        default: break
        }
    }

    /// Deletes what belongs to the tenant and is no object, so that a later tenant of this name begins without the keys and
    /// answers of this one. The audit trail stays.
    ///
    /// - Throws: ``StoreError/unavailable(retryAfter:)`` if something was written into the tenant meanwhile.
    private func forgetTenant() async throws {
        // This waits for the writers of all meshes; after it nobody can begin to write.
        let meshes = try await session.query("DELETE FROM mesh WHERE tenant = \(tenant.text) RETURNING mesh")
        for mesh in try meshes.all({ row throws(PostgresError) -> String in try row["mesh"] }) { touched.insert(mesh) }
        let results = try await pipeline([
            "SELECT 1 FROM object WHERE tenant = \(tenant.text) LIMIT 1",
            "DELETE FROM api_key WHERE tenant = \(tenant.text)",
            "DELETE FROM idempotent_call WHERE tenant = \(tenant.text)",
            "DELETE FROM operation WHERE tenant = \(tenant.text)",
            "DELETE FROM proxy_feed WHERE tenant = \(tenant.text)",
            "DELETE FROM proxy WHERE tenant = \(tenant.text)",
            "DELETE FROM forgotten_proxy WHERE tenant = \(tenant.text)",
        ])
        guard results[0].isEmpty else { throw StoreError.unavailable(retryAfter: .seconds(1)) }
    }

    /// What a kind needs beside its row of `object`.
    private func follow(_ object: StoredObject, isNew: Bool) async throws {
        switch object.key.kind {
        case .tenant where isNew:
            try await pipeline([
                """
                INSERT INTO mesh (tenant, mesh, revision) VALUES (\(tenant.text), \(Name.defaultMesh.text), 1)
                ON CONFLICT DO NOTHING
                """
            ])
        case .cluster: try await noteInMeshes(object.key, deleted: false)
        case .release: try await upsertReleaseRow(object)
        default: break
        }
    }

    /// A cluster belongs to no mesh but decides which endpoints do: its change is one of every mesh of the tenant.
    private func noteInMeshes(_ key: ObjectKey, deleted: Bool) async throws {
        let raised = try await session.query(
            """
            WITH raised AS (
                UPDATE mesh SET revision = revision + 1 WHERE tenant = \(tenant.text) AND mesh <> '' RETURNING mesh, revision)
            INSERT INTO change (tenant, mesh, revision, kind, namespace, service, name, deleted)
            SELECT \(tenant.text), mesh, revision, \(key.kind.rawValue), '', '', \(key.name.text), \(deleted) FROM raised
            RETURNING mesh
            """)
        for mesh in try raised.all({ row throws(PostgresError) -> String in try row["mesh"] }) { touched.insert(mesh) }
    }

    /// The audit record of a write and its row of the feed.
    private func record(_ action: String, _ key: ObjectKey, _ at: Revision, deleted: Bool) -> [Statement] {
        let row = ObjectRow(key)
        touched.insert(mesh?.text ?? "")
        if key.kind == .release { touchesReleases = true }
        return [
            """
            INSERT INTO audit_event (tenant, actor, request_id, action, kind, mesh, namespace, service, name, revision)
            VALUES (\(row.tenant), \(actor), \(requestId), \(action), \(row.kind), \(row.mesh), \(row.namespace),
                    \(row.service), \(row.name), \(at))
            """,
            """
            INSERT INTO change (tenant, mesh, revision, kind, namespace, service, name, deleted)
            VALUES (\(row.tenant), \(mesh?.text ?? ""), \(at), \(row.kind), \(row.namespace), \(row.service), \(row.name),
                    \(deleted))
            ON CONFLICT (tenant, mesh, revision, kind, namespace, service, name) DO UPDATE SET deleted = excluded.deleted
            """,
        ]
    }

    /// The last thing before the commit: wakes the replicas. Keys only; a notification that is lost costs latency.
    func close() async throws {
        // Nobody follows what a tenant has outside of its meshes.
        touched.remove("")
        guard !touched.isEmpty else { return }
        var payloads = touched.sorted().map { "\(tenant)/\($0)" }
        if touchesReleases { payloads.append(ChangeSignals.releasePayload) }
        try await pipeline(payloads.map { "SELECT pg_notify(\(ChangeSignals.channel), \($0))" })
    }

    private static func json(_ map: [String: String]) throws(StoreError) -> JSONText {
        try JSONValue.object(map.mapValues(JSONValue.string)).stored
    }
}
