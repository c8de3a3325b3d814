import Documents
import GrayRelease
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

/// Times are the database's, and are moved in its rows: nothing here waits.
@Suite("Who must acknowledge a release")
struct ProxyBarrierTests {
    private static let footprint = ReleaseFootprint(
        service: service("cart"), routes: [service("cart"), service("front")])

    private static func service(_ text: String) -> NamespacedName {
        NamespacedName(namespace: .shop, name: name(text))
    }

    /// The releases' revision.
    private static let revision: Revision = 10

    private static func counted(_ store: MeshStore) async throws -> ReleaseObservations.Proxies {
        try await store.acks(of: .acme, at: revision, of: footprint).proxies
    }

    private static func away(
        _ proxies: ReleaseObservations.Proxies
    ) -> [ReleaseObservations.Away.Cause: Int] {
        Dictionary(uniqueKeysWithValues: proxies.away.map { ($0.cause, $0.count) })
    }

    /// A proxy with old routes.
    private static func proxy(
        _ text: String, on replica: String = "r1", answered: Revision = 9, first: Revision = 1,
        routed: [NamespacedName]? = nil, refused: Set<RefusedPart> = [], peer: String = "", in mesh: MeshKey = .acme,
        _ store: MeshStore
    ) async throws -> ProxyRow {
        var row = try await store.row(text, on: replica, acked: answered, in: mesh)
        row.standing = ProxyStanding(
            firstRevision: first, answeredRevision: answered, routed: routed, refused: refused, peer: peer)
        return row
    }

    private static func end(_ row: ProxyRow, _ store: MeshStore) async throws {
        var row = row
        row.connected = false
        try await store.report([row])
    }

    /// An endpoint that names a proxy of the same name.
    private static func register(
        _ proxy: String, health: String = "healthy", as text: String? = nil, _ store: MeshStore
    )
        async throws
    {
        try await store.create(
            .endpoint(name(text ?? proxy), of: service("cart"), in: .acme),
            spec: ["sidecar": ["proxy": .string(proxy)], "health": .string(health)])
    }

