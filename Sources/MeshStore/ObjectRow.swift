internal import Parallel
internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A row of `object`: how keys become conditions, and rows become objects.
struct ObjectRow {
    let key: ObjectKey
    var tenant: String { key.tenant.text }
    var kind: String { key.kind.name }
    var mesh: String { key.mesh?.text ?? "" }
    var namespace: String { key.namespace?.text ?? "" }
    var service: String { key.service?.text ?? "" }
    var name: String { key.name.text }

    init(_ key: ObjectKey) { self.key = key }

    static let columns: Statement = "tenant, kind, mesh, namespace, service, name, \(content)"

    /// The columns that are not the key.
    static let content: Statement = """
        uid::text AS uid, generation, revision, labels, annotations, spec, status, created_at, updated_at
        """

    /// `true` for this one row.
    var predicate: Statement {
        """
        tenant = \(tenant) AND kind = \(kind) AND mesh = \(mesh) AND namespace = \(namespace) \
        AND service = \(service) AND name = \(name)
        """
    }

    /// `true` for the rows of some objects of one tenant.
    static func isOne(of keys: some Sequence<ObjectKey>, tenant: Name) -> Statement {
        let rows = keys.map(ObjectRow.init)
        return """
            tenant = \(tenant.text) AND (kind, mesh, namespace, service, name) IN (
               SELECT * FROM unnest(\(rows.map(\.kind))::text[], \(rows.map(\.mesh))::text[],
                                    \(rows.map(\.namespace))::text[], \(rows.map(\.service))::text[],
                                    \(rows.map(\.name))::text[]))
            """
    }

    static func select(_ keys: some Sequence<ObjectKey>, tenant: Name) -> Statement {
        "SELECT \(columns) FROM object WHERE \(isOne(of: keys, tenant: tenant))"
    }

    /// The order in which the rows of several objects are locked: everybody's, so that none waits for another in a circle.
    static let lockOrder: Statement = "ORDER BY kind, mesh, namespace, service, name"

    /// A page and one row more, with ``conditions(of:)``, or as much of it as may be read at once; `found` is how many there would be.
    static func select(_ query: ListQuery) throws(StoreError) -> Statement {
        var statement: Statement =
            "SELECT \(columns), size, \(conditions(of: "object")) FROM object WHERE \(try predicate(query))"
        if let parts = query.after?.parts {
            statement.append(
                """
                 AND (tenant, mesh, namespace, service, name)
                   > (\(parts[0]), \(parts[1]), \(parts[2]), \(parts[3]), \(parts[4]))
                """)
        }
        let order: Statement = "tenant, mesh, namespace, service, name"
        statement.append(" ORDER BY \(order) LIMIT \(query.pageSize + 1)")
        return bounded(statement, orderedBy: order, frame: frameOfEarlierRows, limit: Limits.pageBytes)
    }

    /// The first rows of a query of objects with their `size`: those before which there are less bytes than the limit, so one
    /// at least. `found` is how many rows the query has.
    ///
    /// - Parameter frame: the window frame of the rows that come before a row.
    static func bounded(
        _ query: Statement, orderedBy order: Statement, frame before: Statement, limit: Limit
    ) -> Statement {
        """
        SELECT * FROM (
            SELECT page.*, coalesce(sum(size) OVER (ORDER BY \(order) \(before)), 0) AS before, count(*) OVER () AS found
              FROM (\(query)) page) bounded
         WHERE before < \(Int64(limit.value)) ORDER BY \(order)
        """
    }

    /// The rows of a list that were written last after one revision and up to another, in that order: as many as `limit`, and
    /// the rest of the last one's revision, or as many whole revisions as may be read at once (``bounded(_:orderedBy:frame:limit:)``), with
    /// ``conditions(of:)``. The query's page is not looked at.
    static func select(
        _ query: ListQuery, after: Revision, upTo: Revision, limit: Int
    ) throws(StoreError) -> Statement {
        bounded(
            """
            SELECT \(columns), size, \(conditions(of: "object")) FROM object
             WHERE \(try predicate(query)) AND revision > \(after) AND revision <= \(upTo)
             ORDER BY revision FETCH FIRST \(limit) ROWS WITH TIES
            """, orderedBy: "revision", frame: frameOfEarlierRevisions, limit: Limits.feedPageBytes)
    }

    /// The window frame of the rows before one, in an order without ties.
    static let frameOfEarlierRows: Statement = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"

    /// The window frame of the rows before one in a feed, which is told in whole revisions.
    static let frameOfEarlierRevisions: Statement = "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"

    /// `true` for the objects of a list, on all of its pages.
    private static func predicate(_ query: ListQuery) throws(StoreError) -> Statement {
        var predicate: Statement = "kind = \(query.kind.name)"
        if let tenant = query.tenant { predicate.append(" AND tenant = \(tenant.text)") }
        if let mesh = query.mesh { predicate.append(" AND mesh = \(mesh.text)") }
        if let namespace = query.namespace { predicate.append(" AND namespace = \(namespace.text)") }
        if let service = query.service { predicate.append(" AND service = \(service.text)") }
        if !query.labels.isEmpty {
            let wanted = Dictionary(query.labels.map { ($0.name, JSONValue.string($0.value)) }) { _, last in last }
            predicate.append(" AND labels @> \(try JSONValue.object(wanted).stored)")
        }
        return predicate
    }

    static func decode(_ row: Row) throws(PostgresError) -> StoredObject { try content(of: key(row), row) }

    /// The object that is in the columns ``content``.
    static func content(of key: ObjectKey, _ row: Row) throws(PostgresError) -> StoredObject {
        StoredObject(
            key: key, uid: try row["uid"], generation: try row["generation"], revision: try row["revision"],
            metadata: ObjectLabels(labels: try row.stringMap("labels"), annotations: try row.stringMap("annotations")),
            createTime: try row.time("created_at"), updateTime: try row.time("updated_at"), spec: try row.json("spec"),
            status: try row.json("status"))
    }

    /// The key in the columns `tenant`, `kind`, `mesh`, `namespace`, `service`, `name`, where only known kinds were asked for.
    static func key(_ row: Row) throws(PostgresError) -> ObjectKey {
        guard let key = try keyIfKnown(row) else {
            throw PostgresError(.decoding, "there is an object of the unknown kind \(try row["kind", as: String.self])")
        }
        return key
    }

    /// The key of a row, as ``key(_:)``; `nil` for a kind that only a newer version of this server knows.
    static func keyIfKnown(_ row: Row) throws(PostgresError) -> ObjectKey? {
        guard let kind = kinds.kind(named: try row["kind"]) else { return nil }
        let scope = ObjectScope(
            tenant: try row.name("tenant"), mesh: try row.nameIfAny("mesh"),
            namespace: try row.nameIfAny("namespace"), service: try row.nameIfAny("service"))
        guard let key = scope.key(kind, try row.name("name")) else {
            throw PostgresError(.decoding, "an object of the kind \(kind) stands in \(scope)")
        }
        return key
    }
}

extension Rows {
    /// All rows, as `all` reads them, on several threads if there are many: an object takes some 10 µs, and a mesh may have ten thousand.
    ///
    /// - Returns: the values in the rows' order.
    func allInParallel<Value: Sendable>(
        _ decode: @Sendable (Row) throws(PostgresError) -> Value
    ) throws(PostgresError) -> [Value] {
        let decoded = Array(self).mapInParallel { row in
            Result { () throws(PostgresError) -> Value in try decode(row) }
        }
        var values: [Value] = []
        values.reserveCapacity(decoded.count)
        for value in decoded { values.append(try value.get()) }
        return values
    }
}
