import Documents
import Egress
import Foundation
import GrayRelease
import HTTPFixtures
import MeshControl
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import Postgres
import StoreFixtures
import TestSupport
import Testing

/// Channels that real servers are behind, and the outbox between them and releases.
@Suite("Notifications", .timeLimit(.minutes(5)))
struct NotificationTests {
    private static let lease = Duration.seconds(60)

    private static func channel(_ name: String, _ type: String = "json", _ more: [String: JSONValue] = [:]) -> JSONValue
    {
        let spec: [String: JSONValue] = [
            "type": .string(type), "urlFrom": ["secretRef": ["name": .string(name), "key": "url"]],
        ]
        return .object(spec.merging(more) { $1 })
    }

    /// Runs `body` with a fixture whose channels may be on loopback.
    private static func run(_ body: (ControlFixture) async throws -> Void) async throws {
        let policy = EgressPolicy(allowed: ["127.0.0.0/8"].compactMap { CIDR($0) })
        let client = try EgressClient(policy: policy, connectTimeout: .seconds(20))
        let result: Result<Void, any Error>
        do {
            try await StoreFixture.run(connections: 4) { database in
                let fixture = ControlFixture(database, egress: client)
                try await fixture.prepare()
                try await body(fixture)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        try result.get()
    }

    /// Makes a channel to a server.
    private static func make(
        _ name: String, to url: String, _ fixture: ControlFixture, _ spec: JSONValue? = nil
    ) async throws {
        try await fixture.put(
            "shop/secrets/\(name)", ["type": "opaque", "data": ["url": .string(url), "sign": "s3cret"]])
        try await fixture.put("shop/notificationChannels/\(name)", spec ?? channel(name))
    }

    /// Creates and starts a release that tells channels.
    private static func start(
        _ fixture: ControlFixture, _ notifications: [JSONValue], _ place: String = "shop/releases/r"
    ) async throws {
        try await fixture.put(place, ControlFixture.release(["notifications": .array(notifications)]))
        try await fixture.act(.start, on: place)
    }

    private static func claim(
        _ fixture: ControlFixture, _ name: String = "ops", lease: Duration = lease
    ) async throws -> ClaimedChannel? {
        try await fixture.control.claimChannels(limit: 10, lease: lease).first { $0.key.name.text == name }
    }

    /// Delivers until there is nothing left that can be delivered now.
    private static func drain(_ fixture: ControlFixture) async throws {
        while true {
            let claims = try await fixture.control.claimChannels(limit: 10, lease: lease)
            if claims.isEmpty { return }
            for claim in claims { #expect(try await fixture.control.deliver(claim)) }
        }
    }

    private static func sql(_ fixture: ControlFixture, _ statement: Statement) async throws -> Rows {
        try await fixture.database.pool.pipeline(["SELECT set_config('sluice.tenant', '*', true)", statement])[1]
    }

    private static func events(_ fixture: ControlFixture) async throws -> [ReleaseEventRow] {
        try await fixture.store.releaseEvents(ControlFixture.key("shop/releases/r"), after: 0, limit: 100)
    }

    private static func header(_ name: String, _ request: String) -> String? {
        request.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    private static func body(_ request: String) throws -> JSONValue {
        let end = try #require(request.firstRange(of: "\r\n\r\n"))
        return try JSONValue(json: Data(request[end.upperBound...].utf8))
    }

    @Test("A release tells a channel what happens, signed, in order, each once")
    func told() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                let spec = Self.channel("ops", "json", ["signFrom": ["secretRef": ["name": "ops", "key": "sign"]]])
                try await Self.make("ops", to: server.url + "/hook", fixture, spec)
                try await Self.start(fixture, [["channel": "ops"]])
                try await fixture.act(.abort)
                let events = try await Self.events(fixture)
                try await Self.drain(fixture)
                let bodies = try server.requests.map(Self.body)
                #expect(bodies.map { $0["data"]?["event"]?.stringValue } == events.map(\.type))
                #expect(bodies.count >= 2 && bodies.first?["type"] == "release.event")
                #expect(bodies.first?["data"]?["release"] == "r" && bodies.first?["data"]?["service"] == "reviews")
                let ids = server.requests.compactMap { Self.header("webhook-id", $0) }
                #expect(Set(ids).count == bodies.count)
                for request in server.requests {
                    let end = try #require(request.firstRange(of: "\r\n\r\n"))
                    let (id, time) = (Self.header("webhook-id", request), Self.header("webhook-timestamp", request))
                    let call = WebhookCall(
                        url: server.url, body: Array(request[end.upperBound...].utf8), id: try #require(id),
                        secret: WebhookSecret("s3cret"))
                    #expect(
                        Self.header("webhook-signature", request)
                            == call.signature(at: try #require(time.flatMap { Int64($0) })))
                    #expect(Self.header("idempotency-key", request) == id)
                }
                // Once.
                try await Self.drain(fixture)
                #expect(server.requests.count == bodies.count)
            }
        }
    }

    @Test("Whoever is killed between sending and writing that it was sent sends the same again, and nothing is lost")
    func killed() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url, fixture)
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                // A claim that has ended before the deliverer says what came of it: as if it had been killed.
                let first = try #require(try await Self.claim(fixture, lease: .zero))
                let second = try #require(try await Self.claim(fixture))
                #expect(try await fixture.control.deliver(first) == false)
                #expect(server.requests.count == 1)
                #expect(try await fixture.control.deliver(second))
                #expect(server.requests.count == 2)
                #expect(Set(server.requests.compactMap { Self.header("webhook-id", $0) }).count == 1)
                #expect(try Self.body(server.requests[0]) == Self.body(server.requests[1]))
                try await Self.drain(fixture)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test("A step tells its channels what it says, whatever they ask for otherwise")
    func step() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url, fixture, Self.channel("ops", "json", ["events": ["Failed"]]))
                func release(_ channel: String) -> JSONValue {
                    let steps: JSONValue = [
                        ["notify": ["channels": [.string(channel)], "message": "look at it"]], ["setWeight": 10_000],
                    ]
                    return ControlFixture.release(["strategy": ["type": "canary", "steps": steps]])
                }
                #expect(
                    try await refusal(of: { try await fixture.put("shop/releases/r", release("none")) })
                        == "invalid: /spec/strategy/steps/0/notify/channels/0 unknownReference")
                try await fixture.put("shop/releases/r", release("ops"))
                try await fixture.act(.start)
                try await fixture.drive { $0.currentStep?.index == 1 }
                try await Self.drain(fixture)
                let bodies = try server.requests.map(Self.body)
                #expect(bodies.map { $0["data"]?["event"] } == ["Notified"])
                #expect(bodies.first?["data"]?["message"] == "look at it")
            }
        }
    }

    @Test("Events that neither the release nor the channel asks for are not sent")
    func filters() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                try await Self.make(
                    "ops", to: server.url, fixture, Self.channel("ops", "json", ["minSeverity": "warning"]))
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"], "minSeverity": "warning"]])
                try await fixture.act(.abort)
                try await Self.drain(fixture)
                let severities = Set(try server.requests.map(Self.body).map { $0["data"]?["severity"]?.stringValue })
                #expect(severities == ["warning"])
                #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").isEmpty)
            }
        }
    }

    @Test(
        "Of many messages at once twenty are sent in a minute, the last one with all the rest, and again as the same one"
    )
    func digest() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url, fixture)
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                _ = try await Self.sql(
                    fixture,
                    """
                    INSERT INTO outbox (tenant, mesh, namespace, channel, release, dedupe_key, document)
                    SELECT tenant, mesh, namespace, channel, release, dedupe_key || '/' || i, document
                      FROM outbox, generate_series(1, 99) i
                    """)
                for _ in 0..<19 {
                    let claim = try #require(try await Self.claim(fixture))
                    #expect(try await fixture.control.deliver(claim))
                }
                // The digest, by one that is killed and by another.
                let first = try #require(try await Self.claim(fixture, lease: .zero))
                let second = try #require(try await Self.claim(fixture))
                let late = try await fixture.control.deliver(first)
                #expect(!late)
                #expect(try await fixture.control.deliver(second))
                try await Self.drain(fixture)
                let bodies = try server.requests.map(Self.body)
                #expect(bodies.dropLast().allSatisfy { $0["type"] == "release.event" } && bodies.count == 20)
                #expect(bodies.last?["type"] == "release.digest" && bodies.last?["data"]?["count"] == 81)
                #expect(bodies.last?["data"]?["events"]?.arrayValue?.count == Limits.eventsPerDigest.value)
                #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").isEmpty)
            }
        }
    }

    @Test(
        "A message that is not taken is sent again later, for a day; then the release has an event, and the channel goes on"
    )
    func failing() async throws {
        try await ScriptedServer.run(.status("500 Internal Server Error", "no hunter2")) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url + "/hunter2", fixture)
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                try await Self.drain(fixture)
                #expect(server.requests.count == 1)
                let waiting = try await Self.sql(
                    fixture, "SELECT attempts, next_at > now() + interval '3 seconds' AS waits FROM outbox_channel")
                #expect(try waiting.first?["attempts", as: Int32.self] == 1)
                #expect(try waiting.first?["waits", as: Bool.self] == true)

                _ = try await Self.sql(fixture, "UPDATE outbox SET at = now() - interval '25 hours'")
                _ = try await Self.sql(fixture, "UPDATE outbox_channel SET next_at = now()")
                try await Self.drain(fixture)
                #expect(server.requests.count == 2)
                #expect(Set(server.requests.compactMap { Self.header("webhook-id", $0) }).count == 1)
                let events = try await Self.events(fixture)
                let failed = try #require(events.last)
                #expect(failed.type == "NotificationFailed")
                let message = failed.payload["message"]?.stringValue ?? ""
                #expect(message.hasPrefix("channel ops was not told for 24h: the answer is 500"), "\(message)")
                #expect(failed.payload["phase"] == events.dropLast().last?.payload["phase"])
                #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").isEmpty)
            }
        }
    }

    @Test("A channel that hangs delays no other one, and no release")
    func hanging() async throws {
        try await ScriptedServer.run(.hold("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) { slow in
            try await ScriptedServer.run(.ok("")) { quick in
                try await Self.run { fixture in
                    try await Self.make("slow", to: slow.url, fixture)
                    try await Self.make("quick", to: quick.url, fixture)
                    try await Self.start(fixture, [["channel": "slow"], ["channel": "quick"]])
                    let claim = try #require(
                        try await fixture.control.claimChannels(limit: 10, lease: Self.lease)
                            .first { $0.key.name.text == "slow" })
                    async let delivery = fixture.control.deliver(claim)
                    try await until("the channel has the message") { slow.held == 1 }
                    _ = try await Self.sql(
                        fixture, "UPDATE outbox_channel SET lease_until = NULL WHERE channel = 'quick'")
                    let before = quick.requests.count
                    try await fixture.act(.abort)
                    try await Self.drain(fixture)
                    #expect(quick.requests.count > before && slow.held == 1)
                    slow.release()
                    #expect(try await delivery)
                }
            }
        }
    }

    @Test("A channel that is gone fails its messages; one whose Secret cannot be opened waits")
    func gone() async throws {
        try await Self.run { fixture in
            try await Self.make("ops", to: "http://127.0.0.1:1", fixture)
            try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
            let blind = ControlFixture(fixture.database, sealing: nil, egress: nil)
            let claim = try #require(try await Self.claim(blind))
            #expect(try await blind.control.deliver(claim))
            #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").count == 1)
            #expect(
                try await refusal(of: { try await fixture.delete("shop/notificationChannels/ops") })
                    == "conflict: inUse")

            _ = try await Self.sql(fixture, "DELETE FROM object WHERE kind = 'NotificationChannel'")
            _ = try await Self.sql(fixture, "UPDATE outbox_channel SET next_at = now()")
            try await Self.drain(fixture)
            let failure = try await Self.sql(fixture, "SELECT failure FROM outbox")
            #expect(try failure.first?["failure", as: String.self] == "there is no channel ops any more")
        }
    }

    @Test("Chats are told in their forms, and their answers count")
    func chats() async throws {
        for (type, answer) in [
            ("slack", "ok"), ("feishu", #"{"code":0}"#), ("dingtalk", #"{"errcode":0,"errmsg":"ok"}"#),
        ] {
            try await ScriptedServer.run(.ok(answer)) { server in
                try await Self.run { fixture in
                    try await Self.make("ops", to: server.url + "/h?t=1", fixture, Self.channel("ops", type))
                    try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                    try await Self.drain(fixture)
                    let request = try #require(server.requests.first)
                    #expect(request.hasPrefix("POST /h?t=1 HTTP/1.1") && request.contains("Started: release shop/r"))
                    #expect(
                        try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").isEmpty, "\(type)")
                }
            }
        }
        try await ScriptedServer.run(.ok(#"{"errcode":310000,"errmsg":"keywords not in content"}"#)) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url, fixture, Self.channel("ops", "dingtalk"))
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                try await Self.drain(fixture)
                #expect(server.requests.count == 1)
                #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox WHERE done_at IS NULL").count == 1)
            }
        }
    }

    @Test("What is done is forgotten after a week")
    func forgotten() async throws {
        try await ScriptedServer.run(.ok("")) { server in
            try await Self.run { fixture in
                try await Self.make("ops", to: server.url, fixture)
                try await Self.start(fixture, [["channel": "ops", "events": ["Started"]]])
                try await Self.drain(fixture)
                try await fixture.control.forgetMessages()
                #expect(try await Self.sql(fixture, "SELECT 1 FROM outbox").count == 1)
                _ = try await Self.sql(fixture, "UPDATE outbox SET done_at = now() - interval '8 days'")
                try await fixture.control.forgetMessages()
                #expect(
                    try await Self.sql(fixture, "SELECT 1 FROM outbox UNION ALL SELECT 1 FROM outbox_channel").isEmpty)
            }
        }
    }

    @Test("Channels and what releases say of them are checked, also while a release runs")
    func rules() async throws {
        try await Self.run { fixture in
            try await Self.make("ops", to: "https://example.com", fixture)
            let ref: JSONValue = ["secretRef": ["name": "ops", "key": "url"]]
            let rows: [(JSONValue, String)] = [
                (["type": "slack", "urlFrom": ref, "signFrom": ref], "/spec/signFrom unsupported"),
                (["type": "mail", "urlFrom": ref], "/spec/type invalidValue"),
                (["type": "json"], "/spec/urlFrom required"),
                (
                    ["type": "json", "urlFrom": ["secretRef": ["name": "ops", "key": "no"]]],
                    "/spec/urlFrom/secretRef/key unknownReference"
                ),
                (["type": "json", "urlFrom": ref, "events": ["Nothing"]], "/spec/events/0 invalidValue"),
                (["type": "json", "urlFrom": ref, "minSeverity": "loud"], "/spec/minSeverity invalidValue"),
            ]
            for (spec, reason) in rows {
                #expect(
                    try await refusal(of: { try await fixture.put("shop/notificationChannels/x", spec) })
                        == "invalid: \(reason)")
            }
            #expect(
                try await refusal(of: { try await fixture.delete("shop/secrets/ops") }) == "conflict: inUse shop/ops")
            let unknown = ControlFixture.release(["notifications": [["channel": "none"]]])
            #expect(
                try await refusal(of: { try await fixture.put("shop/releases/r", unknown) })
                    == "invalid: /spec/notifications/0/channel unknownReference")
            let twice = ControlFixture.release(["notifications": [["channel": "ops"], ["channel": "ops"]]])
            #expect(
                try await refusal(of: { try await fixture.put("shop/releases/r", twice) })
                    == "invalid: /spec/notifications/1/channel duplicate")
            try await Self.start(fixture, [["channel": "ops"]])
            try await fixture.put("shop/releases/r", ControlFixture.release(["notifications": []]))
            try await fixture.delete("shop/notificationChannels/ops")
        }
    }
}
