import MeshModel
import MeshStore
import Postgres
import Testing

@Suite("Lists of proxies")
struct ProxyListTests {
    @Test("lists are a mesh's own, in the order of namespace and name, in pages, and may be narrowed")
    func paging() async throws {
        try await withStore { store in
            let places = [("shop", "b"), ("shop", "a"), ("api", "z"), ("api", "a")]
            for (namespace, proxy) in places {
                var row = try await store.row(proxy, on: "r1", acked: 1)
                row.name.namespace = name(namespace)
                try await store.report([row])
            }
            try await store.report([try await store.row("c", on: "r1", acked: 1, in: .globex)])
            var pages: [[String]] = []
            var after: NamespacedName?
            repeat {
                let page = try await store.proxies(of: .acme, after: after, limit: 3)
                pages.append(page.map(\.name.description))
                after = page.last?.name
            } while after != nil
            #expect(pages == [["api/a", "api/z", "shop/a"], ["shop/b"], []])
            #expect(try await store.proxies(of: .acme, namespace: .shop, limit: 9).map(\.name.name.text) == ["a", "b"])
            #expect(
                try await store.proxies(of: .acme, name: name("a"), limit: 9).map(\.name.description) == [
                    "api/a", "shop/a",
                ])
        }
    }

    @Test("proxies that have been away for long are forgotten; connected ones are not, however quiet they are")
    func forgetting() async throws {
        try await withStore { store in
            for replica in ["alive", "dead"] { try await store.keepAlive(replica) }
            var away = try await store.row("away", on: "alive", acked: 1)
            away.connected = false
            try await store.report([
                away, try await store.row("quiet", on: "alive", acked: 1),
                try await store.row("lost", on: "dead", acked: 1),
                try await store.row("orphan", on: "never", acked: 1),
            ])
            try await store.silence("dead", for: "2 hours")
            try await store.forgetProxies(awayFor: .seconds(3600))
            #expect(try await store.proxies(of: .acme, limit: 9).count == 4, "all have just been written")
            try await store.ageProxies(by: "2 hours")
            try await store.forgetProxies(awayFor: .seconds(3600))
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.name.name.text) == ["quiet"])
            #expect(
                try await store.pool.query("SELECT id FROM replica").map { try $0["id", as: String.self] } == ["alive"])
        }
    }
}
