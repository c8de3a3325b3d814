internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// Rows of `reference`: how what objects name is written and read.
enum ReferenceRow {
    /// `true` for rows of `object o` whose references are not right: of another generation, or made by an earlier version of the
    /// functions (``Reference/version``). A literal, as the predicate of the index `object_references` is.
    static let isStale: Statement = "(o.references_generation <> o.generation OR o.references_version < 1)"

    // MARK: Writing

    /// Statements that write the rows of some objects in place of those that there are. The objects' own columns are not theirs.
    static func replacing(_ references: [(key: ObjectKey, references: [Reference])], tenant: Name) -> [Statement] {
        var statements: [Statement] = [
            "DELETE FROM reference WHERE \(ObjectRow.isOne(of: references.map(\.key), tenant: tenant))"
        ]
        let rows = references.flatMap { key, references in
            references.enumerated().map { (source: ObjectRow(key), position: Int64($0.offset), reference: $0.element) }
        }
        guard !rows.isEmpty else { return statements }
        let targets = rows.map { ObjectRow($0.reference.target) }
        statements.append(
            """
            INSERT INTO reference (tenant, kind, mesh, namespace, service, name, position, pointer, to_kind, to_mesh,
                                   to_namespace, to_service, to_name, part, strength)
            SELECT \(tenant.text), * FROM unnest(
                \(rows.map(\.source.kind))::text[], \(rows.map(\.source.mesh))::text[],
                \(rows.map(\.source.namespace))::text[], \(rows.map(\.source.service))::text[],
                \(rows.map(\.source.name))::text[], \(rows.map(\.position))::bigint[],
                \(rows.map(\.reference.pointer.description))::text[], \(targets.map(\.kind))::text[],
                \(targets.map(\.mesh))::text[], \(targets.map(\.namespace))::text[],
                \(targets.map(\.service))::text[], \(targets.map(\.name))::text[],
                \(rows.map { $0.reference.part?.description ?? "" })::text[],
                \(rows.map(\.reference.strength.rawValue))::text[])
            """)
        return statements
    }

    // MARK: Reading

    /// The references that are asked for, as two lists in one statement, so that an object whose rows are made right meanwhile is in one of them:
    /// rows that are right, in the order of ``ReferrerCursor`` and one more than the limit, and with their `spec` the objects whose
    /// rows are not right, as many as may be read at once; `found` is how many there are.
    static func select(_ query: ReferrerQuery) -> Statement {
        let target = ObjectRow(query.target)
        let key: Statement = "r.kind, r.mesh, r.namespace, r.service, r.name"
        let distinct: Statement = query.onePerObject ? "DISTINCT ON (\(key))" : ""
        var rows: Statement = """
            SELECT \(distinct) r.* FROM reference r JOIN object o USING (tenant, kind, mesh, namespace, service, name)
             WHERE r.tenant = \(target.tenant) AND r.to_kind = \(target.kind) AND r.to_mesh = \(target.mesh)
               AND r.to_namespace = \(target.namespace) AND r.to_service = \(target.service)
               AND r.to_name = \(target.name) AND NOT \(isStale)
            """
        if query.keepsTarget { rows.append(" AND r.strength <> \(Reference.Strength.weak.rawValue)") }
        if let parts = query.parts { rows.append(" AND r.part = ANY (\(parts.map(\.description))::text[])") }
        if let visibility = query.visibility { rows.append(" AND \(condition(visibility, of: "r"))") }
        if let place = query.after {
            let parts = place.parts
            rows.append(
                """
                 AND (\(key), r.position)
                   > (\(parts[0]), \(parts[1]), \(parts[2]), \(parts[3]), \(parts[4]), \(place.position))
                """)
        }
        rows.append(" ORDER BY \(key), r.position LIMIT \(query.limit + 1)")
        var objects: Statement = """
            SELECT o.tenant, o.kind, o.mesh, o.namespace, o.service, o.name, o.spec, o.size FROM object o
             WHERE o.tenant = \(target.tenant) AND \(isStale) AND o.kind = ANY (\(kinds.all.map(\.name))::text[])
            """
        if let visibility = query.visibility { objects.append(" AND \(condition(visibility, of: "o"))") }
        let order: Statement = "kind, mesh, namespace, service, name"
        let stale = ObjectRow.bounded(
            objects, orderedBy: order, frame: ObjectRow.frameOfEarlierRows, limit: Limits.feedPageBytes)
        return """
            SELECT tenant, kind, mesh, namespace, service, name, position, pointer, to_kind, to_mesh, to_namespace, to_service,
                   to_name, part, strength, NULL::jsonb AS spec, NULL::bigint AS found
              FROM (\(rows)) r
            UNION ALL
            SELECT tenant, kind, mesh, namespace, service, name, 0, '', '', '', '', '', '', '', '', spec, found
              FROM (\(stale)) s
            """
    }

