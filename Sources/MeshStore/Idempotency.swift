internal import Documents
internal import MeshCore
internal import Postgres

/// An answer that was given to a call with an idempotency key.
package struct StoredAnswer: Hashable, Sendable {
    package var status: Int
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

extension StoreTransaction {
    /// Begins a call that is to be done once (the Idempotency-Key draft, section 2).
    ///
    /// A lock that ends with the transaction keeps a second call with the same key out while this one is worked on.
    ///
    /// - Parameters:
    ///   - scope: whose keys they are; two callers may use the same key.
    ///   - requestHash: of what the call asks for.
    /// - Returns: the answer of the earlier call; `nil`: there was none, go on and ``finishIdempotent(key:scope:requestHash:answer:)``.
    /// - Throws: ``StoreError/idempotencyInFlight``, ``StoreError/idempotencyMismatch``.
    package func beginIdempotent(key: String, scope: String, requestHash: [UInt8]) async throws -> StoredAnswer? {
        let results = try await pipeline([
            "SELECT pg_try_advisory_xact_lock(hashtextextended(\("\(tenant)\u{1f}\(scope)\u{1f}\(key)"), 0)) AS locked",
            """
            SELECT request_hash, status, headers, body FROM idempotent_call
             WHERE tenant = \(tenant.text) AND scope = \(scope) AND key = \(key) AND at > now() - interval '24 hours'
            """,
        ])
        let earlier = try results[1].first { row throws(PostgresError) -> ([UInt8], StoredAnswer) in
            let answer = StoredAnswer(
                status: Int(try row["status", as: Int32.self]), headers: try row.stringMap("headers"),
                body: try row["body"])
            return (try row["request_hash"], answer)
        }
        if let (hash, answer) = earlier {
            guard hash == requestHash else { throw StoreError.idempotencyMismatch }
            return answer
        }
        guard try results[0].single({ row throws(PostgresError) -> Bool in try row["locked"] }) else {
            throw StoreError.idempotencyInFlight
        }
        return nil
    }

    /// Keeps the answer, in the transaction that has the effect.
    package func finishIdempotent(
        key: String, scope: String, requestHash: [UInt8], answer: StoredAnswer
    ) async throws {
        let headers = JSONValue.object(answer.headers.mapValues(JSONValue.string))
        try await pipeline([
            """
            INSERT INTO idempotent_call (tenant, scope, key, request_hash, status, headers, body)
            VALUES (\(tenant.text), \(scope), \(key), \(requestHash), \(Int32(clamping: answer.status)),
                    \(try headers.stored), \(answer.body))
            ON CONFLICT (tenant, scope, key) DO UPDATE
               SET request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers,
                   body = excluded.body, at = now()
            """
        ])
    }
}