    @Test(
        "those that were sent its routes before its revision, and nobody else: who is new, of others' routes or tenants"
    )
    func relevant() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            try await store.report([
                try await Self.proxy("behind", store), try await Self.proxy("there", answered: 10, store),
                try await Self.proxy("ahead", answered: 12, store), try await Self.proxy("new", first: 10, store),
                try await Self.proxy("empty", answered: 0, first: 0, store),
                try await Self.proxy("grpc-cart", routed: [Self.service("cart"), Self.service("x")], store),
                try await Self.proxy("grpc-front", routed: [Self.service("front")], store),
                try await Self.proxy("grpc-other", routed: [Self.service("other")], store),
                try await Self.proxy("grpc-none", routed: [], store),
                try await Self.proxy("foreign", in: .globex, store),
            ])
            let proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (5, 2))
            #expect(proxies.missing == ["shop/behind", "shop/grpc-cart", "shop/grpc-front"])
            #expect(proxies.away == [])
            let none = try await store.acks(of: .acme, at: nil, of: Self.footprint)
            #expect((none.proxies.relevant, none.meshRevision) == (0, 1))
            await #expect(throws: StoreError.notFound) {
                try await store.acks(of: MeshKey(tenant: .acme, mesh: name("other")), at: 1, of: Self.footprint)
            }
        }
    }

    @Test("a refusal counts if it is of what holds the release, at its revision; somebody else's is no refusal of it")
    func refusals() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            let parts: [(String, RefusedPart, Revision)] = [
                ("a-own", .clusters(of: Self.service("cart")), 10), ("b-table", .everything, 10),
                ("c-routes", .routes(of: Self.service("front")), 11),
                ("d-old", .clusters(of: Self.service("cart")), 9),
                ("e-other", .clusters(of: Self.service("front")), 10), ("f-other", .routes(of: Self.service("x")), 10),
            ]
            var rows: [ProxyRow] = []
            for (text, part, answered) in parts {
                var row = try await Self.proxy(text, answered: answered, refused: [part], store)
                (row.rejectedRevision, row.rejectedMessage) = (answered, "bad")
                rows.append(row)
            }
            rows.append(try await Self.proxy("new", answered: 10, first: 10, refused: [.everything], store))
            try await store.report(rows)
            let acks = try await store.acks(of: .acme, at: Self.revision, of: Self.footprint)
            #expect((acks.proxies.relevant, acks.proxies.acked) == (6, 2))
            #expect(acks.rejections.map(\.proxy) == ["a-own", "b-table", "c-routes"])
            #expect(acks.rejections.map(\.message) == ["bad", "bad", "bad"])
        }
    }

    @Test("at most twenty are named")
    func names() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            var rows: [ProxyRow] = []
            for number in 100..<125 {
                var row = try await Self.proxy("p\(number)", answered: 10, refused: [.everything], store)
                row.rejectedRevision = 10
                rows.append(row)
            }
            try await store.report(rows)
            let acks = try await store.acks(of: .acme, at: Self.revision, of: Self.footprint)
            #expect(acks.proxies.relevant == 25)
            #expect(acks.proxies.missing == (100..<120).map { "shop/p\($0)" })
            #expect(acks.rejections.map(\.proxy) == (100..<120).map { "p\($0)" })
        }
    }

    @Test("whether the mesh ever had a proxy, and since when a replica answers")
    func facts() async throws {
        try await withStore { store in
            var proxies = try await Self.counted(store)
            #expect(!proxies.hadAny && proxies.servedSince == nil)
            try await store.heartbeat("r1")
            try await store.ageReplicas()
            #expect(try await Self.counted(store).servedSince != nil)
            try await store.report([try await Self.proxy("a", first: 11, store)])
            proxies = try await Self.counted(store)
            #expect(proxies.hadAny && proxies.relevant == 0)
            let before = try #require(proxies.servedSince)
            try await store.heartbeat("r1")
            #expect(try await Self.counted(store).servedSince == before, "it was there all the time")
            try await store.silence("r1", for: "16 seconds")
            #expect(try await Self.counted(store).servedSince == nil)
            try await store.heartbeat("r1")
            #expect(try #require(try await Self.counted(store).servedSince) > before + .seconds(1800), "after a gap")
            try await store.retire("r1")
            #expect(try await Self.counted(store).servedSince == nil)
        }
    }

    /// 10 of 1000 are back and have acknowledged; who has acknowledged before the server died stays so.
    @Test(
        "the only replica is killed, or ends: its proxies are away until a replica has answered for a minute",
        arguments: [
            false, true,
        ])
    func serverLost(_ isOrderly: Bool) async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            var rows: [ProxyRow] = []
            for number in 0..<1000 {
                rows.append(try await Self.proxy("p\(number)", answered: number == 999 ? 10 : 9, store))
            }
            try await store.report(rows)
            if isOrderly { try await store.retire("r1") } else { try await store.silence("r1", for: "16 seconds") }
            var proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (1000, 1))
            #expect(Self.away(proxies) == [.serverLost: 999])
            #expect(proxies.away.first?.until == nil, "there is no server to come back to")

            try await store.keepAlive("r2")
            try await store.report(
                try await (0..<10).asyncMap { try await Self.proxy("p\($0)", on: "r2", answered: 10, store) })
            proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (1000, 11))
            #expect(Self.away(proxies) == [.serverLost: 989])
            #expect(proxies.away.first?.until == proxies.servedSince.map { $0 + .seconds(60) })

            try await Self.register("p500", store)
            try await Self.register("p501", health: "unhealthy", store)
            try await store.set("replica", "up_since = now() - interval '61 seconds'", of: "r2")
            try await store.set("proxy", "ended_at = now() - interval '2 minutes'", of: nil)
            try await store.silence("r1", for: "2 minutes")
            proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (12, 11))
            #expect(Self.away(proxies) == [.stillRegistered: 1])
            #expect(proxies.missing == ["shop/p500"])
        }
    }

    @Test("who was given up while a replica was there for long enough is not waited for when that one is started anew")
    func givenUpOnce() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.heartbeat(replica) }
            try await store.report([try await Self.proxy("a", on: "r2", store)])
            try await store.silence("r2", for: "20 minutes")
            try await store.set("replica", "up_since = now() - interval '30 minutes'", of: nil)
            try await store.silence("r1", for: "1 minute")
            try await store.keepAlive("r3")
            #expect(try await Self.counted(store).relevant == 0, "r1 was there for 19 minutes after it")
            try await store.set("replica", "heartbeat_at = now() - interval '1170 seconds'", of: "r1")
            let proxies = try await Self.counted(store)
            #expect(Self.away(proxies) == [.serverLost: 1], "r1 was there for half a minute after it")
        }
    }

    @Test("PostgreSQL was away for 30 s: proxies are away until their replica's heartbeat is back, and then as before")
    func databaseAway() async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            try await store.report([try await Self.proxy("a", answered: 10, store), try await Self.proxy("b", store)])
            try await store.silence("r1", for: "30 seconds")
            #expect(Self.away(try await Self.counted(store)) == [.serverLost: 1])
            try await until("the replica is back") {
                try await store.heartbeat("r1")
                let proxies = try await Self.counted(store)
                return proxies.away == [] && (proxies.relevant, proxies.acked) == (2, 1)
            }
        }
    }

    @Test(
        "a stream that ended at a replica that lives counts for 10 s, and longer only if a ready endpoint names its proxy"
    )
    func streamEnded() async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            try await Self.register("endpoint", store)
            try await Self.register("unready", health: "draining", store)
            let names = ["client", "endpoint", "unready"]
            let rows = try await names.asyncMap { try await Self.proxy($0, store) }
            try await store.report(rows)
            for row in rows { try await Self.end(row, store) }
            // 8 s later at the most, however slow the machine is.
            try await store.set(
                "replica", "heartbeat_at = (SELECT min(ended_at) FROM proxy) + interval '8 seconds'", of: "r1")
            try await store.ageReplicas()
            var proxies = try await Self.counted(store)
            #expect((proxies.relevant, Self.away(proxies)) == (3, [.streamEnded: 3]))
            let end = try #require(proxies.away.first?.since)
            #expect(try #require(proxies.away.first?.until) >= end + .seconds(10))

            try await store.set(
                "replica", "heartbeat_at = (SELECT max(ended_at) FROM proxy) + interval '10 seconds'", of: "r1")
            proxies = try await Self.counted(store)
            #expect((proxies.relevant, Self.away(proxies)) == (1, [.stillRegistered: 1]))
            #expect(proxies.missing == ["shop/endpoint"])
            try await store.retire("r1")
            #expect(try await Self.counted(store).relevant == 1, "the replica had lived on before it ended")

            try await store.keepAlive("r2")
            try await store.report([try await Self.proxy("client", on: "r2", store)])
            #expect(try await Self.counted(store).relevant == 2, "it is back")
        }
    }

    @Test("a replica that dies within the 10 s may have taken its streams with it")
    func streamEndedWithReplica() async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            let row = try await Self.proxy("a", store)
            try await store.report([row])
            try await Self.end(row, store)
            try await store.retire("r1")
            #expect(Self.away(try await Self.counted(store)) == [.serverLost: 1])
        }
    }

    @Test("whose endpoint is deleted, or who says goodbye, is gone as soon as it has no stream")
    func departed() async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            for proxy in ["deleted", "moved", "kept", "silent", "polite"] { try await Self.register(proxy, store) }
            try await Self.register("kept", as: "kept-2", store)
            let names = ["deleted", "kept", "moved", "polite", "silent"]
            let rows = try await names.asyncMap { try await Self.proxy($0, store) }
            try await store.report(rows)
            func key(_ text: String) -> ObjectKey { .endpoint(name(text), of: Self.service("cart"), in: .acme) }
            for text in ["deleted", "kept"] { try await store.delete(key(text)) }
            try await store.create(key("moved"), spec: ["sidecar": ["proxy": "other"], "health": "healthy"])
            try await store.noteGoodbye(of: Self.service("polite"), in: .acme)
            #expect(try await Self.counted(store).relevant == 5, "they have streams")

            for row in rows { try await Self.end(row, store) }
            #expect(try await Self.counted(store).missing == ["shop/kept", "shop/silent"])
            try await store.noteGoodbye(of: Self.service("silent"), in: .acme)
            #expect(try await Self.counted(store).missing == ["shop/kept"], "also after its stream")

            let again = try await Self.proxy("polite", store)
            try await store.report([again])
            try await Self.end(again, store)
            #expect(
                try await Self.counted(store).missing == ["shop/kept", "shop/polite"], "a new stream was not meant")
        }
    }

    @Test("a stream that has yet to be answered says nothing new of what its proxy has and is sent")
    func reconnected() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            try await store.report([try await Self.proxy("a", answered: 10, first: 5, store)])
            try await store.report([try await Self.proxy("a", answered: 0, first: 12, routed: [], store)])
            var proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (1, 1))
            try await store.report([try await Self.proxy("a", answered: 8, first: 8, store)])
            proxies = try await Self.counted(store)
            #expect((proxies.relevant, proxies.acked) == (1, 0), "its new replica is behind")
        }
    }

    @Test(
        "streams from two addresses at two replicas: neither confirms anything until one has ended, or its replica has")
    func contested() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.keepAlive(replica) }
            let real = try await Self.proxy("a", answered: 10, peer: "10.0.0.1", store)
            let other = try await Self.proxy("a", on: "r2", answered: 10, peer: "10.0.0.2", store)
            try await store.report([real])
            #expect(try await Self.counted(store).acked == 1)
            var outcome = try await store.report([other, try await Self.proxy("b", on: "r2", store)])
            #expect(outcome.contested == [other])
            #expect(try await store.proxies(of: .acme, limit: 9).map(\.replica) == ["r1", "r2"])
            try await store.report([real])
            #expect(try await Self.counted(store).missing == ["shop/a", "shop/b"])
            try await store.set("proxy", "contested_at = contested_at - interval '11 seconds'", of: nil)
            #expect(try await Self.counted(store).acked == 1, "nobody says so any more")

            outcome = try await store.report([
                try await Self.proxy("a", on: "r2", answered: 10, peer: "10.0.0.1", store)
            ])
            #expect(outcome.contested == [], "the same proxy came back")
            try await store.report([real])
            outcome = try await store.report([other])
            #expect(outcome.contested == [other])
            try await Self.end(real, store)
            outcome = try await store.report([other])
            #expect(outcome.contested == [])
            #expect(try await Self.counted(store).acked == 1)
            #expect(try await store.proxies(of: .acme, limit: 1).map(\.replica) == ["r2"])

            try await store.silence("r2", for: "16 seconds")
            #expect(try await store.report([real]).contested == [], "a lost replica holds nobody")
        }
    }

    @Test("nobody is forgotten before a replica has been there long enough to be found")
    func forgetting() async throws {
        try await withStore { store in
            try await store.heartbeat("r1")
            try await store.report([try await Self.proxy("a", store)])
            try await store.silence("r1", for: "3 hours")
            try await store.ageProxies(by: "3 hours")
            try await store.heartbeat("r2")
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 0)
            #expect(Self.away(try await Self.counted(store)) == [.serverLost: 1])
            try await store.set("replica", "up_since = now() - interval '3 minutes'", of: "r2")
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 1)
        }
    }
}

extension MeshStore {
    /// Changes rows behind the store's back. `of`: a replica; `nil`: all rows.
    fileprivate func set(_ table: SQLIdentifier, _ assignment: StaticString, of id: String?) async throws {
        var update: Statement = "UPDATE \(identifier: table) SET \(raw: assignment)"
        if let id { update.append(" WHERE id = \(id)") }
        _ = try await pool.pipeline([Visibility.all.statement, update])
    }
}

extension Sequence {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}
