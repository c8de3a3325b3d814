internal import Documents
package import MeshCore
package import MeshModel
internal import Postgres

/// A place where an object names another one.
package struct Referrer: Hashable, Sendable {
    package var object: ObjectKey
    package var target: ObjectKey
    package var part: Reference.Part?
    /// The text of ``Reference/pointer``.
    package var pointer: String
    package var strength: Reference.Strength

    package init(_ object: ObjectKey, _ reference: Reference) {
        self.init(object, reference.target, reference.part, reference.pointer.description, reference.strength)
    }

    fileprivate init(
        _ object: ObjectKey, _ target: ObjectKey, _ part: Reference.Part?, _ pointer: String,
        _ strength: Reference.Strength
    ) {
        self.object = object
        self.target = target
        self.part = part
        self.pointer = pointer
        self.strength = strength
    }
}

/// A page of those who name an object.
package struct ReferrerPage: Sendable {
    package var items: [Referrer]
    /// Where the next page begins; `nil`: this is the last one.
    package var next: ReferrerCursor?
}

/// The place behind the last row of a page of ``Referrer``s, which are in the order of kind, mesh, namespace, service, name and
/// place in the document.
package struct ReferrerCursor: Hashable, Sendable {
    /// Kind, mesh, namespace, service, name, position.
    package let parts: [String]
    fileprivate let position: Int64

    /// - Returns: `nil` unless there are six parts of this form.
    package init?(parts: [String]) {
        guard parts.count == 6, let position = Int64(parts[5]), kinds.kind(named: parts[0]) != nil,
            parts[1..<5].allSatisfy({ $0.isEmpty || Name($0) != nil })
        else { return nil }
        self.parts = parts
        self.position = position
    }

    fileprivate init(_ key: ObjectKey, _ position: Int64) {
        let row = ObjectRow(key)
        parts = [row.kind, row.mesh, row.namespace, row.service, row.name, String(position)]
        self.position = position
    }
}

/// Rows of `reference`: how what objects name is written and read.
enum ReferenceRow {
    /// `true` for rows of `object o` whose references are not right: of another generation, or made by an earlier version of the
    /// functions. A literal, as the predicate of the index `object_references` is.
    static let isStale: Statement = "(o.references_generation <> o.generation OR o.references_version < 1)"

    private static let columns: Statement = """
        r.tenant, r.kind, r.mesh, r.namespace, r.service, r.name, r.position, r.pointer, r.to_kind, r.to_mesh,
        r.to_namespace, r.to_service, r.to_name, r.part, r.strength
        """

    /// Statements that write the rows of some objects in place of those that there are. The objects' own columns are not theirs.
    static func replacing(_ references: [(key: ObjectKey, references: [Reference])], tenant: String) -> [Statement] {
        let sources = references.map { ObjectRow($0.key) }
        var statements: [Statement] = [
            """
            DELETE FROM reference WHERE tenant = \(tenant) AND (kind, mesh, namespace, service, name) IN (\(keys(sources)))
            """
        ]
        let rows = references.flatMap { key, references in
            references.enumerated().map { (source: ObjectRow(key), Int64($0.offset), $0.element) }
        }
        guard !rows.isEmpty else { return statements }
        let targets = rows.map { ObjectRow($0.2.target) }
        statements.append(
            """
            INSERT INTO reference (tenant, kind, mesh, namespace, service, name, position, pointer, to_kind, to_mesh,
                                   to_namespace, to_service, to_name, part, strength)
            SELECT \(tenant), * FROM unnest(
                \(rows.map(\.source.kind))::text[], \(rows.map(\.source.mesh))::text[],
                \(rows.map(\.source.namespace))::text[], \(rows.map(\.source.service))::text[],
                \(rows.map(\.source.name))::text[], \(rows.map(\.1))::bigint[],
                \(rows.map(\.2.pointer.description))::text[], \(targets.map(\.kind))::text[],
                \(targets.map(\.mesh))::text[], \(targets.map(\.namespace))::text[],
                \(targets.map(\.service))::text[], \(targets.map(\.name))::text[],
                \(rows.map { $0.2.part?.description ?? "" })::text[],
                \(rows.map(\.2.strength.rawValue))::text[])
            """)
        return statements
    }

