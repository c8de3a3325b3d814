import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshStore
import Testing

@testable import MeshAPI

@Suite("A proxy's workload says goodbye")
struct GoodbyeTests {
    private static let proxy = Fixture.mesh + "/proxies/a"

    @Test("and no release waits for the proxy when its stream has ended; said again, that is so again")
    func goodbye() async throws {
        try await Self.withProxy { api, row in
            let answer = try await api.send("POST", Self.proxy + ":goodbye?namespace=shop", [:])
            #expect(answer.status == 200 && answer.body["name"] == "a")
            #expect(try await api.send("POST", Self.proxy + ":goodbye", [:]).status == 200)
            #expect(try await Self.awaited(api) == 1, "it has a stream")
            var end = row
            end.connected = false
            try await api.control.store.report([end])
            #expect(try await Self.awaited(api) == 0)
        }
    }

    @Test("is for those who may run proxies, and about proxies that there are")
    func refusals() async throws {
        try await Self.withProxy { api, _ in
            #expect(try await api.send("POST", Self.proxy + ":goodbye", ["why": 1]).status == 400)
            #expect(try await api.send("POST", Fixture.mesh + "/proxies/nobody:goodbye", [:]).status == 404)
            #expect(try await api.send("POST", Self.proxy + ":goodbye?namespace=other", [:]).status == 404)
            let key = try await api.send("POST", "/v1/tenants/acme/apiKeys", ["role": "viewer"])
            let token = try #require(key.body["token"]?.stringValue)
            let refusal = try await api.send("POST", Self.proxy + ":goodbye", [:], token: token)
            #expect(refusal.status == 403)
        }
    }

    private static func withProxy(_ body: (Fixture, ProxyRow) async throws -> Void) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("a")))
            let row = ProxyRow(
                mesh: mesh, name: name, replica: "r", connected: true, connectedAt: Timestamp(microseconds: 0),
                ackedRevision: 1, types: [:])
            try await api.control.store.heartbeat("r")
            try await api.control.store.report([row])
            try await body(api, row)
        }
    }

    /// How many proxies a release would wait for.
    private static func awaited(_ api: Fixture) async throws -> Int {
        let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
        let service = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("reviews")))
        return try await api.control.store.acks(
            of: mesh, at: 5, of: ReleaseFootprint(service: service, routes: [service])
        ).proxies.relevant
    }
}
