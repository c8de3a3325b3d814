package import MeshCore
internal import Postgres

/// A key that the tokens of proxies are signed with; the same on all replicas.
package struct StoredSigningKey: Sendable {
    package var id: String
    /// 32 bytes.
    package var secret: [UInt8]
    package var createdAt: Timestamp
}

extension MeshStore {
    /// How long a new key is only known before it signs: replicas look for new keys more often than that, so no proxy shows
    /// one a token whose key it does not know.
    package static let signingKeyDelay = Duration.seconds(60)

    /// All signing keys, the one that signs first. Makes the first one if there is none.
    package func signingKeys() async throws(StoreError) -> [StoredSigningKey] {
        let keys = try await rows(Self.selectSigningKeys, seeing: .all).all(StoredSigningKey.init)
        guard keys.isEmpty else { return keys }
        return try await withSigningKeysLocked { transaction in
            try await transaction.query(Self.insertSigningKey(unless: "EXISTS (SELECT 1 FROM signing_key)"))
        }
    }

    /// Adds a key, which signs after ``signingKeyDelay``. What older keys have signed stays good.
    ///
    /// - Returns: all keys, as ``signingKeys()``.
    package func addSigningKey() async throws(StoreError) -> [StoredSigningKey] {
        try await withSigningKeysLocked { try await $0.query(Self.insertSigningKey(unless: "false")) }
    }

    /// Removes a key. What it has signed is not accepted any more, from the next time that replicas look.
    ///
    /// - Returns: the keys that are left, as ``signingKeys()``.
    /// - Throws: ``StoreError/notFound``; ``StoreError/alreadyExists`` if it is the key that signs.
    package func removeSigningKey(_ id: String) async throws(StoreError) -> [StoredSigningKey] {
        try await withSigningKeysLocked { transaction in
            let keys = try await transaction.query(Self.selectSigningKeys).all(StoredSigningKey.init)
            guard keys.contains(where: { $0.id == id }) else { throw StoreError.notFound }
            guard keys.first?.id != id else { throw StoreError.alreadyExists }
            try await transaction.query("DELETE FROM signing_key WHERE id = \(id)")
        }
    }

    /// The newest of those that all replicas know; without one, the oldest.
    private static let selectSigningKeys: Statement = """
        SELECT id, secret, created_at
          FROM (SELECT *, created_at <= now() - make_interval(secs => \(Double(signingKeyDelay.components.seconds))) AS known
                  FROM signing_key) AS k
         ORDER BY known DESC, CASE WHEN known THEN created_at END DESC, created_at, id
        """

    private static func insertSigningKey(unless condition: Statement) -> Statement {
        // The system's generator is one for cryptography (`getrandom(2)`).
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let id = String(UInt32.random(in: .min ... .max), radix: 36)
        return "INSERT INTO signing_key (id, secret) SELECT \(id), \(secret) WHERE NOT (\(condition))"
    }

    /// Lets only one of several replicas at a time change the keys.
    private func withSigningKeysLocked(
        _ body: @Sendable (Transaction) async throws -> Void
    ) async throws(StoreError) -> [StoredSigningKey] {
        do {
            return try await pool.transaction { transaction in
                try await transaction.query("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")
                try await body(transaction)
                return try await transaction.query(Self.selectSigningKeys).all(StoredSigningKey.init)
            }
        } catch let error as PostgresError {
            throw StoreError(error)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .internal("\(error)")
        }
    }
}

extension StoredSigningKey {
    fileprivate init(_ row: Row) throws(PostgresError) {
        self.init(id: try row["id"], secret: try row["secret"], createdAt: try row.time("created_at"))
    }
}
