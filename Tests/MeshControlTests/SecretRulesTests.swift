import Documents
import Foundation
import MeshControl
import MeshCore
import MeshModel
import MeshStore
import Postgres
import StoreFixtures
import Testing

@Suite("Rules of Secrets")
struct SecretRulesTests {
    private static let plain = "correct-horse-battery-staple"

    private static func spec(_ data: JSONValue) -> JSONValue { ["type": "opaque", "data": data] }

    private static func mark(_ size: String, _ version: Int64) -> JSONValue {
        ["size": .string(size), "version": .integer(version)]
    }

    /// Everything in the database that has a text in it, in plain or in hexadecimal digits.
    private static func places(of text: String, _ fixture: ControlFixture) async throws -> [String] {
        let setting: Statement = "SELECT set_config('sluice.tenant', '*', true)"
        let tables = try await fixture.database.pool.query(
            "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        let digits = text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var found: [String] = []
        for table in try tables.map({ try $0["name", as: String.self] }) {
            let rows = try await fixture.database.pool.pipeline([
                setting,
                """
                SELECT 1 FROM \(identifier: SQLIdentifier(table)) t
                 WHERE strpos(t::text, \(text)) > 0 OR strpos(t::text, \(digits)) > 0
                """,
            ])
            if !rows[1].isEmpty { found.append(table) }
        }
        return found
    }

    @Test("A value is nowhere in the database and in no answer, however it is written")
    func nowhere() async throws {
        try await ControlFixture.runPrepared { fixture in
            let key = try ControlFixture.key("shop/secrets/db")
            // The search finds what is there.
            try await fixture.put(
                "shop/services/cart", ControlFixture.service(), metadata: ["labels": ["a": "needle-1"]])
            #expect(try await Self.places(of: "needle-1", fixture) == ["object"])

            var options = WriteOptions(requestId: "r")
            options.idempotency = IdempotentCall(key: "k", requestHash: Array(Self.plain.utf8))
            let draft: JSONValue = ["metadata": ["name": "db"], "spec": Self.spec(["password": .string(Self.plain)])]
            for _ in 0..<2 {
                let outcome = try await fixture.change(key, .create(draft), options) { written in
                    StoredAnswer(status: 201, headers: [:], body: Array("\(written.object.spec)".utf8))
                }
                #expect(!"\(outcome)".contains(Self.plain))
            }
            let patched = try await fixture.change(
                key, .patch(["spec": ["data": ["other": .string(Self.plain)]]]),
                WriteOptions(precondition: .present, requestId: "r")
            ).value()
            #expect(!"\(patched)".contains(Self.plain))
            let wrong = await #expect(throws: ControlError.self) {
                try await fixture.put(
                    "shop/secrets/wrong", ["type": .string("x"), "data": ["a b": .string(Self.plain)]])
            }
            #expect(!"\(String(describing: wrong))".contains(Self.plain))
            #expect(try await Self.places(of: Self.plain, fixture) == [])
            try await fixture.delete("shop/secrets/db")
            #expect(try await Self.places(of: Self.plain, fixture) == [])
        }
    }

