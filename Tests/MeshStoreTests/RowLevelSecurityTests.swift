import Postgres
import TestSupport
import StoreFixtures
import Testing

/// The second lock behind the WHERE of every statement: statements here have no WHERE at all.
@Suite("Row-level security")
struct RowLevelSecurityTests {
    @Test("the server's role cannot walk around it")
    func role() async throws {
        try await StoreFixture.run { fixture in
            let rows = try await fixture.pool.query(
                "SELECT rolsuper OR rolbypassrls AS passes FROM pg_roles WHERE rolname = current_user")
            #expect(try #require(rows.first)["passes", as: Bool.self] == false)
        }
    }

    @Test("a session sees the rows of the tenant that it named, all with '*', and none without a name")
    func visibility() async throws {
        try await withRows { pool async throws in
            for table in TenantTable.allCases {
                #expect(try await tenants(in: table, seenBy: "acme", pool) == ["acme"], "\(table)")
                #expect(try await tenants(in: table, seenBy: "*", pool) == ["acme", "globex"], "\(table)")
                #expect(try await tenants(in: table, seenBy: "nobody", pool) == [], "\(table)")
                #expect(try await tenants(in: table, seenBy: "", pool) == [], "\(table)")
                #expect(try await pool.query("SELECT 1 FROM \(identifier: table.name)").isEmpty, "\(table)")
            }
        }
    }

    @Test("a session cannot write a row of another tenant")
    func insertion() async throws {
        try await withRows { pool async throws in
            for table in TenantTable.allCases {
                let error = await #expect(throws: PostgresError.self, "\(table)") {
                    try await pool.pipeline([setting("acme"), table.insertion(tenant: "initech")])
                }
                #expect(error?.sqlState == .insufficientPrivilege, "\(table)")
            }
        }
    }

    @Test("a session cannot give its rows to another tenant")
    func giving() async throws {
        try await withRows { pool async throws in
            // Where a foreign key would refuse it too it is left out.
            for table in TenantTable.allCases where !TenantTable.children.contains(table) && table != .mesh {
                let error = await #expect(throws: PostgresError.self, "\(table)") {
                    try await pool.pipeline([
                        setting("acme"), "UPDATE \(identifier: table.name) SET tenant = 'initech'",
                    ])
                }
                #expect(error?.sqlState == .insufficientPrivilege, "\(table)")
            }
        }
    }

    @Test("a session changes and deletes its own rows only, even without a WHERE")
    func deletion() async throws {
        try await withRows { pool async throws in
            for table in TenantTable.allCases where table != .mesh {
                let update: Statement = "UPDATE \(identifier: table.name) SET tenant = tenant"
                #expect(try await pool.pipeline([setting("acme"), update])[1].affectedRows == 1, "\(table)")
                let deletion: Statement = "DELETE FROM \(identifier: table.name)"
                #expect(try await pool.pipeline([setting("acme"), deletion])[1].affectedRows == 1, "\(table)")
                #expect(try await tenants(in: table, seenBy: "*", pool) == ["globex"], "\(table)")
            }
        }
    }

    @Test("the setting ends with its transaction, so the next caller on the connection sees nothing")
    func settingEnds() async throws {
        try await withRows { pool in
            _ = try await pool.pipeline([setting("*"), "SELECT 1 FROM object"])
            let seen = try await pool.transaction(prelude: [setting("*")]) {
                try await $0.query("SELECT 1 FROM object").count
            }
            #expect(seen == 2)
            #expect(try await pool.query("SELECT 1 FROM object").isEmpty)
        }
    }
}

/// A row of `acme` and one of `globex` in every table. One connection, so that statements follow each other on it.
private func withRows(_ body: (Pool) async throws -> Void) async throws {
    try await StoreFixture.run(connections: 1) { fixture in
        for tenant in ["acme", "globex"] {
            let parents = TenantTable.parents
            let parentsFirst = parents + TenantTable.allCases.filter { !parents.contains($0) }
            _ = try await fixture.pool.pipeline([setting(tenant)] + parentsFirst.map { $0.insertion(tenant: tenant) })
        }
        try await body(fixture.pool)
    }
}

private func setting(_ tenant: String) -> Statement { "SELECT set_config('sluice.tenant', \(tenant), true)" }

private func tenants(in table: TenantTable, seenBy tenant: String, _ pool: Pool) async throws -> [String] {
    let results = try await pool.pipeline([
        setting(tenant), "SELECT tenant FROM \(identifier: table.name) ORDER BY tenant",
    ])
    return try results[1].map { try $0["tenant", as: String.self] }
}
