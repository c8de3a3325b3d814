package import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// One transaction of a tenant: what it writes is committed together, with its audit trail, its rows of the change feed
/// and its notifications, or not at all.
///
/// Not Sendable: it lives as long as the body of ``MeshStore/write(tenant:mesh:actor:requestId:_:)``.
package final class StoreTransaction {
    let session: Transaction
    package let tenant: Name
    /// The mesh that has the revision; `nil`: the tenant has it.
    let mesh: Name?
    let actor: String
    let requestId: String
    /// Whether a statement that raises the revision was sent.
    private var isRaised = false
    /// Whether the last write has committed already.
    private var isCommitted = false
    /// Stands for the revision in documents that are made before it is known (``raisedRevision``). Random, so that nobody can
    /// have written it into a document.
    let placeholder = Revision.random(in: (1 << 61)..<(1 << 62))
    /// Meshes whose feed was written to, for the notification.
    private var touched: Set<String> = []
    /// Whether a release was written, which may be due now.
    private var touchesReleases = false
    /// Whether something was written that the tenant has outside of its meshes.
    private var touchesTenant = false

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
        try await translating { () throws(PostgresError) in try await session.pipeline(statements) }
    }

    /// Runs the last statements of the transaction together with its commit: what they lock, they lock for no round trip.
    func commit(running statements: [Statement]) async throws -> [Rows] {
        let notifications = notifications()
        isCommitted = true
        let results = try await translating { () throws(PostgresError) in
            try await session.commit(running: statements + notifications)
        }
        return Array(results.prefix(statements.count))
    }

    /// Another transaction has created the object that this transaction was about to create. Begun again it finds it.
    struct CreatedMeanwhile: Error {}

    /// Makes of violated constraints what they mean: somebody else created the object, or there is no such tenant.
    private func translating(_ body: () async throws(PostgresError) -> [Rows]) async throws -> [Rows] {
        do throws(PostgresError) {
            return try await body()
        } catch {
            if error.sqlState == .uniqueViolation, error.constraint == "object_pkey" { throw CreatedMeanwhile() }
            guard error.sqlState == .notNullViolation, error.column == "revision" else { throw error }
            throw StoreError.notFound
        }
    }

    // MARK: Reading

    /// One object; `forUpdate` keeps others from writing it until the transaction ends.
    package func fetch(_ key: ObjectKey, forUpdate: Bool) async throws -> StoredObject? {
        let lock: Statement = forUpdate ? " FOR UPDATE" : ""
        return try await session.query(
            "SELECT \(ObjectRow.columns) FROM object WHERE \(ObjectRow(key).predicate)\(lock)"
        ).first(ObjectRow.decode)
    }

    /// The objects among some of the tenant that exist.
    package func fetch(_ keys: [ObjectKey]) async throws -> [StoredObject] {
        if keys.isEmpty { return [] }
        return try await session.query(ObjectRow.select(keys, tenant: tenant)).all(ObjectRow.decode)
    }

    package func list(_ query: ListQuery) async throws -> (items: [StoredObject], next: PageCursor?) {
        try page(await session.query(ObjectRow.select(query)), of: query)
    }

    // MARK: Writing

    /// The time of a write of an object `o`: always later than the one before, although transactions do not commit in the
    /// order in which they began. So whoever finds both times of an object equal knows that it was just created.
    private static let later: Statement = "greatest(now(), o.updated_at + interval '1 microsecond')"

    /// The revision of what this transaction writes, for statements behind ``raising(isNewTenant:)``. `NULL` if there is no such
    /// tenant, for it may have been deleted in between.
    var raisedRevision: Statement {
        "(SELECT revision FROM mesh WHERE tenant = \(tenant.text) AND mesh = \(mesh?.text ?? ""))"
    }

    /// A document with the revision in place of ``placeholder``.
    func stamped(_ document: JSONValue) throws -> Statement {
        "replace((\(try document.stored))::text, \(String(placeholder)), \(raisedRevision)::text)::jsonb"
    }

    /// Raises the revision, once in a transaction, and locks its row until the end. Sent as late as possible, together with
    /// what is written: between two round trips a replica can hang or vanish, and the whole mesh would wait for it. Behind
    /// the locks of objects: that order is everybody's.
    func raising(isNewTenant: Bool = false) -> [Statement] {
        if isRaised { return [] }
        isRaised = true
        return [
            """
            UPDATE mesh SET revision = revision + 1 WHERE tenant = \(tenant.text) AND mesh = \(mesh?.text ?? "")
            """,
            // A statement of its own: it sees what was committed while the one before waited for the row.
            """
            INSERT INTO mesh AS m (tenant, mesh, revision) SELECT \(tenant.text), \(mesh?.text ?? ""), 1
             WHERE NOT EXISTS (SELECT FROM mesh WHERE tenant = \(tenant.text) AND mesh = \(mesh?.text ?? ""))
               AND (\(isNewTenant) OR EXISTS (SELECT 1 FROM object WHERE tenant = \(tenant.text) AND kind = 'Tenant'))
               AND \(mesh == nil)
            ON CONFLICT (tenant, mesh) DO UPDATE SET revision = m.revision + 1
            """,
        ]
    }

    /// Creates an object, or replaces its labels, annotations, spec and, if given, status.
    ///
    /// `generation` grows when the spec changes. If nothing changes at all, nothing is written and the object is returned
    /// as it is. If somebody else creates it at the same time, the transaction begins again.
    ///
    /// - Parameters:
    ///   - found: what was found out about the object as it is to be, and by whom (``conditionWrite(_:of:from:)``); `nil`: nobody
    ///     looked.
    ///   - sealed: what is written of the object beside its documents; `nil`: that stays as it is.
    ///   - isNew: this transaction has looked, and there was none.
    ///   - isLast: nothing follows in this transaction and nothing of it will be taken back, so that it can be committed in
    ///     the same round trip.
    package func put(
        _ key: ObjectKey, metadata: ObjectLabels, spec: JSONValue, status: JSONValue? = nil,
        found: (conditions: [ObjectCondition], source: String)? = nil, sealed: SealedChange? = nil, isNew: Bool = false,
        isLast: Bool = false
    ) async throws -> StoredObject {
        let old = isNew ? nil : try await fetch(key, forUpdate: true)
        let isUnchanged = old.map { $0.metadata == metadata && $0.spec == spec && (status ?? $0.status) == $0.status }
        if let old, isUnchanged == true, sealed == nil {
            return old
        }
        let raising = raising(isNewTenant: key.kind.scope == .platform && old == nil)
        let row = ObjectRow(key)
        let references = key.kind.references(in: spec, of: key) ?? []
        // Of a generation that names what the one before named, the rows are as right as they were.
        let areKept = old.map { $0.spec == spec || key.kind.references(in: $0.spec, of: key) == references } ?? false
        var write: Statement = """
            INSERT INTO object AS o (tenant, kind, mesh, namespace, service, name, revision, labels, annotations, spec, status,
                                     references_generation, references_version)
            VALUES (\(row.tenant), \(row.kind), \(row.mesh), \(row.namespace), \(row.service), \(row.name), \(raisedRevision),
                    \(try Self.json(metadata.labels)), \(try Self.json(metadata.annotations)), \(try spec.stored),
                    \(try (status ?? [:]).stored), 1, \(Int64(Reference.version)))
            """
        if old != nil {
            write.append(
                """
                 ON CONFLICT (tenant, kind, mesh, namespace, service, name) DO UPDATE
                    SET revision = excluded.revision, labels = excluded.labels, annotations = excluded.annotations,
                        spec = excluded.spec,
                        status = CASE WHEN \(status != nil) THEN excluded.status ELSE o.status END,
                        generation = o.generation + CASE WHEN o.spec = excluded.spec THEN 0 ELSE 1 END,
                        references_generation = CASE WHEN \(areKept) AND \(ReferenceRow.isStale) THEN o.references_generation
                            ELSE o.generation + CASE WHEN o.spec = excluded.spec THEN 0 ELSE 1 END END,
                        references_version = CASE WHEN \(areKept) AND \(ReferenceRow.isStale) THEN o.references_version
                            ELSE excluded.references_version END,
                        updated_at = \(Self.later)
                """)
        }
        write.append(" RETURNING \(ObjectRow.columns)")
        let hook = key.kind.hook
        let following = try hook.statements(
            for: old.map { .replacing($0.spec, with: spec) } ?? .creating(spec), key, self)
        let found = found.map { conditionWrite($0.conditions, of: key, from: $0.source) } ?? []
        let rows =
            areKept || (old == nil && references.isEmpty)
            ? [] : ReferenceRow.replacing([(key, references)], tenant: key.tenant)
        let beside = rows + (sealed?.statements(of: key) ?? [])
        let statements = raising + [write] + beside + record("put", key, deleted: false) + found + following
        // The commit takes the notifications along, so the meshes that they name have to be known before it.
        let results =
            isLast && !hook.raisesMeshes ? try await commit(running: statements) : try await pipeline(statements)
        try noteMeshes(of: key, results)
        return try results[raising.count].single(ObjectRow.decode)
    }

    /// Replaces an object's status.
    ///
    /// - Throws: ``StoreError/notFound``.
    package func putStatus(_ key: ObjectKey, _ status: JSONValue) async throws -> StoredObject {
        let raising = raising()
        let results = try await pipeline(raising + statusWrite(key, status))
        try noteMeshes(of: key, results)
        guard let object = try results[raising.count].first(ObjectRow.decode) else { throw StoreError.notFound }
        return object
    }

    /// Replaces an object's status, behind ``raising(isNewTenant:)``. The first statement returns the object, if there is one.
    ///
    /// - Parameter status: with ``placeholder`` wherever the revision belongs.
    func statusWrite(_ key: ObjectKey, _ status: JSONValue) throws -> [Statement] {
        let update: Statement = """
            UPDATE object o SET status = \(try stamped(status)), revision = \(raisedRevision), updated_at = \(Self.later)
             WHERE \(ObjectRow(key).predicate) RETURNING \(ObjectRow.columns)
            """
        return try [update] + record("putStatus", key, deleted: false)
            + key.kind.hook.statements(for: .status, key, self)
    }

    /// Deletes an object.
    ///
    /// - Parameter isLast: as in ``put(_:metadata:spec:status:found:sealed:isNew:isLast:)``.
    /// - Throws: ``StoreError/notFound``.
    package func delete(_ key: ObjectKey, isLast: Bool = false) async throws {
        guard let old = try await fetch(key, forUpdate: true) else { throw StoreError.notFound }
        var statements = raising() + ["DELETE FROM object WHERE \(ObjectRow(key).predicate)"]
        statements += Self.forgetConditions(key) + record("delete", key, deleted: true)
        let hook = key.kind.hook
        statements += try hook.statements(for: .deleting(old), key, self)
        if isLast && !hook.raisesMeshes && !hook.hasMoreToDelete {
            _ = try await commit(running: statements)
            return
        }
        try noteMeshes(of: key, try await pipeline(statements))
        if hook.hasMoreToDelete { try await hook.deleteMore(with: key, self) }
    }

    /// Remembers the meshes that the last of some statements was about, if the kind's hook raises revisions of meshes.
    private func noteMeshes(of key: ObjectKey, _ results: [Rows]) throws {
        guard key.kind.hook.raisesMeshes, let raised = results.last else { return }
        try touch(raised)
    }

    /// Remembers that the feeds of meshes were written to, whose names are in the column `mesh`.
    func touch(_ meshes: Rows) throws {
        for mesh in try meshes.all({ row throws(PostgresError) -> String in try row["mesh"] }) { touched.insert(mesh) }
    }

    /// The audit record of a write and its row of the feed, behind ``raising(isNewTenant:)``.
    private func record(_ action: String, _ key: ObjectKey, deleted: Bool) -> [Statement] {
        let row = ObjectRow(key)
        touched.insert(mesh?.text ?? "")
        if key.kind.hook.wakesReleases { touchesReleases = true }
        if key.kind.scope == .tenant { touchesTenant = true }
        return [
            """
            INSERT INTO audit_event (tenant, actor, request_id, action, kind, mesh, namespace, service, name, revision)
            VALUES (\(row.tenant), \(actor), \(requestId), \(action), \(row.kind), \(row.mesh), \(row.namespace),
                    \(row.service), \(row.name), \(raisedRevision))
            """,
            """
            INSERT INTO change (tenant, mesh, revision, kind, namespace, service, name, deleted)
            VALUES (\(row.tenant), \(mesh?.text ?? ""), \(raisedRevision), \(row.kind), \(row.namespace), \(row.service), \(row.name),
                    \(deleted))
            ON CONFLICT (tenant, mesh, revision, kind, namespace, service, name) DO UPDATE SET deleted = excluded.deleted
            """,
        ]
    }

    /// Has the notifications sent with the commit, in its round trip, unless ``commit(running:)`` did so.
    func notifyAtCommit() {
        if !isCommitted { session.atCommit(notifications()) }
    }

    /// Wakes the replicas. Keys only; a notification that is lost costs latency.
    private func notifications() -> [Statement] {
        var meshes = touched.subtracting([""])
        // Who follows what a tenant has outside of its meshes listens to all of them.
        if meshes.isEmpty && touchesTenant { meshes = [Name.defaultMesh.text] }
        var payloads = meshes.sorted().map { "\(tenant)/\($0)" }
        if touchesReleases { payloads.append(ChangeSignals.releasePayload) }
        return payloads.map { "SELECT pg_notify(\(ChangeSignals.channel), \($0))" }
    }

    private static func json(_ map: [String: String]) throws(StoreError) -> JSONText {
        try JSONValue.object(map.mapValues(JSONValue.string)).stored
    }
}