    static func keys(_ rows: [ObjectRow]) -> Statement {
        """
        SELECT * FROM unnest(\(rows.map(\.kind))::text[], \(rows.map(\.mesh))::text[], \(rows.map(\.namespace))::text[],
                             \(rows.map(\.service))::text[], \(rows.map(\.name))::text[])
        """
    }

    /// The rows that are right and name an object, in the order of ``ReferrerCursor``.
    static func select(_ query: ReferrerQuery) -> Statement {
        let target = ObjectRow(query.target)
        let key: Statement = "r.kind, r.mesh, r.namespace, r.service, r.name"
        let distinct: Statement = query.isOnceAnObject ? "DISTINCT ON (\(key))" : ""
        var statement: Statement = """
            SELECT \(distinct) \(columns) FROM reference r
              JOIN object o USING (tenant, kind, mesh, namespace, service, name)
             WHERE r.tenant = \(target.tenant) AND r.to_kind = \(target.kind) AND r.to_mesh = \(target.mesh)
               AND r.to_namespace = \(target.namespace) AND r.to_service = \(target.service)
               AND r.to_name = \(target.name) AND NOT \(isStale)
            """
        if query.isKept { statement.append(" AND r.strength <> \(Reference.Strength.weak.rawValue)") }
        if let parts = query.parts { statement.append(" AND r.part = ANY (\(parts.map(\.description))::text[])") }
        if let place = query.after {
            let parts = place.parts
            statement.append(
                """
                 AND (\(key), r.position)
                   > (\(parts[0]), \(parts[1]), \(parts[2]), \(parts[3]), \(parts[4]), \(place.position))
                """)
        }
        statement.append(" ORDER BY \(key), r.position LIMIT \(query.limit)")
        return statement
    }

