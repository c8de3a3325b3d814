internal import Documents
internal import MeshCore
internal import MeshModel
internal import Postgres

/// A release has a row in the queue of releases, and events.
struct ReleaseHook: KindHook {
    /// Every write of a release's document makes a driver that has read the old one lose.
    func statements(
        for write: ObjectWrite, _ key: ObjectKey, _ transaction: StoreTransaction
    ) throws -> [Statement] {
        switch write {
        case .creating(let spec), .replacing(_, let spec): [try Self.rowWrite(key, spec)]
        case .status:
            ["UPDATE release r SET row_version = r.row_version + 1 WHERE \(ReleaseRow.condition(key))"]
        case .deleting(let old):
            [
                "DELETE FROM release r WHERE \(ReleaseRow.condition(key))",
                """
                DELETE FROM release_event WHERE tenant = \(key.tenant.text) AND release = \(old.uid)::text::uuid
                """,
                "DELETE FROM analysis_run WHERE tenant = \(key.tenant.text) AND release = \(old.uid)::text::uuid",
            ]
        }
    }

    private static func rowWrite(_ key: ObjectKey, _ spec: JSONValue) throws -> Statement {
        guard let service = spec["service"]?.stringValue else {
            throw StoreError.internal("a release must be stored with its service")
        }
        let row = ObjectRow(key)
        return """
            INSERT INTO release AS r (tenant, mesh, namespace, name, service)
            VALUES (\(row.tenant), \(row.mesh), \(row.namespace), \(row.name), \(service))
            ON CONFLICT (tenant, mesh, namespace, name) DO UPDATE
               SET service = excluded.service, row_version = r.row_version + 1
            """
    }

    var wakesReleases: Bool { true }
}
