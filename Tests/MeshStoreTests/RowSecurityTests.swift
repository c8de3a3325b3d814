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

    @Test(
        "sees a policy that opens more than the session's tenant, to read or to write, and that the migrations' is gone",
        arguments: [
            "CREATE POLICY everybody ON object USING (true)",
            "CREATE POLICY everybody ON object FOR SELECT USING (true)",
            "CREATE POLICY everybody ON object FOR INSERT WITH CHECK (true)",
            "CREATE POLICY everybody ON object TO sluice USING (true)",
            "ALTER POLICY tenant ON object USING (visible_tenant(tenant) OR tenant = 'acme')",
            "ALTER POLICY tenant ON object WITH CHECK (true)", "DROP POLICY tenant ON object",
            "DROP POLICY tenant ON object; CREATE POLICY tenant ON object FOR SELECT USING (visible_tenant(tenant))",
        ])
    func leak(script: String) async throws {
        try await withStore { store async throws in
            try await store.pool.execute(script: script)
            await #expect(throws: RowSecurity.Breach.leak(["object"])) {
                try await RowSecurity(pool: store.pool).checkTables()
            }
        }
    }

    @Test("sees that the policies' own function lets a session of no tenant see rows")
    func openFunction() async throws {
        try await withStore { store async throws in
            try await store.pool.execute(
                script: """
                    CREATE OR REPLACE FUNCTION visible_tenant(tenant text) RETURNS boolean LANGUAGE sql STABLE RETURN true
                    """)
            await #expect(throws: RowSecurity.Breach.leak(["mesh"])) {
                try await RowSecurity(pool: store.pool).checkTables()
            }
        }
    }

    @Test("minds no policy that opens nothing to the role, and reads no row of a table that grows")
    func harmless() async throws {
        try await withStore { store async throws in
            try await store.create(.service("cart"))
            // Whoever reads a row of it fails.
            try await store.pool.execute(
                script: """
                    CREATE FUNCTION unread() RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
                        $$ BEGIN RAISE EXCEPTION 'a row was read'; END $$;
                    CREATE POLICY unread ON audit_event AS RESTRICTIVE USING (unread());
                    CREATE POLICY other ON object TO pg_monitor USING (true);
                    CREATE POLICY second ON object FOR SELECT USING (visible_tenant(tenant));
                    """)
            try await RowSecurity(pool: store.pool).checkTables()
        }
    }
}