    /// Some objects whose rows are not right, of the kinds that this version knows, in the order of keys.
    ///
    /// - Parameter tenant: `nil`: of all tenants.
    static func selectStale(of tenant: Name?, after: ObjectKey?, limit: Int) -> Statement {
        var statement: Statement = """
            SELECT \(StoredSpec.columns) FROM object o
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

    /// - Returns: `nil` for what only a newer version of this server can read.
    static func decode(_ row: Row) throws(PostgresError) -> (referrer: Referrer, cursor: ReferrerCursor)? {
        guard let object = try ObjectRow.keyIfKnown(row), let kind = kinds.kind(named: try row["to_kind"]),
            let strength = Reference.Strength(rawValue: try row["strength"])
        else { return nil }
        let scope = ObjectScope(
            tenant: object.tenant, mesh: try row.nameIfAny("to_mesh"), namespace: try row.nameIfAny("to_namespace"),
            service: try row.nameIfAny("to_service"))
        guard let target = scope.key(kind, try row.name("to_name")) else { return nil }
        let referrer = Referrer(object, target, Reference.Part(try row["part"]), try row["pointer"], strength)
        return (referrer, ReferrerCursor(object, try row["position"]))
    }
}

/// Which of those who name an object are asked for.
package struct ReferrerQuery: Sendable {
    package var target: ObjectKey
    /// `nil`: whatever of the target they name; otherwise one of these parts.
    package var parts: [Reference.Part]?
    /// Only those that keep the target from being deleted.
    package var isKept: Bool
    /// Of each object the first place only.
    package var isOnceAnObject: Bool
    package var after: ReferrerCursor?
    package var limit: Int

    package init(
        to target: ObjectKey, parts: [Reference.Part]? = nil, keeping isKept: Bool = false,
        onceAnObject isOnceAnObject: Bool = false, after: ReferrerCursor? = nil, limit: Int
    ) {
        self.target = target
        self.parts = parts
        self.isKept = isKept
        self.isOnceAnObject = isOnceAnObject
        self.after = after
        self.limit = limit
    }

    /// The places in an object that are asked for.
    fileprivate func matches(in object: StoredSpec) -> [Referrer] {
        let matching = object.references.filter { reference in
            reference.target == target && !(isKept && !reference.strength.keeps)
                && parts.map { parts in reference.part.map(parts.contains) ?? false } ?? true
        }
        return matching.prefix(isOnceAnObject ? 1 : matching.count).map { Referrer(object.key, $0) }
    }
}

extension StoreTransaction {
    /// Places in which objects of the tenant name an object, as the transaction sees them: those that are known by rows, in the
    /// order of keys, and then those in objects whose rows are not right, which are asked themselves.
    package func referrers(_ query: ReferrerQuery) async throws -> [Referrer] {
        if let parts = query.parts, parts.isEmpty { return [] }
        let rows = try await session.query(ReferenceRow.select(query))
        var found: [Referrer] = []
        for row in rows { if let known = try ReferenceRow.decode(row) { found.append(known.referrer) } }
        var last: ObjectKey?
        repeat {
            let stale = try await session.query(
                ReferenceRow.selectStale(of: tenant, after: last, limit: MeshStore.staleObjectsAtOnce)
            ).all(StoredSpec.init)
            for object in stale where found.count < query.limit {
                found += query.matches(in: object)
            }
            last = stale.count == MeshStore.staleObjectsAtOnce ? stale.last?.key : nil
        } while last != nil && found.count < query.limit
        return Array(found.prefix(query.limit))
    }

    /// Objects of the tenant that exist, which stay, as others for whom they are only to be there see them, until the transaction
    /// ends; who would change or delete one has fetched it for update, and waits.
    package func hold(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: StoredObject] {
        if keys.isEmpty { return [:] }
        let rows = keys.map(ObjectRow.init)
        let objects = try await session.query(
            """
            SELECT \(ObjectRow.columns) FROM object
             WHERE tenant = \(tenant.text) AND (kind, mesh, namespace, service, name) IN (\(ReferenceRow.keys(rows)))
             ORDER BY kind, mesh, namespace, service, name FOR KEY SHARE
            """
        ).all(ObjectRow.decode)
        return Dictionary(objects.map { ($0.key, $0) }) { first, _ in first }
    }
}

/// An object's key and spec, without what may be large beside them.
struct StoredSpec {
    let key: ObjectKey
    let spec: JSONValue

    /// What ``init(_:)`` reads.
    static let columns: Statement = "tenant, kind, mesh, namespace, service, name, spec"

    init(_ row: Row) throws(PostgresError) {
        key = try ObjectRow.key(row)
        spec = try row.json("spec")
    }

    fileprivate var references: [Reference] { key.kind.references(in: spec, of: key) }
}

extension MeshStore {
    /// How many objects whose references are not right are read at a time.
    fileprivate static let staleObjectsAtOnce = 500

    /// A page of those who name an object, after the rows of the tenant have been made right, but for objects that are being written
    /// at the moment by a version of this server that does not write them.
    package func referrers(_ query: ReferrerQuery) async throws -> ReferrerPage {
        while try await mendReferences(of: query.target.tenant) > 0 {}
        var wanted = query
        wanted.limit += 1
        let rows = try await rows(ReferenceRow.select(wanted), seeing: .tenant(query.target.tenant))
        let all = try rows.all { row throws(PostgresError) in try ReferenceRow.decode(row) }
        let page = all.prefix(query.limit)
        let next = all.count > query.limit ? page.last.flatMap { $0?.cursor } : nil
        return ReferrerPage(items: page.compactMap { $0?.referrer }, next: next)
    }

    /// Makes rows of references of some objects whose rows are not right: those that a version of this server has written that
    /// does not write references, or whose functions answer something else.
    ///
    /// Objects that somebody is writing are left for another time.
    ///
    /// - Parameter tenant: `nil`: of all tenants.
    /// - Returns: of how many objects.
    package func mendReferences(of tenant: Name? = nil) async throws -> Int {
        do {
            return try await pool.transaction(
                prelude: [(tenant.map { Visibility.tenant($0) } ?? .all).statement]
            ) { session in
                let stale = try await session.query(
                    "\(ReferenceRow.selectStale(of: tenant, after: nil, limit: Self.staleObjectsAtOnce)) FOR NO KEY UPDATE SKIP LOCKED"
                ).all(StoredSpec.init)
                if stale.isEmpty { return 0 }
                var statements: [Statement] = []
                for (tenant, objects) in Dictionary(grouping: stale, by: \.key.tenant) {
                    statements += ReferenceRow.replacing(
                        objects.map { ($0.key, $0.references) }, tenant: tenant.text)
                    statements.append(
                        """
                        UPDATE object SET references_generation = generation, references_version = \(Int64(Reference.version))
                         WHERE tenant = \(tenant.text)
                           AND (kind, mesh, namespace, service, name) IN (\(ReferenceRow.keys(objects.map { ObjectRow($0.key) })))
                        """)
                }
                _ = try await session.pipeline(statements)
                return stale.count
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        }
    }
}
