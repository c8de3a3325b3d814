import Documents
import Foundation
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("Freeze windows")
struct FreezeWindowTests {
    private static func freezes(_ fixture: ControlFixture, _ service: String = "reviews") async throws -> [Freeze] {
        let row = try #require(try await fixture.store.release(ControlFixture.key("shop/releases/r")))
        return try await fixture.control.observe(StoredRelease(row)).observations.freezes
    }

    /// `namespace/name: blocks`, with a star for those that have an end.
    private static func lines(_ freezes: [Freeze]) -> [String] {
        freezes.map { freeze in
            "\(freeze.name)\(freeze.until == nil ? "" : "*"): "
                + freeze.blocks.map(\.rawValue).sorted().joined(separator: " ")
        }
    }

    private static func status(_ fixture: ControlFixture, _ place: String) async throws -> JSONValue {
        try await fixture.control.fetchWithRefusal(ControlFixture.key(place), by: ControlFixture.admin).object.status
    }

    private static func time(_ offset: Duration) -> JSONValue {
        .string(Timestamp.now(offset: offset).text)
    }

    @Test("are in force from their start to their end, for the services that they name, and until they are deleted")
    func inForce() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            #expect(try await Self.freezes(fixture) == [])
            let rows: [(name: String, spec: JSONValue)] = [
                ("stop", ["reason": "incident"]),
                ("once", ["reason": "sale", "start": Self.time(.seconds(-60)), "end": Self.time(.seconds(3600))]),
                ("over", ["reason": "sale", "start": Self.time(.seconds(-60)), "end": Self.time(.seconds(-30))]),
                ("later", ["reason": "sale", "start": Self.time(.seconds(3600))]),
                ("mine", ["reason": "x", "services": ["reviews", "other"], "blocks": ["promote", "start"]]),
                ("theirs", ["reason": "x", "services": ["other"]]),
            ]
            for row in rows { try await fixture.put("shop/freezeWindows/\(row.name)", row.spec) }
            try await fixture.put("cart/freezeWindows/elsewhere", ["reason": "x"])
            #expect(
                Self.lines(try await Self.freezes(fixture)) == [
                    "shop/mine: promote start", "shop/stop: advance promote start", "shop/once*: advance promote start",
                ])
            let until = try #require(try await Self.freezes(fixture).last?.until)
            let shown = try await Self.status(fixture, "shop/freezeWindows/once")
            #expect(shown["active"] == true && shown["occurrence"]?["until"] == .string(until.text))
            let stop = try await Self.status(fixture, "shop/freezeWindows/stop")
            #expect(stop["active"] == true && stop["occurrence"]?["until"] == .null, "\(stop)")
            #expect(try await Self.status(fixture, "shop/freezeWindows/later")["active"] == false)
            #expect(
                try await Self.status(fixture, "shop/freezeWindows/over") == ["active": false, "occurrence": .null])

            try await fixture.put("shop/freezeWindows/stop", ["reason": "incident", "end": Self.time(.seconds(-1))])
            for name in ["once", "mine"] { try await fixture.delete("shop/freezeWindows/\(name)") }
            #expect(try await Self.freezes(fixture) == [])
            let listed = try await fixture.control.list(
                .freezeWindow, in: ObjectScope(ControlFixture.mesh, namespace: .known("shop")), ListOptions(),
                by: ControlFixture.admin)
            #expect(
                listed.items.map { "\($0.key.name) \($0.status["active"] ?? .null)" }.sorted()
                    == ["later bool(false)", "over bool(false)", "stop bool(false)", "theirs bool(true)"])
        }
    }

    @Test("of the mesh's root namespace hold for all namespaces, unless they name services")
    func root() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.put("istio-system/freezeWindows/all", ["reason": "x"])
            try await fixture.put("istio-system/freezeWindows/some", ["reason": "x", "services": ["reviews"]])
            try await fixture.put("base/freezeWindows/base", ["reason": "x"])
            #expect(Self.lines(try await Self.freezes(fixture)) == ["istio-system/all: advance promote start"])
            try await fixture.put("meshes/default", ["rootNamespace": "base"])
            #expect(Self.lines(try await Self.freezes(fixture)) == ["base/base: advance promote start"])
        }
    }

    @Test("that come again and again are in force when their time has come, and when nobody knows whether it has")
    func recurring() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            let always: JSONValue = [
                "reason": "x", "cron": "* * * * *", "duration": "2m", "timeZone": "Asia/Shanghai",
            ]
            let written = try await fixture.put("shop/freezeWindows/always", always)
            #expect(written.object.status["active"] == true, "\(written.object.status)")
            #expect(Self.lines(try await Self.freezes(fixture)) == ["shop/always*: advance promote start"])
            // All that was stored is over, and nobody has stored more.
            try await fixture.execute(
                """
                DELETE FROM freeze_occurrence;
                UPDATE freeze_schedule SET known_until = now() - interval '1 min', extend_at = now() - interval '1 h'
                """)
            let unknown = try await Self.freezes(fixture)
            #expect(Self.lines(unknown) == ["shop/always*: advance promote start"])
            try await FreezeKeeper(store: fixture.store, logger: quietLogger).extend()
            #expect(Self.lines(try await Self.freezes(fixture)) == ["shop/always*: advance promote start"])
            let rows = try await fixture.count("freeze_occurrence")
            #expect(rows > Limits.freezeOccurrences.value - 5 && rows <= Limits.freezeOccurrences.value)
            #expect(try await fixture.store.claimFreezeWindows(limit: 5, lease: .seconds(30)).isEmpty)

            // In half a year, whatever the time is now.
            let month = Timestamp.date(
                days: (Timestamp.now(offset: .seconds(182 * 86_400)).microseconds) / 86_400_000_000
            ).month
            try await fixture.put(
                "shop/freezeWindows/always",
                always.merged(with: ["cron": .string("0 0 1 \(month) *"), "duration": "1h"]))
            let shown = try await Self.status(fixture, "shop/freezeWindows/always")
            #expect(shown["active"] == false && shown["occurrence"]?["from"]?.stringValue != nil, "\(shown)")
            #expect(try await Self.freezes(fixture) == [])
        }
    }

    @Test("keep the times that are known when more are stored, and a window that was written meanwhile")
    func extending() async throws {
        try await ControlFixture.runPrepared { fixture in
            let hourly: JSONValue = ["reason": "x", "cron": "0 * * * *", "duration": "1m", "timeZone": "UTC"]
            try await fixture.put("shop/freezeWindows/w", hourly)
            let before = try await fixture.count("freeze_occurrence")
            // A computed time that today's rules would not give: it stays.
            try await fixture.execute(
                """
                UPDATE freeze_occurrence SET starts_at = starts_at + interval '7 s', ends_at = ends_at + interval '7 s'
                 WHERE starts_at = (SELECT max(starts_at) FROM freeze_occurrence);
                UPDATE freeze_schedule SET extend_at = now()
                """)
            let keeper = FreezeKeeper(store: fixture.store, logger: quietLogger)
            let claimed = try await fixture.store.claimFreezeWindows(limit: 5, lease: .zero)
            #expect(claimed.count == 1)
            try await keeper.extend()
            let odd = try await fixture.store.pool.count(
                "SELECT 1 FROM freeze_occurrence WHERE extract(second FROM starts_at) = 7")
            let after = try await fixture.count("freeze_occurrence")
            #expect(odd == 1 && abs(after - before) <= 1)
            // The other one had lost its claim, and this one loses it to a write.
            try await fixture.execute("UPDATE freeze_schedule SET extend_at = now()")
            let second = try #require(try await fixture.store.claimFreezeWindows(limit: 5, lease: .zero).first)
            try await fixture.put("shop/freezeWindows/w", hourly.merged(with: ["cron": "30 12 1 1 *"]))
            let count = try await fixture.count("freeze_occurrence")
            try await fixture.store.extend(
                second, with: CronExpression("* * * * *").times(at: second.now, lasting: .seconds(60)))
            #expect(try await fixture.count("freeze_occurrence") == count)
            try await fixture.delete("shop/freezeWindows/w")
            #expect(try await fixture.count("freeze_occurrence") == 0)
            #expect(try await fixture.count("freeze_schedule") == 0)
        }
    }

    @Test("have the releases looked at that they are about, and no others")
    func waking() async throws {
        try await ControlFixture.runPrepared { fixture in
            func isWoken(by body: () async throws -> Void) async throws -> Bool {
                try await fixture.execute(
                    "UPDATE release SET active = true, next_wakeup_at = now() + interval '1 h'")
                try await body()
                return try await fixture.store.timeUntilReleaseDue(atMost: .seconds(9)) < .seconds(9)
            }
            try await fixture.put("shop/releases/r", ControlFixture.release())
            let stop: JSONValue = ["reason": "x"]
            #expect(try await isWoken { try await fixture.put("shop/freezeWindows/w", stop) })
            #expect(try await isWoken { try await fixture.delete("shop/freezeWindows/w") })
            #expect(try await isWoken { try await fixture.put("istio-system/freezeWindows/w", stop) })
            #expect(try await !isWoken { try await fixture.put("cart/freezeWindows/w", stop) })
            #expect(try await isWoken { try await fixture.put("meshes/default", ["rootNamespace": "cart"]) })
            #expect(
                try await !isWoken {
                    try await fixture.put("meshes/default", ["rootNamespace": "cart", "displayName": "x"])
                })
        }
    }

    @Test("are refused with a time zone that is none, and beyond the limit; services that are not there are told of")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            for zone in ["Mars/Olympus", "EST+3", "localtime", "posix/UTC", "asia/shanghai", ""] {
                let spec: JSONValue = [
                    "reason": "x", "cron": "0 0 * * *", "duration": "1h", "timeZone": .string(zone),
                ]
                #expect(
                    try await refusal { try await fixture.put("shop/freezeWindows/w", spec) }
                        == "invalid: /spec/timeZone unknownReference", "\(zone)")
            }
            let written = try await fixture.put(
                "shop/freezeWindows/w0", ["reason": "x", "services": ["reviews", "nope"]])
            #expect(written.warned == ["/spec/services/1 unknownReference"])
            try await fixture.execute(
                """
                INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec)
                SELECT 'acme', 'FreezeWindow', 'default', 'shop', '', 'w' || n, 1, '{"reason": "x"}' FROM generate_series(1, 99) n
                """)
            #expect(
                try await refusal { try await fixture.put("shop/freezeWindows/one", ["reason": "x"]) }
                    == "invalid:  tooMany")
            #expect(
                try await refusal { try await fixture.put("shop/freezeWindows/w0", ["reason": "y"]) } == "accepted")
            let developer = Caller.of(.releaser)
            #expect(
                try await refusal { try await fixture.put("shop/freezeWindows/w0", ["reason": "z"], by: developer) }
                    == "forbidden: freezeWindows.write")
        }
    }

    @Test("that are only tried have no times")
    func trial() async throws {
        try await ControlFixture.runPrepared { fixture in
            let written = try await fixture.put("shop/freezeWindows/w", ["reason": "x"], validateOnly: true)
            #expect(written.object.status["active"] == true)
            #expect(try await fixture.count("freeze_occurrence") == 0)
        }
    }
}

extension Timestamp {
    /// Of this machine, which is the database's too.
    fileprivate static func now(offset: Duration) -> Timestamp {
        Timestamp(microseconds: Int64(Date.now.timeIntervalSince1970 * 1e6)) + offset
    }
}

extension ControlFixture {
    fileprivate func count(_ table: String) async throws -> Int {
        try await store.pool.count("SELECT 1 FROM \(table)")
    }
}

extension Pool {
    fileprivate func count(_ statement: String) async throws -> Int {
        let results = try await pipeline([
            "SELECT set_config('sluice.tenant', '*', true)", Statement(stringLiteral: statement),
        ])
        return results[1].count
    }
}
