import Documents
import MeshControl
import MeshCore
import MeshIdentity
import MeshStore
import Postgres
import StoreFixtures
import Testing

@Suite("Keys that secrets are sealed by")
struct KeyKeeperTests {
    private static func keeper(_ fixture: ControlFixture, _ keys: KeyEncryptionKeys?) throws -> KeyKeeper {
        KeyKeeper(store: fixture.store, keys: try #require(keys))
    }

    private static func prepare(_ fixture: ControlFixture) async throws {
        for name in ["a", "b"] {
            try await fixture.put("shop/secrets/\(name)", ["type": "opaque", "data": ["x": "1", "y": "2"]])
        }
    }

    @Test("Another key than that of the database is noticed at the start")
    func wrongKey() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.keeper(fixture, ControlFixture.keys("k2")).check()
            try await Self.prepare(fixture)
            try await Self.keeper(fixture, ControlFixture.keys("k2", "k1")).check()
            for keys in [
                ControlFixture.keys("k2"),
                try? KeyEncryptionKeys(Secret("k1:" + String(repeating: "B", count: 43) + "=")),
            ] {
                await #expect(throws: KeyKeeper.WrongKeys.self) { try await Self.keeper(fixture, keys).check() }
            }
        }
    }

    @Test(
        "The key-encryption key is changed without sealing anything anew, and then the old one is not needed any more")
    func rewrap() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.prepare(fixture)
            let both = try Self.keeper(fixture, ControlFixture.keys("k2", "k1"))
            let counts = [try await both.rewrap(), try await both.rewrap()]
            #expect(counts == [1, 0])
            let findings = try await Self.keeper(fixture, ControlFixture.keys("k2")).verify()
            #expect(findings.dataKeys == 1 && findings.values == 4 && findings.failures == [])
            #expect(try await Self.keeper(fixture, ControlFixture.keys("k1")).verify().failures.count == 1)
        }
    }

    @Test("A tenant's key is changed with everything that it has sealed, and is gone")
    func rotate() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.prepare(fixture)
            let keeper = try Self.keeper(fixture, ControlFixture.keys("k1"))
            let old = try await fixture.store.dataKeys(after: nil, limit: 10)
            #expect(try await keeper.rotateDataKeys() == 4)
            let new = try await fixture.store.dataKeys(after: nil, limit: 10)
            #expect(new.count == 1 && new.map(\.id) != old.map(\.id) && new.allSatisfy(\.isCurrent))
            let findings = try await keeper.verify()
            #expect(findings.values == 4 && findings.failures == [])
            // It goes on from there.
            try await Self.prepare(fixture)
            #expect(try await keeper.verify().failures == [])
        }
    }

    @Test("A row that was copied over another one, or another tenant's, does not open")
    func copied() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.prepare(fixture)
            let setting: Statement = "SELECT set_config('sluice.tenant', '*', true)"
            _ = try await fixture.database.pool.pipeline([
                setting,
                """
                UPDATE sealed_value v SET sealed = o.sealed FROM sealed_value o
                 WHERE v.name = 'a' AND v.field = 'data/x' AND o.name = 'b' AND o.field = 'data/x'
                """,
            ])
            let keeper = try Self.keeper(fixture, ControlFixture.keys("k1"))
            let failures = try await keeper.verify().failures
            #expect(failures.count == 1 && failures.first?.hasPrefix("data/x of Secret shop/a of tenant acme") == true)
            await #expect(throws: KeyKeeper.WrongKeys.self) { try await keeper.rotateDataKeys() }
        }
    }

    @Test("A tenant's key goes with the tenant")
    func tenant() async throws {
        try await ControlFixture.run { fixture in
            try await fixture.put("tenants/acme", [:])
            try await Self.prepare(fixture)
            for name in ["a", "b"] { try await fixture.delete("shop/secrets/\(name)") }
            #expect(try await fixture.store.dataKeys(after: nil, limit: 10).count == 1)
            try await fixture.delete("tenants/acme")
            #expect(try await fixture.store.dataKeys(after: nil, limit: 10).isEmpty)
        }
    }
}