    @Test("Marks keep what is stored; every write of a value is a new version and a new revision, also of an equal one")
    func marks() async throws {
        try await ControlFixture.runPrepared { fixture in
            let first = try await fixture.put(
                "shop/secrets/db", Self.spec(["a": "1", "b": .string(String(repeating: "x", count: 65))]))
            let data: JSONValue = ["a": Self.mark("upTo64B", 1), "b": Self.mark("upTo1KiB", 1)]
            #expect(first.object.spec == Self.spec(data))

            // What is answered can be sent back.
            let same = try await fixture.put("shop/secrets/db", first.object.spec)
            #expect(same.object.revision == first.object.revision)
            let again = try await fixture.put(
                "shop/secrets/db", Self.spec(["a": "1", "b": Self.mark("upTo64KiB", 99)]))
            #expect(again.object.spec == Self.spec(["a": Self.mark("upTo64B", 2), "b": Self.mark("upTo1KiB", 1)]))
            #expect(again.object.revision > first.object.revision && again.object.generation == 2)
            let less = try await fixture.put("shop/secrets/db", Self.spec(["b": Self.mark("upTo1KiB", 1)]))
            #expect(less.object.spec == Self.spec(["b": Self.mark("upTo1KiB", 1)]))
            // What was removed cannot be kept.
            #expect(
                try await refusal(of: {
                    try await fixture.put("shop/secrets/db", Self.spec(["a": Self.mark("upTo64B", 2)]))
                })
                    == "invalid: /spec/data/a required")
            #expect(
                try await fixture.store.sealedValues(
                    of: ControlFixture.key("shop/secrets/db"), ["data/a", "data/b"]
                ).map(\.value.field) == ["data/b"])
        }
    }

    @Test("What cannot be stored is refused with its pointer")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            let long = JSONValue.string(String(repeating: "x", count: 40_000))
            let rows: [(JSONValue, String)] = [
                ([:], "/spec/data required, /spec/type required"),
                (["type": "tls", "data": ["a": "1"]], "/spec/type unsupported"),
                (["type": "ca", "data": ["a": "1"]], "/spec/type unsupported"),
                (Self.spec([:]), "/spec/data required"), (Self.spec(["a": ""]), "/spec/data/a required"),
                (Self.spec(["a": 1]), "/spec/data/a wrongType"),
                (Self.spec(["a/b": "1"]), "/spec/data/a~1b invalidFormat"),
                (Self.spec(["a": Self.mark("upTo64B", 1)]), "/spec/data/a required"),
                (Self.spec(["a": long, "b": long]), "/spec/data tooLong"),
                (Self.spec(["a": .string(String(repeating: "x", count: 70_000))]), "/spec/data/a tooLong"),
                (
                    Self.spec(.object(Dictionary(uniqueKeysWithValues: (0...100).map { ("k\($0)", "1") }))),
                    "/spec/data tooMany"
                ),
            ]
            for (spec, reason) in rows {
                let refusal = try await refusal(of: { try await fixture.put("shop/secrets/x", spec) })
                #expect(
                    Set(refusal.dropFirst(9).components(separatedBy: ", ")) == Set(reason.components(separatedBy: ", "))
                )
            }
            try await fixture.put("shop/secrets/x", Self.spec(["a": long]))
            // What is kept counts.
            #expect(
                try await refusal(of: {
                    try await fixture.put("shop/secrets/x", Self.spec(["a": Self.mark("upTo64KiB", 1), "b": long]))
                }) == "invalid: /spec/data tooLong")
        }
    }

    @Test("A server without a key-encryption key stores no value, and everything else of a Secret")
    func withoutKey() async throws {
        try await ControlFixture.runPrepared { fixture in
            let without = ControlFixture(fixture.database, sealing: nil)
            let spec = Self.spec(["a": "1"])
            #expect(
                try await refusal(of: { try await without.put("shop/secrets/db", spec) }) == "no key-encryption key")
            let stored = try await fixture.put("shop/secrets/db", spec).object.spec
            try await without.put("shop/secrets/db", stored, metadata: ["labels": ["a": "b"]])
            let other = ControlFixture(fixture.database, sealing: ControlFixture.keys("k2"))
            #expect(try await refusal(of: { try await other.put("shop/secrets/db", spec) }) == "no key-encryption key")
            try await without.delete("shop/secrets/db")
        }
    }

    @Test("A tenant has so many Secrets and no more")
    func quota() async throws {
        try await ControlFixture.runPrepared { fixture in
            // Made by hand: five hundred writes take their time.
            _ = try await fixture.database.pool.pipeline([
                "SELECT set_config('sluice.tenant', '*', true)",
                """
                INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec)
                SELECT 'acme', 'Secret', 'default', 'other', '', 's' || i, 1, '{"type": "opaque"}'
                  FROM generate_series(1, \(Limits.secretsPerTenant.value - 1)) i
                """,
            ])
            try await fixture.put("shop/secrets/a", Self.spec(["a": "1"]))
            #expect(
                try await refusal(of: { try await fixture.put("shop/secrets/b", Self.spec(["a": "1"])) })
                    == "invalid:  tooMany")
            try await fixture.put("shop/secrets/a", Self.spec(["a": "2"]))
        }
    }
}
