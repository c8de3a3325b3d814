internal import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// How far the conditions of a mesh are.
package struct ConditionState: Hashable, Sendable {
    /// The mesh's revision that they are of.
    package var revision: Revision
    /// Grows with every change of them.
    package var sequence: Int64
}

/// A place in the changes of a mesh's conditions: everything before it is what a reader has.
package struct ConditionCursor: Hashable, Sendable {
    /// A change, which can be of many objects.
    fileprivate var sequence: Int64
    /// The last object of that change that the reader has; empty if it has none.
    fileprivate var (namespace, service, name) = ("", "", "")

    /// Behind a whole change.
    package init(after sequence: Int64) { self.sequence = sequence + 1 }

    fileprivate init(sequence: Int64, through key: ObjectKey) {
        let row = ObjectRow(key)
        self.sequence = sequence
        (namespace, service, name) = (row.namespace, row.service, row.name)
    }
}

/// The findings of a writer of conditions: of some objects all that it finds.
package struct ConditionChanges: Sendable {
    package var mesh: MeshKey
    /// The mesh's revision that they were found at.
    package var foundAt: Revision
    /// The revision up to which they are complete.
    package var revision: Revision
    /// Empty: the object has none any more.
    package var objects: [ObjectKey: [ObjectCondition]]

    package init(
        of mesh: MeshKey, foundAt: Revision, revision: Revision, objects: [ObjectKey: [ObjectCondition]]
    ) {
        self.mesh = mesh
        self.foundAt = foundAt
        self.revision = revision
        self.objects = objects
    }
}

extension MeshStore {
    /// Meshes, of all tenants, whose conditions are of an older revision than the mesh, and which no writer has.
    package func meshesWithoutConditions(limit: Int) async throws(StoreError) -> [MeshKey] {
        try await rows(
            """
            SELECT m.tenant, m.mesh FROM mesh m LEFT JOIN condition_state s ON s.tenant = m.tenant AND s.mesh = m.mesh
             WHERE m.mesh <> '' AND (s.mesh IS NULL OR (s.revision < m.revision AND s.lease_until < now()))
             LIMIT \(limit)
            """, seeing: .all
        ).all { row throws(PostgresError) in
            MeshKey(tenant: try row.name("tenant"), mesh: try row.name("mesh"))
        }
    }

    /// Makes a replica the writer of a mesh's conditions for a time, or for longer if it is.
    ///
    /// - Returns: `nil` if another one is, or there is no such mesh.
    package func leaseConditions(
        of mesh: MeshKey, to writer: String, for lease: Duration
    ) async throws(StoreError) -> ConditionState? {
        let seconds = Double(lease.microseconds) / 1e6
        return try await rows(
            """
            INSERT INTO condition_state AS s (tenant, mesh, writer, lease_until)
            SELECT tenant, mesh, \(writer), now() + make_interval(secs => \(seconds)) FROM mesh
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)
            ON CONFLICT (tenant, mesh) DO UPDATE SET writer = excluded.writer, lease_until = excluded.lease_until
             WHERE s.writer = excluded.writer OR s.lease_until < now()
            RETURNING revision, sequence
            """, seeing: .tenant(mesh.tenant)
        ).first { row throws(PostgresError) in
            ConditionState(revision: try row["revision"], sequence: try row["sequence"])
        }
    }

    /// All conditions of a mesh, by object.
    package func conditions(of mesh: MeshKey) async throws(StoreError) -> [ObjectKey: [ObjectCondition]] {
        let all = try await rows(
            """
            SELECT tenant, kind, mesh, namespace, service, name, \(ObjectRow.conditionFields(of: "c")) AS condition
              FROM object_condition c WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)
             ORDER BY kind, namespace, service, name, source, position
            """, seeing: .tenant(mesh.tenant)
        ).all { row throws(PostgresError) in
            (try ObjectRow.keyIfKnown(row), ObjectCondition(stored: try row.json("condition")))
        }
        return all.reduce(into: [:]) { conditions, row in
            if let key = row.0, let condition = row.1 { conditions[key, default: []].append(condition) }
        }
    }

