internal import CoreMetrics
internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A piece of the feed: what changed at which revision.
struct ChangeLog {
    struct Change {
        var key: ObjectKey
        var revision: Revision
        var isDeleted: Bool
        /// The object that the change is about, as it is now, if it exists. It may be newer than the change; then a later piece names it once more.
        var object: StoredObject?
    }

    /// Oldest first. Of an object that changed several times the last one.
    var changes: [Change]
    /// The mesh's revision.
    var newest: Revision
    /// The revision that a reader has who takes all this in; less than ``newest`` if more follows.
    var reached: Revision
    /// The feed does not reach back so far, never reached so far, or is another mesh's. Then there are no changes here.
    var isCompacted: Bool
    /// How many changes there were besides, of objects of unknown kinds.
    var unknown = 0
}

extension MeshStore {
    /// The feed of a mesh, or (`nil`) of what a tenant has outside of its meshes: whole revisions after `after`, as many as
    /// it takes for at least `limit` changes, or fewer if the objects are large (``Limits/feedPageBytes``).
    ///
    /// - Parameter uid: the mesh's that the reader has; `nil`: of whichever is there.
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    func changeLog(
        of tenant: Name, _ mesh: Name?, uid: String? = nil, after: Revision, limit: Int, withConditions: Bool = false
    ) async throws(StoreError) -> ChangeLog {
        let statement = ChangeLog.statement(
            of: tenant, mesh, after: after, limit: limit, withConditions: withConditions)
        let log = try ChangeLog(
            await rows(statement, seeing: .tenant(tenant), isPlannedOnce: true), uid: uid, after: after, limit: limit)
        unknownRows.note(log.unknown, logger)
        feedReads.increment()
        return log
    }
}

extension ChangeLog {
    /// One statement, so that the feed, what the mesh says of it, and the objects are of one moment. The limit keeps the planner
    /// from reading all objects for the few that changed.
    static func statement(
        of tenant: Name, _ mesh: Name?, after: Revision, limit: Int, withConditions: Bool = false
    ) -> Statement {
        let name = mesh?.text ?? ""
        let conditions: Statement = withConditions ? ObjectRow.conditions(of: "o") : "NULL::jsonb AS conditions"
        return """
            SELECT * FROM (
            SELECT m.*, c.*, o.*,
                   coalesce(sum(o.size) OVER (ORDER BY c.changed \(ObjectRow.frameOfEarlierRevisions)), 0) AS before,
                   count(c.changed) OVER () AS found
              FROM (SELECT revision AS newest, compacted, uid::text AS mesh_uid
                      FROM mesh WHERE tenant = \(tenant.text) AND mesh = \(name)) m
              LEFT JOIN (
                    SELECT tenant, kind, CASE WHEN kind = 'Cluster' THEN '' ELSE mesh END AS mesh, namespace, service,
                           name, deleted, revision AS changed
                      FROM change
                     WHERE tenant = \(tenant.text) AND mesh = \(name) AND revision > \(after)
                     ORDER BY revision FETCH FIRST \(limit) ROWS WITH TIES) c ON true
              LEFT JOIN LATERAL (
                    SELECT \(ObjectRow.content), size, \(conditions)
                      FROM object o
                     WHERE o.tenant = c.tenant AND o.kind = c.kind AND o.mesh = c.mesh
                           AND o.namespace = c.namespace AND o.service = c.service AND o.name = c.name
                     LIMIT 1) o ON true
            ) log WHERE before < \(Int64(Limits.feedPageBytes.value)) ORDER BY changed
            """
    }

    /// Reads what ``statement(of:_:after:limit:withConditions:)`` found.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    init(_ rows: Rows, uid: String?, after: Revision, limit: Int) throws(StoreError) {
        let state = try rows.first { row throws(PostgresError) -> (Revision, Revision, String) in
            (try row["newest"], try row["compacted"], try row["mesh_uid"])
        }
        guard let (newest, compacted, present) = state else { throw .notFound }
        // A revision from the future is one of an earlier mesh of this name.
        if compacted > after || newest < after || uid.map({ $0 != present }) == true {
            self.init(changes: [], newest: newest, reached: newest, isCompacted: true)
            return
        }
        let pieces: [(revision: Revision, change: Change?)]
        do {
            pieces = try rows.allInParallel(Self.piece).compactMap(\.self)
        } catch {
            throw StoreError(error)
        }
        var log = ChangeLog(changes: [], newest: newest, reached: newest, isCompacted: false)
        let found = try rows.first { row throws(PostgresError) -> Int64 in try row["found"] } ?? 0
        if pieces.count >= limit || pieces.count < found { log.reached = pieces.last?.revision ?? newest }
        let changes = pieces.compactMap(\.change)
        log.unknown = pieces.count - changes.count
        var seen = Set<ObjectKey>(minimumCapacity: changes.count)
        log.changes = changes.reversed().filter { seen.insert($0.key).inserted }.reversed()
        self = log
    }

    /// A row of the feed; without a change if that is of an unknown kind.
    ///
    /// - Returns: `nil` for the row that a feed without changes has.
    private static func piece(_ row: Row) throws(PostgresError) -> (revision: Revision, change: Change?)? {
        guard let revision: Revision = try row["changed"] else { return nil }
        guard let key = try ObjectRow.keyIfKnown(row) else { return (revision, nil) }
        let exists = try row["uid", as: String?.self] != nil
        let change = Change(
            key: key, revision: revision, isDeleted: try row["deleted"],
            object: exists ? try ObjectRow.withConditions(ObjectRow.content(of: key, row), row) : nil)
        return (revision, change)
    }
}
