import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import Testing

@Suite("What proxies have against an object")
struct RefusalTests {
    private static let reviews = ObjectKey.namespaced(
        .virtualService, NamespacedName(namespace: .shop, name: name("reviews")), in: .acme)

    private static func rejection(_ object: String, _ message: String, since: Int64 = 1_000_000) -> ProxyRejection {
        ProxyRejection(
            resource: "http_proxy",
            object: .init(kind: "VirtualService", name: NamespacedName(namespace: .shop, name: name(object))),
            pointer: "/spec/http/0", message: message, since: Timestamp(microseconds: since))
    }

    private static func row(
        _ proxy: String, on replica: String, refusing rejections: [ProxyRejection], in mesh: MeshKey = .acme,
        _ store: MeshStore
    ) async throws -> ProxyRow {
        var row = try await store.row(proxy, on: replica, acked: 1, in: mesh)
        row.rejectedRevision = rejections.isEmpty ? nil : 2
        row.types = ["RDS": ProxyTypeStatus(state: .rejected, rejections: rejections)]
        return row
    }

    @Test("is counted over the connected proxies of all replicas that refuse this object, and ends when they accept")
    func counted() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.keepAlive(replica) }
            try await store.create(Self.reviews)
            #expect(try await store.fetchWithRefusal(Self.reviews)?.refusal == nil)
            var away = try await Self.row("away", on: "r1", refusing: [Self.rejection("reviews", "d")], store)
            away.connected = false
            try await store.report([
                try await Self.row(
                    "a", on: "r1",
                    refusing: [Self.rejection("other", "x"), Self.rejection("reviews", "bad", since: 7)],
                    store),
                try await Self.row("b", on: "r2", refusing: [Self.rejection("reviews", "bad", since: 5)], store),
                try await Self.row("c", on: "r2", refusing: [Self.rejection("other", "x")], store),
                try await Self.row("d", on: "r2", refusing: [], store),
                try await Self.row("lost", on: "dead", refusing: [Self.rejection("reviews", "d")], store), away,
                try await Self.row("f", on: "r1", refusing: [Self.rejection("reviews", "d")], in: .globex, store),
            ])
            let refusal = try #require(try await store.fetchWithRefusal(Self.reviews)?.refusal)
            #expect((refusal.proxies, refusal.connected) == (2, 4))
            #expect(refusal.example.message == "bad" && refusal.example.pointer == "/spec/http/0")
            #expect(refusal.since == Timestamp(microseconds: 5))
            try await store.silence("r2", for: "16 seconds")
            #expect(try await store.fetchWithRefusal(Self.reviews)?.refusal?.proxies == 1)
            try await store.report([try await Self.row("a", on: "r1", refusing: [], store)])
            let found = try #require(try await store.fetchWithRefusal(Self.reviews))
            #expect(found.object == (try await store.fetch(Self.reviews)) && found.refusal == nil)
        }
    }

    @Test("an object that is not there is not there, and one of another tenant is not either")
    func absent() async throws {
        try await withStore { store in
            try await store.create(Self.reviews)
            let other = ObjectKey.namespaced(
                .virtualService, NamespacedName(namespace: .shop, name: name("reviews")), in: .globex)
            #expect(try await store.fetchWithRefusal(other) == nil)
        }
    }
}
