import Documents
import MeshControl
import MeshCore
import MeshStore
import Postgres
import TestSupport
import Testing

@testable import MeshAPI

@Suite("Event streams of proxies", .timeLimit(.minutes(2)))
struct ProxyWatchTests {
    private static let proxies = Fixture.mesh + "/proxies"

    private static func row(_ proxy: String, in namespace: String = "shop", refused: String? = nil) throws -> ProxyRow {
        ProxyRow(
            mesh: MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh),
            name: NamespacedName(namespace: try #require(Name(namespace)), name: try #require(Name(proxy))),
            replica: "r", connected: true, connectedAt: Timestamp(microseconds: 0), ackedRevision: 1,
            rejectedRevision: refused == nil ? nil : 4, rejectedMessage: refused, types: [:])
    }

    @Test("tell who is there, what they refuse, who leaves and who is forgotten, whichever server finds it out")
    func events() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let store = api.writer.control.store
            try await store.heartbeat("r")
            try await store.report([try Self.row("a"), try Self.row("b")])
            try await api.watch(Self.proxies) { events in
                let present = try await events.events(through: "synced")
                let listed = try await api.writer.get(Self.proxies).body["items"]?.arrayValue
                #expect(present.dropLast().map(\.data) == listed)

                try await store.report([try Self.row("a", refused: "no such cluster")])
                let refused = try #require(try await events.next())
                #expect(refused.name == "changed")
                #expect(refused.data == (try await api.writer.get(Self.proxies + "/a").body))
                #expect("\(refused.data)".contains("no such cluster"))

                try await store.retire("r")
                let left = try await events.take(2)
                #expect(left.map { $0.data["connected"] } == [false, false])
                #expect(left.map { $0.id == nil } == [true, false])

                _ = try await store.pool.pipeline([
                    "SELECT set_config('sluice.tenant', '*', true)",
                    "UPDATE proxy SET updated_at = now() - interval '1 day' WHERE name = 'b'",
                    // Nothing is forgotten before a replica was there for long enough to be found.
                    """
                    INSERT INTO replica (id, heartbeat_at, up_since)
                    VALUES ('old', now() + interval '1 hour', now() - interval '1 hour')
                    """,
                ])
                #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 1)
                let forgotten = try #require(try await events.next())
                #expect(forgotten.name == "deleted" && forgotten.data == ["name": "b", "namespace": "shop"])

                // Resumed from where it all was still to come.
                let id = try #require(present.last?.id)
                let missed = try await api.watch(Self.proxies, ["Last-Event-ID": "\(id)"]) {
                    try await $0.events(through: "synced")
                }
                #expect(missed.map(\.name) == ["changed", "deleted", "synced"])
            }
        }
    }

    @Test("are of one namespace if that is asked for, and have ids of their own")
    func namespace() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let store = api.writer.control.store
            try await store.heartbeat("r")
            try await api.watch(Self.proxies + "?namespace=bank") { events in
                let empty = try await events.events(through: "synced")
                #expect(empty.map(\.name) == ["synced"] && empty.first?.id == 0)
                try await store.report([try Self.row("a")])
                try await store.report([try Self.row("a", in: "bank")])
                let first = try #require(try await events.next())
                #expect(first.data["namespace"] == "bank" && first.id == 2)
            }
            let gone = try await api.server.get(
                Self.proxies, ["Accept": "text/event-stream", "Last-Event-ID": "1000"])
            #expect(gone.status == 410 && gone.code == "revisionGone")
        }
    }
}
