package import Documents
package import MeshCore
internal import Postgres

/// Long work (Google AIP-151): what was begun, how far it is, and what came of it.
package struct StoredOperation: Hashable, Sendable {
    /// A UUID in text form.
    package var id: String
    package var done: Bool
    /// `verb`, `target`, `step`, `progressPercent`.
    package var metadata: JSONValue
    package var error: JSONValue?
    package var response: JSONValue?
    package var createTime: Timestamp
    package var updateTime: Timestamp

    static let columns: Statement =
        "id::text AS id, done, metadata, error, response, created_at, updated_at"

    static func decode(_ row: Row) throws(PostgresError) -> StoredOperation {
        StoredOperation(
            id: try row["id"], done: try row["done"], metadata: try row.json("metadata"),
            error: try row.jsonIfAny("error"), response: try row.jsonIfAny("response"),
            createTime: try row.time("created_at"), updateTime: try row.time("updated_at"))
    }
}

extension MeshStore {
    /// - Returns: `nil` if the tenant has no such operation, or if `id` is no UUID.
    package func operation(_ id: String, of tenant: Name) async throws(StoreError) -> StoredOperation? {
        // Compared as text, so that anything at all may be asked for.
        try await rows(
            """
            SELECT \(StoredOperation.columns) FROM operation
             WHERE tenant = \(tenant.text) AND id::text = \(id.lowercased())
            """, seeing: .tenant(tenant)
        ).first(StoredOperation.decode)
    }
}

extension StoreTransaction {
    /// Writes an operation that this very transaction completes: done if it is committed, never seen if it is not.
    package func createOperation(metadata: JSONValue, response: JSONValue) async throws -> StoredOperation {
        try await session.query(
            """
            INSERT INTO operation (tenant, verb, target, done, metadata, response)
            VALUES (\(tenant.text), \(metadata["verb"]?.stringValue ?? ""), \(metadata["target"]?.stringValue ?? ""),
                    true, \(try metadata.stored), \(try response.stored))
            RETURNING \(StoredOperation.columns)
            """
        ).single(StoredOperation.decode)
    }
}
