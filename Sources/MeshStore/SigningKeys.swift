internal import Postgres

/// A key that the tokens of proxies are signed with; the same on all replicas.
package struct StoredSigningKey: Sendable {
    package var id: String
    /// 32 bytes.
    package var secret: [UInt8]
}

extension MeshStore {
    /// All signing keys, the newest, which signs, first. Makes the first one if there is none.
    package func signingKeys() async throws(StoreError) -> [StoredSigningKey] {
        // The system's generator is one for cryptography (`getrandom(2)`).
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let id = String(UInt32.random(in: .min ... .max), radix: 36)
        // Locking the table lets only one of several replicas that start together make it.
        let rows: Rows
        do {
            rows = try await pool.transaction { transaction in
                try await transaction.query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
                try await transaction.query(
                    """
                    INSERT INTO signing_key (id, secret) SELECT \(id), \(secret)
                     WHERE NOT EXISTS (SELECT 1 FROM signing_key)
                    """)
                return try await transaction.query("SELECT id, secret FROM signing_key ORDER BY created_at DESC, id")
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch {
            throw .internal("\(error)")
        }
        return try rows.all { row throws(PostgresError) in
            StoredSigningKey(id: try row["id"], secret: try row["secret"])
        }
    }
}
