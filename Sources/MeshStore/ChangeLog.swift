internal import MeshModel
internal import Postgres

/// A piece of the feed: what changed at which revision.
struct ChangeLog {
    struct Change {
        var key: ObjectKey
        var revision: Revision
        var isDeleted: Bool
    }

    /// Oldest first.
    var changes: [Change]
    /// What they are about, as it is now, those that exist. An object may be newer than the changes here say; then a later
    /// piece names it once more.
    var objects: [ObjectKey: StoredObject]
    /// The mesh's revision.
    var newest: Revision
    /// The revision that a reader has who takes all this in; less than ``newest`` if more follows.
    var reached: Revision
    /// The feed does not reach back so far, or never reached so far. Then there are no changes here.
    var isCompacted: Bool
}

extension MeshStore {
    /// The feed of a mesh, or (`nil`) of what a tenant has outside of its meshes: whole revisions after `after`, as many as
    /// it takes for at least `limit` changes.
    ///
    /// - Throws: ``StoreError/notFound`` if there is no such mesh.
    func changeLog(
        of tenant: Name, _ mesh: Name?, after: Revision, limit: Int
    ) async throws(StoreError) -> ChangeLog {
        let name = mesh?.text ?? ""
        // One statement, so that the feed, what the mesh says of it, and the objects are of one moment.
        let rows = try await rows(
            """
            SELECT m.*, c.*, \(ObjectRow.content)
              FROM (SELECT revision AS newest, compacted FROM mesh WHERE tenant = \(tenant.text) AND mesh = \(name)) m
              LEFT JOIN (
                    SELECT tenant, kind, CASE WHEN kind = 'Cluster' THEN '' ELSE mesh END AS mesh, namespace, service,
                           name, deleted, revision AS changed
                      FROM change
                     WHERE tenant = \(tenant.text) AND mesh = \(name) AND revision > \(after)
                     ORDER BY revision FETCH FIRST \(limit) ROWS WITH TIES) c ON true
              LEFT JOIN object o
                    ON o.tenant = c.tenant AND o.kind = c.kind AND o.mesh = c.mesh AND o.namespace = c.namespace
                       AND o.service = c.service AND o.name = c.name
             ORDER BY c.changed
            """, seeing: .tenant(tenant))
        let state = try rows.first { row throws(PostgresError) -> (Revision, Revision) in
            (try row["newest"], try row["compacted"])
        }
        guard let (newest, compacted) = state else { throw .notFound }
        // A revision from the future is one of an earlier mesh of this name.
        if compacted > after || newest < after {
            return ChangeLog(changes: [], objects: [:], newest: newest, reached: newest, isCompacted: true)
        }
        let changes = try rows.all(Self.change).compactMap { $0 }
        let reached = changes.count < limit ? newest : changes.last?.revision ?? newest
        return ChangeLog(
            changes: changes, objects: try Self.objects(rows), newest: newest, reached: reached, isCompacted: false)
    }

    /// Each once, however often it changed.
    private static func objects(_ rows: Rows) throws(StoreError) -> [ObjectKey: StoredObject] {
        var objects: [ObjectKey: StoredObject] = [:]
        _ = try rows.all { row throws(PostgresError) in
            guard try row["uid", as: String?.self] != nil else { return }
            let key = try ObjectRow.key(row)
            if objects[key] == nil { objects[key] = try ObjectRow.decode(row) }
        }
        return objects
    }

    /// - Returns: `nil` for the row of a mesh without changes.
    private static func change(_ row: Row) throws(PostgresError) -> ChangeLog.Change? {
        guard let revision: Revision = try row["changed"] else { return nil }
        return ChangeLog.Change(key: try ObjectRow.key(row), revision: revision, isDeleted: try row["deleted"])
    }
}