    private static func condition(_ visibility: ReferrerQuery.Visibility, of table: SQLIdentifier) -> Statement {
        let (meshes, namespaces) = (visibility.meshes.map(\.text), visibility.namespaces.map(\.text))
        return """
            (\(identifier: table).kind = ANY (\(visibility.kinds.map(\.name))::text[])
             AND (\(meshes.isEmpty) OR \(identifier: table).mesh = ANY (\(meshes)::text[]))
             AND (\(namespaces.isEmpty) OR \(identifier: table).namespace = ANY (\(namespaces)::text[])))
            """
    }

    /// - Throws: ``StoreError/unavailable(retryAfter:because:)`` while very many objects have no rows yet.
    static func page(_ rows: Rows, of query: ReferrerQuery) throws -> ReferrerPage {
        var items: [(place: ReferrerCursor, referrer: Referrer?, text: String)] = []
        var stale: [(StoredSpec, ReferrerCursor)] = []
        var found = 0
        for row in rows {
            let key: [String] = [
                try row["kind"], try row["mesh"], try row["namespace"], try row["service"], try row["name"],
            ]
            if let count: Int64 = try row["found"] {
                found = Int(count)
                stale.append((try StoredSpec(row), ReferrerCursor(key: key, 0)))
                continue
            }
            let text = "\(key[0]) \(key[2...].filter { !$0.isEmpty }.joined(separator: "/"))"
            items.append((ReferrerCursor(key: key, try row["position"]), try referrer(row), text))
        }
        guard found == stale.count else { throw StoreError.unavailable(retryAfter: .seconds(1), because: .unprepared) }
        // What rows say beyond their last one is not known.
        let end = items.count > query.limit ? items[query.limit - 1].place : nil
        items = Array(items.prefix(query.limit))
        for (object, place) in stale {
            let key = Array(place.parts.prefix(5))
            let places = (object.references ?? []).enumerated().map { (ReferrerCursor(key: key, Int64($0)), $1) }
            let matching = places.filter { place, reference in
                query.matches(reference, at: place) && end.map { place <= $0 } ?? true
            }
            items += matching.prefix(query.onePerObject ? 1 : matching.count).map { place, reference in
                (place, Referrer(object.key, reference), "")
            }
        }
        items.sort { $0.place < $1.place }
        var page = ReferrerPage()
        page.next = items.count > query.limit ? items[query.limit - 1].place : end
        for item in items.prefix(query.limit) {
            if let referrer = item.referrer { page.items.append(referrer) } else { page.unknown.append(item.text) }
        }
        return page
    }

    /// - Returns: `nil` for what only a newer version of this server can read.
    private static func referrer(_ row: Row) throws(PostgresError) -> Referrer? {
        guard let object = try ObjectRow.keyIfKnown(row), let kind = kinds.kind(named: try row["to_kind"]),
            let strength = Reference.Strength(rawValue: try row["strength"])
        else { return nil }
        let scope = ObjectScope(
            tenant: object.tenant, mesh: try row.nameIfAny("to_mesh"), namespace: try row.nameIfAny("to_namespace"),
            service: try row.nameIfAny("to_service"))
        guard let target = scope.key(kind, try row.name("to_name")) else { return nil }
        return Referrer(object, target, Reference.Part(try row["part"]), try row["pointer"], strength)
    }

    // MARK: Mending

    /// Keys and sizes of objects whose rows are not right, of the kinds that this version knows, in the order of keys.
    ///
    /// - Parameter tenant: `nil`: of all tenants.
    static func selectStale(of tenant: Name?, after: ObjectKey?, limit: Int) -> Statement {
        var statement: Statement = """
            SELECT tenant, kind, mesh, namespace, service, name, size FROM object o
             WHERE \(isStale) AND kind = ANY (\(kinds.all.map(\.name))::text[])
            """
        if let tenant { statement.append(" AND tenant = \(tenant.text)") }
        if let row = after.map(ObjectRow.init) {
            statement.append(
                """
                 AND (tenant, kind, mesh, namespace, service, name)
                   > (\(row.tenant), \(row.kind), \(row.mesh), \(row.namespace), \(row.service), \(row.name))
                """)
        }
        statement.append(" ORDER BY tenant, kind, mesh, namespace, service, name LIMIT \(limit)")
        return statement
    }
}

extension ReferrerQuery {
    fileprivate func matches(_ reference: Reference, at place: ReferrerCursor) -> Bool {
        reference.target == target && !(keepsTarget && !reference.strength.keeps)
            && parts.map { parts in reference.part.map(parts.contains) ?? false } ?? true
            && after.map { place > $0 } ?? true
    }
}

/// An object's key and spec, without what may be large beside them.
struct StoredSpec {
    let key: ObjectKey
    let spec: JSONValue

    /// Reads the columns of the key and `spec`.
    init(_ row: Row) throws(PostgresError) {
        key = try ObjectRow.key(row)
        spec = try row.json("spec")
    }

    /// `nil` if the spec cannot be read.
    var references: [Reference]? { key.kind.references(in: spec, of: key) }
}
