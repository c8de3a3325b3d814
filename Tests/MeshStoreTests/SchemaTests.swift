import TestSupport
import StoreFixtures
import Testing

@Suite("The schema that all migrations together make")
struct SchemaTests {
    @Test("has these columns with these types")
    func columns() async throws {
        try await withCatalog { try expect(await $0.columns(), ExpectedSchema.columns) }
    }

    @Test("has these keys and checks")
    func constraints() async throws {
        try await withCatalog { try expect(await $0.constraints(), ExpectedSchema.constraints) }
    }

    @Test("has these further indexes")
    func indexes() async throws {
        try await withCatalog { try expect(await $0.indexes(), ExpectedSchema.indexes) }
    }

    @Test("protects every table that has a tenant, for the owner too, by one policy for all commands")
    func rowLevelSecurity() async throws {
        try await withCatalog { catalog in
            let tables = try await catalog.tenantTables()
            #expect(tables == TenantTable.allCases.map(\.rawValue).sorted())
            #expect(try await catalog.protectedTables() == tables)
        }
    }

    @Test("has no table without a tenant but those of the replicas themselves")
    func otherTables() async throws {
        try await withCatalog { catalog in
            let tables = Set(try await catalog.columns().compactMap { $0.split(separator: ".").first.map(String.init) })
            #expect(
                tables.subtracting(TenantTable.allCases.map(\.rawValue)) == [
                    "replica", "schema_addition", "schema_migration", "signing_key", "traffic_rollup",
                ])
        }
    }

    @Test("has the tenant first in every unique key, so that no tenant can be in another one's way")
    func keys() async throws {
        try await withCatalog { catalog in
            let tables = Set(TenantTable.allCases.map(\.rawValue))
            let keys = try await catalog.uniqueKeys().filter { key in tables.contains { key.hasPrefix("\($0): ") } }
            let others = keys.filter { !$0.contains(": tenant,") && !$0.hasSuffix(": tenant") }
            // A caller is looked up by the secret before the tenant is known; equal secrets do not happen by accident.
            #expect(others == ["api_key: secret_hash"])
            #expect(keys.count == 32)
        }
    }

    private func withCatalog(_ body: (Catalog) async throws -> Void) async throws {
        try await StoreFixture.run { try await body(Catalog(pool: $0.pool)) }
    }

    /// Says which lines differ, rather than that two long texts do.
    private func expect(_ lines: [String], _ expected: String, at location: SourceLocation = #_sourceLocation) throws {
        let expected = expected.split(separator: "\n").map(String.init)
        #expect(Set(lines).subtracting(expected) == [], "not expected", sourceLocation: location)
        #expect(Set(expected).subtracting(lines) == [], "missing", sourceLocation: location)
        #expect(lines == expected, "in this order", sourceLocation: location)
    }
}
