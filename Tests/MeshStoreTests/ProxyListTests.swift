import MeshCore
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
            try await store.ageReplicas()
            var away = try await store.row("away", on: "alive", acked: 1)
            away.connected = false
            try await store.report([
                away, try await store.row("quiet", on: "alive", acked: 1),
                try await store.row("lost", on: "dead", acked: 1),
                try await store.row("orphan", on: "never", acked: 1),
            ])
            try await store.silence("dead", for: "2 hours")
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 0, "all have just been written")
            #expect(try await store.proxies(of: .acme, limit: 9).count == 4)
            try await store.ageProxies(by: "2 hours")
            #expect(try await store.forgetProxies(awayFor: .seconds(3 * 3600)) == 0)
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 3)
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.name.name.text) == ["quiet"])
            #expect(
                try await store.pool.query("SELECT id FROM replica").map { try $0["id", as: String.self] } == ["alive"])
        }
    }

    @Test("a call forgets no more than it may, and says so")
    func bounded() async throws {
        try await withStore { store in
            for number in 1...5 {
                var row = try await store.row("p\(number)", on: "r1", acked: 1)
                row.connected = false
                try await store.report([row])
            }
            try await store.keepAlive("r2")
            try await store.ageReplicas()
            try await store.ageProxies(by: "2 hours")
            var counts: [Int] = []
            for _ in 0..<4 { counts.append(try await store.forgetProxies(awayFor: .seconds(3600), atMost: 2)) }
            #expect(counts == [2, 2, 1, 0])
            #expect(try await store.proxies(of: .acme, limit: 9) == [])
        }
    }

    @Test(
        "the proxies of a replica that ended are not counted from then on, and away since then, not since they changed")
    func retired() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.keepAlive(replica) }
            try await store.ageReplicas()
            try await store.report([
                try await store.row("a", on: "r1", acked: 1), try await store.row("b", on: "r2", acked: 1),
            ])
            try await store.ageProxies(by: "2 hours")
            try await store.retire("r1")
            #expect(try await store.connected() == [false, true])
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 0)
            try await store.ageProxies(by: "2 hours")
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 1)
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.name.name.text) == ["b"])
        }
    }
}
