import Postgres
import PostgresServer
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

@Suite("The check that row-level security binds the server's role")
struct RowSecurityTests {
    @Test("finds nothing wrong with the role and the schema of the migrations, empty or not")
    func fine() async throws {
        try await withStore { store async throws in
            let security = RowSecurity(pool: store.pool)
            try await security.checkRole()
            try await security.checkTables()
        }
    }

    @Test("refuses a superuser and a role with BYPASSRLS, and says what to do", arguments: [true, false])
    func mightyRole(isSuperuser: Bool) async throws {
        let server = try await PostgresServer.shared()
        let name = SQLIdentifier("mighty_" + String(UInt64.random(in: 0 ... .max), radix: 36))
        let administrator = try await Connection.open(
            ConnectionOptions(server.connectionString(database: "postgres", user: "postgres")))
        try await administrator.execute(script: "CREATE ROLE \(name) LOGIN \(isSuperuser ? "SUPERUSER" : "BYPASSRLS")")
        let options = PoolOptions(server.connectionString(database: "postgres", user: name.name))
        let breach = await #expect(throws: RowSecurity.Breach.self) {
            try await Pool.running(options, logger: quietLogger) { try await RowSecurity(pool: $0).checkRole() }
        }
        try await administrator.execute(script: "DROP ROLE \(name)")
        let text = "\(try #require(breach))"
        #expect(text.contains("\"\(name.name)\" is \(isSuperuser ? "a superuser" : "allowed to go around it")"))
        #expect(text.contains("CREATE ROLE sluice LOGIN PASSWORD '...' NOSUPERUSER NOBYPASSRLS"))
    }

    @Test("refuses an owner that the tables do not force it on", arguments: ["NO FORCE", "DISABLE"])
    func unforced(how: String) async throws {
        try await withStore { store async throws in
            try await store.pool.execute(script: "ALTER TABLE api_key \(how) ROW LEVEL SECURITY")
            await #expect(throws: RowSecurity.Breach.tables(["api_key"], role: "sluice")) {
                try await RowSecurity(pool: store.pool).checkTables()
            }
        }
    }

    @Test("sees that a session of no tenant sees rows")
    func leak() async throws {
        try await withStore { store async throws in
            try await store.pool.execute(script: "CREATE POLICY everybody ON object USING (true)")
            await #expect(throws: RowSecurity.Breach.leak(["object"])) {
                try await RowSecurity(pool: store.pool).checkTables()
            }
        }
    }
}