    /// Writes what is different, if nobody wrote since, and tells watches of it.
    ///
    /// - Parameters:
    ///   - source: the sort of finding that the changes are all of, such as `compiler`.
    ///   - sequence: what the writer knows of; another one has written if it is no longer so.
    /// - Returns: the new state, and the objects that were skipped because they are gone or were written since the conditions
    ///   were found: they have none now. `nil` if nothing was written, because the writer is no longer the mesh's, or what is
    ///   there is newer.
    package func write(
        _ changes: ConditionChanges, from source: String, by writer: String, after sequence: Int64
    ) async throws -> (state: ConditionState, skipped: Set<ObjectKey>)? {
        let step: Int64 = changes.objects.isEmpty ? 0 : 1
        let mesh = changes.mesh
        let update: Statement = """
            UPDATE condition_state SET revision = greatest(revision, \(changes.revision)), sequence = sequence + \(step)
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text) AND writer = \(writer)
               AND lease_until > now() AND sequence = \(sequence) AND revision <= \(changes.foundAt)
            RETURNING revision, sequence
            """
        let decode = { (row: Row) throws(PostgresError) in
            ConditionState(revision: try row["revision"], sequence: try row["sequence"])
        }
        if step == 0 {
            return try await rows(update, seeing: .tenant(mesh.tenant)).first(decode).map { (state: $0, skipped: []) }
        }
        do {
            return try await pool.transaction(prelude: [Visibility.tenant(mesh.tenant).statement]) { session in
                guard let state = try await session.query(update).first(decode) else { return nil }
                let told: Statement = """
                    SELECT pg_notify(\(ChangeSignals.channel), \(ChangeSignals.conditionsPayload(changes.mesh)))
                    """
                let results = try await session.pipeline(
                    Self.statements(
                        changes, source, foundAt: "\(changes.foundAt)", at: "\(state.sequence)") + [told])
                let written = try results[Self.insertion].all(ObjectRow.key)
                let due = Set(changes.objects.filter { !$0.value.isEmpty }.keys)
                return (state: state, skipped: due.subtracting(written))
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }

    /// Which of ``statements(_:_:foundAt:at:)`` returns the keys of what it wrote.
    private static let insertion = 1

    /// - Parameters:
    ///   - revision: of the mesh, that the changes were found at.
    ///   - sequence: of the changes.
    fileprivate static func statements(
        _ changes: ConditionChanges, _ source: String, foundAt revision: Statement, at sequence: Statement
    ) -> [Statement] {
        let (tenant, mesh) = (changes.mesh.tenant.text, changes.mesh.mesh.text)
        let keys = changes.objects.keys.map(ObjectRow.init)
        let rows = changes.objects.flatMap { key, conditions in
            conditions.enumerated().map { (key: ObjectRow(key), position: $0.offset, condition: $0.element) }
        }
        let (kinds, namespaces) = (keys.map(\.kind), keys.map(\.namespace))
        let (services, names) = (keys.map(\.service), keys.map(\.name))
        return [
            """
            DELETE FROM object_condition WHERE tenant = \(tenant) AND mesh = \(mesh) AND source = \(source)
               AND (kind, namespace, service, name) IN (
                SELECT * FROM unnest(\(kinds)::text[], \(namespaces)::text[], \(services)::text[], \(names)::text[]))
            """,
            // Not of an object that was made anew or mended since: that is looked at again.
            """
            INSERT INTO object_condition (tenant, mesh, kind, namespace, service, name, source, position, uid, subject,
                                          revision, type, status, reason, pointer, message, other, since)
            SELECT o.tenant, o.mesh, o.kind, o.namespace, o.service, o.name, \(source), n.position, o.uid, n.subject,
                   \(revision), n.type, n.status, n.reason, n.pointer, n.message, nullif(n.other, '')::jsonb,
                   coalesce(timestamptz 'epoch' + nullif(n.since, 0) * interval '1 microsecond', now())
              FROM unnest(\(rows.map(\.key.kind))::text[], \(rows.map(\.key.namespace))::text[],
                          \(rows.map(\.key.service))::text[], \(rows.map(\.key.name))::text[],
                          \(rows.map { Int64($0.position) })::int[], \(rows.map(\.condition.subject))::text[],
                          \(rows.map(\.condition.type))::text[], \(rows.map(\.condition.isTrue))::bool[],
                          \(rows.map(\.condition.reason))::text[], \(rows.map(\.condition.pointer))::text[],
                          \(rows.map(\.condition.message.withoutNull))::text[],
                          \(rows.map { $0.condition.other.flatMap { try? $0.stored.text } ?? "" })::text[],
                          \(rows.map { $0.condition.since?.microseconds ?? 0 })::bigint[])
                   AS n (kind, namespace, service, name, position, subject, type, status, reason, pointer, message, other,
                         since)
              JOIN object o ON o.tenant = \(tenant) AND o.mesh = \(mesh) AND o.kind = n.kind AND o.namespace = n.namespace
                           AND o.service = n.service AND o.name = n.name AND o.revision <= \(revision)
            RETURNING tenant, kind, mesh, namespace, service, name
            """,
            """
            INSERT INTO condition_change (tenant, mesh, kind, namespace, service, name, sequence)
            SELECT \(tenant), \(mesh), kind, namespace, service, name, \(sequence)
              FROM unnest(\(kinds)::text[], \(namespaces)::text[], \(services)::text[], \(names)::text[])
                   AS n (kind, namespace, service, name)
            ON CONFLICT (tenant, mesh, kind, namespace, service, name)
            DO UPDATE SET sequence = excluded.sequence, at = now()
            """,
        ]
    }

    // MARK: For watches

    /// The last change of conditions that there was in a mesh.
    package func conditionSequence(of mesh: MeshKey) async throws(StoreError) -> Int64 {
        try await rows(
            "SELECT sequence FROM condition_state WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)",
            seeing: .tenant(mesh.tenant)
        ).first { row throws(PostgresError) -> Int64 in try row["sequence"] } ?? 0
    }

    /// The objects of a list whose conditions changed after another change, in the order of the changes: as many as `limit`, or
    /// fewer if they are large (``Limits/feedPageBytes``). The query's page and its labels are not looked at.
    ///
    /// - Returns: the objects, and what a reader has who takes them in.
    package func conditionChanges(
        of query: ListQuery, after cursor: ConditionCursor, limit: Int
    ) async throws(StoreError) -> (objects: [StoredObject], reached: ConditionCursor, isComplete: Bool) {
        guard let tenant = query.tenant, let mesh = query.mesh else { return ([], cursor, true) }
        let order: Statement = "sequence, namespace, service, name"
        var changes: Statement = """
            SELECT tenant, kind, mesh, namespace, service, name, sequence FROM condition_change
             WHERE tenant = \(tenant.text) AND mesh = \(mesh.text) AND sequence >= \(cursor.sequence)
               AND kind = \(query.kind.name)
               AND (\(order)) > (\(cursor.sequence), \(cursor.namespace), \(cursor.service), \(cursor.name))
            """
        if let namespace = query.namespace { changes.append(" AND namespace = \(namespace.text)") }
        if let service = query.service { changes.append(" AND service = \(service.text)") }
        let page: Statement = """
            SELECT h.*, o.*
              FROM (\(changes) ORDER BY \(order) LIMIT \(limit)) h
              LEFT JOIN LATERAL (
                    SELECT \(ObjectRow.content), size, \(ObjectRow.conditions(of: "object")) FROM object
                     WHERE tenant = \(tenant.text) AND mesh = \(mesh.text) AND kind = h.kind
                       AND namespace = h.namespace AND service = h.service AND name = h.name LIMIT 1) o ON true
            """
        let rows = try await rows(
            ObjectRow.bounded(page, orderedBy: order, frame: ObjectRow.frameOfEarlierRows, limit: Limits.feedPageBytes),
            seeing: .tenant(tenant))
        let found = try rows.first { row throws(PostgresError) -> Int64 in try row["found"] } ?? 0
        let changed = try rows.all { row throws(PostgresError) -> (ConditionCursor, StoredObject?) in
            let key = try ObjectRow.key(row)
            let exists = try row["uid", as: String?.self] != nil
            return (
                ConditionCursor(sequence: try row["sequence"], through: key),
                exists ? try ObjectRow.withConditions(ObjectRow.content(of: key, row), row) : nil
            )
        }
        return (
            changed.compactMap(\.1), changed.last?.0 ?? cursor, changed.count == found && changed.count < limit
        )
    }

    /// Forgets when the conditions changed of objects that have had none for as long as `age`.
    func compactConditions(olderThan age: Duration) async throws(StoreError) {
        _ = try await rows(
            """
            DELETE FROM condition_change h
             WHERE at < now() - make_interval(secs => \(Int(age.components.seconds))) AND NOT EXISTS (
                SELECT 1 FROM object_condition c
                 WHERE c.tenant = h.tenant AND c.mesh = h.mesh AND c.kind = h.kind AND c.namespace = h.namespace
                   AND c.service = h.service AND c.name = h.name)
            """, seeing: .all)
    }
}

extension StoreTransaction {
    /// Has an object that is written say at once what was found out about it, so that it never says that it is right before
    /// anybody has looked. Whoever writes conditions learns that they are not as it left them, and looks at the object once
    /// more. Behind ``raising(isNewTenant:)`` and the write of the object.
    ///
    /// - Parameter source: as in ``MeshStore/write(_:from:by:after:)``.
    func conditionWrite(_ conditions: [ObjectCondition], of key: ObjectKey, from source: String) -> [Statement] {
        guard let mesh = key.meshKey else { return [] }
        let (row, tenant) = (ObjectRow(key), mesh.tenant.text)
        let isOfMesh: Statement = "tenant = \(tenant) AND mesh = \(mesh.mesh.text)"
        let sequence: Statement = "(SELECT sequence FROM condition_state WHERE \(isOfMesh))"
        guard conditions.isEmpty else {
            let changes = ConditionChanges(of: mesh, foundAt: 0, revision: 0, objects: [key: conditions])
            return [
                """
                INSERT INTO condition_state AS s (tenant, mesh, sequence, writer, lease_until)
                VALUES (\(tenant), \(mesh.mesh.text), 1, '', now())
                ON CONFLICT (tenant, mesh) DO UPDATE SET sequence = s.sequence + 1
                """
            ] + MeshStore.statements(changes, source, foundAt: raisedRevision, at: sequence)
        }
        let had: Statement =
            "EXISTS (SELECT 1 FROM object_condition WHERE \(row.predicate) AND source = \(source))"
        return [
            "UPDATE condition_state SET sequence = sequence + 1 WHERE \(isOfMesh) AND \(had)",
            "UPDATE condition_change SET sequence = \(sequence), at = now() WHERE \(row.predicate) AND \(had)",
            "DELETE FROM object_condition WHERE \(row.predicate) AND source = \(source)",
        ]
    }

    /// The conditions go with their object. Whoever writes conditions learns that they are not as it left them.
    static func forgetConditions(_ key: ObjectKey) -> [Statement] {
        guard let mesh = key.meshKey else { return [] }
        let row = ObjectRow(key)
        return [
            """
            UPDATE condition_state SET sequence = sequence + 1
             WHERE tenant = \(mesh.tenant.text) AND mesh = \(mesh.mesh.text)
               AND EXISTS (SELECT 1 FROM object_condition WHERE \(row.predicate))
            """, "DELETE FROM object_condition WHERE \(row.predicate)",
        ]
    }
}

extension ObjectRow {
    /// A column `conditions` with those of a row of `object`; null if they did not change in the last day and there are none.
    ///
    /// - Parameter table: the name of that row in the statement.
    static func conditions(of table: SQLIdentifier) -> Statement {
        func isOf(_ other: SQLIdentifier) -> Statement {
            """
            \(identifier: other).tenant = \(identifier: table).tenant AND \(identifier: other).mesh = \(identifier: table).mesh \
            AND \(identifier: other).kind = \(identifier: table).kind \
            AND \(identifier: other).namespace = \(identifier: table).namespace \
            AND \(identifier: other).service = \(identifier: table).service \
            AND \(identifier: other).name = \(identifier: table).name
            """
        }
        return """
            CASE WHEN EXISTS (SELECT 1 FROM condition_change h WHERE \(isOf("h"))) THEN (
                SELECT coalesce(jsonb_agg(\(conditionFields(of: "c")) ORDER BY c.source, c.position), '[]')
                  FROM object_condition c WHERE \(isOf("c")) AND c.uid = \(identifier: table).uid) END AS conditions
            """
    }

    /// A row of `object_condition` as ``ObjectCondition/init(stored:)`` reads it.
    static func conditionFields(of table: SQLIdentifier) -> Statement {
        """
        jsonb_build_object('type', \(identifier: table).type, 'status', \(identifier: table).status, \
        'reason', \(identifier: table).reason, 'subject', \(identifier: table).subject, \
        'pointer', \(identifier: table).pointer, 'message', \(identifier: table).message, \
        'other', \(identifier: table).other, \
        'since', (extract(epoch FROM \(identifier: table).since) * 1000000)::bigint)
        """
    }

    /// A row with the column of ``conditions(of:)``.
    static func decodeWithConditions(_ row: Row) throws(PostgresError) -> StoredObject {
        try withConditions(decode(row), row)
    }

    static func withConditions(_ object: StoredObject, _ row: Row) throws(PostgresError) -> StoredObject {
        guard let conditions = try row.jsonIfAny("conditions")?.arrayValue else { return object }
        var object = object
        object.conditions = conditions.compactMap(ObjectCondition.init(stored:))
        return object
    }
}

extension ObjectCondition {
    fileprivate init?(stored: JSONValue) {
        guard let type = stored["type"]?.stringValue, case .bool(let isTrue)? = stored["status"],
            let reason = stored["reason"]?.stringValue, let message = stored["message"]?.stringValue
        else { return nil }
        // Not a literal: `nil` would be JSON's null.
        let other = stored["other"].flatMap { $0 == .null ? Optional.none : $0 }
        self.init(
            type: type, isTrue: isTrue, reason: reason, subject: stored["subject"]?.stringValue ?? "",
            pointer: stored["pointer"]?.stringValue ?? "", message: message, other: other,
            since: stored["since"]?.integerValue.map(Timestamp.init(microseconds:)))
    }
}
