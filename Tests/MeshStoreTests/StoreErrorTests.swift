import Documents
import MeshCore
import MeshModel
import Postgres
import TestSupport
import Testing

@testable import MeshStore

@Suite("Errors of the store")
struct StoreErrorTests {
    @Test("while the database is away, reads and writes say when to come again")
    func unavailable() async throws {
        try await Pool.running(PoolOptions("host=/nonexistent dbname=none"), logger: quietLogger) { pool in
            let store = MeshStore(pool: pool, logger: quietLogger)
            let away = StoreError.unavailable(retryAfter: .seconds(1))
            await #expect(throws: away) { try await store.fetch(.service("a")) }
            await #expect(throws: away) { try await store.loadMesh(.acme) }
            await #expect(throws: away) { try await store.changes(.acme, after: 0, limit: 1) }
            await #expect(throws: away) { try await store.proxies(of: .acme, limit: 1) }
            await #expect(throws: away) { try await store.signingKeys() }
            await #expect(throws: away) { _ = try await store.create(.service("a")) }
        }
    }

    @Test("a connection that breaks in a transaction undoes it, and the next write works")
    func brokenConnection() async throws {
        try await withStore { store async throws in
            let error = await #expect(throws: StoreError.self) {
                try await store.write { transaction in
                    _ = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                    try await store.pool.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                         WHERE datname = current_database() AND state = 'idle in transaction'
                        """)
                    _ = try await transaction.fetch(.service("a"), forUpdate: false)
                }
            }
            #expect(error == .unavailable(retryAfter: .seconds(1)))
            #expect(try await store.create(.service("b")).revision == 2)
            #expect(try await store.fetch(.service("a")) == nil)
        }
    }

    @Test("a mistake in a statement is told to the log, not to clients as something of theirs")
    func mistake() async throws {
        try await withStore { store async throws in
            let error = await #expect(throws: StoreError.self) { try await store.rows("SELEC 1", seeing: .all) }
            guard case .internal(let text) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.contains("42601"))
        }
    }

    @Test("what an error of a body was, it stays")
    func bodyError() async throws {
        struct Stop: Error {}
        try await withStore { store async throws in
            await #expect(throws: Stop.self) { try await store.write { _ in throw Stop() } }
            await #expect(throws: StoreError.notFound) { try await store.write { _ in throw StoreError.notFound } }
        }
    }

    @Test("the database's clock is the store's")
    func clock() async throws {
        try await withStore { store in
            let first = try await store.now()
            let second = try await store.now()
            #expect(first < second)
            #expect(first.microseconds > 1_700_000_000_000_000)
        }
    }
}
