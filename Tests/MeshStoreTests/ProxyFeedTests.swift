import MeshCore
import MeshStore
import TestSupport
import Testing

@Suite("The feed of a mesh's proxies")
struct ProxyFeedTests {
    /// A reader who takes in one page after the other.
    private struct Reader {
        let store: MeshStore
        var revision: Revision = 0

        /// What is new, for example `a connected`; of several changes the last one.
        mutating func news() async throws -> [String] {
            var last: [(name: String, state: String)] = []
            while true {
                let page = try await store.feedPage(.proxies(.acme), after: revision, limit: 2)
                #expect(page.revision >= revision && page.entries.allSatisfy { $0.revision > revision })
                revision = page.revision
                for entry in page.entries {
                    let (name, state) = Self.state(of: entry.item)
                    last.removeAll { $0.name == name }
                    last.append((name, state))
                }
                if page.isComplete { return last.map { "\($0.name) \($0.state)" } }
            }
        }

        private static func state(of item: FeedItem) -> (name: String, state: String) {
            switch item {
            case .proxy(let row): (row.name.name.text, row.connected ? "connected" : "away")
            case .forgottenProxy(let name): (name.name.text, "forgotten")
            case .object, .deletedObject: ("an object", "in the wrong feed")
            }
        }
    }

    @Test("tells what replicas report, once")
    func reports() async throws {
        try await withStore { store in
            var reader = Reader(store: store)
            #expect(try await reader.news() == [])
            try await store.keepAlive("r1")
            try await store.report([
                try await store.row("b", on: "r1", acked: 1), try await store.row("a", on: "r1", acked: 1),
                try await store.row("c", on: "r1", acked: 1),
            ])
            #expect(try await reader.news() == ["a connected", "b connected", "c connected"])
            #expect(try await reader.news() == [])
            var farewell = try await store.row("b", on: "r1", acked: 1)
            farewell.connected = false
            try await store.report([farewell])
            #expect(try await reader.news() == ["b away"])
        }
    }

    @Test("tells that a replica has fallen silent, come back or ended, whichever replica finds it out")
    func replicas() async throws {
        try await withStore { store in
            for replica in ["r1", "r2"] { try await store.keepAlive(replica) }
            try await store.report([
                try await store.row("a", on: "r1", acked: 1), try await store.row("b", on: "r2", acked: 1),
            ])
            var reader = Reader(store: store)
            #expect(try await reader.news() == ["a connected", "b connected"])
            try await store.silence("r1", for: "16 seconds")
            #expect(try await reader.news() == [], "nobody has looked yet")
            try await store.keepAlive("r2")
            #expect(try await reader.news() == ["a away"])
            try await store.keepAlive("r2")
            #expect(try await reader.news() == [], "once")
            try await store.keepAlive("r1")
            try await store.keepAlive("r1")
            #expect(try await reader.news() == ["a connected"])
            try await store.retire("r2")
            #expect(try await reader.news() == ["b away"])
        }
    }

    @Test("tells which proxies were forgotten, until that is forgotten too")
    func forgetting() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            try await store.ageReplicas()
            var away = try await store.row("away", on: "r1", acked: 1)
            away.connected = false
            try await store.report([away, try await store.row("here", on: "r1", acked: 1)])
            var reader = Reader(store: store)
            _ = try await reader.news()
            let before = reader.revision
            try await store.ageProxies(by: "2 hours")
            #expect(try await store.forgetProxies(awayFor: .seconds(3600)) == 1)
            #expect(try await reader.news() == ["away forgotten"])

            try await store.compactChanges(olderThan: .zero)
            #expect(try await reader.news() == [])
            await #expect(throws: StoreError.outOfFeed) {
                try await store.feedPage(.proxies(.acme), after: before, limit: 9)
            }
            await #expect(throws: StoreError.outOfFeed) {
                try await store.revision(of: .proxies(.acme), resuming: before)
            }
            // Whoever begins anew hears of those who are there.
            let newest = try await store.revision(of: .proxies(.acme))
            let present = try await store.present(
                .proxies(.acme, namespace: nil), after: 0, upTo: newest, limit: 9)
            #expect(present.entries.map(\.item).count == 1 && present.isComplete)
        }
    }

    @Test("numbers what replicas report at the same time so that a reader misses nothing")
    func concurrency() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            let writers = 4
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        for number in 0..<20 {
                            try await store.report([try await store.row("p\(writer)-\(number)", on: "r1", acked: 1)])
                        }
                    }
                }
                group.addTask {
                    var reader = Reader(store: store)
                    var told: Set<String> = []
                    try await until("all have been told") {
                        told.formUnion(try await reader.news())
                        return told.count == writers * 20
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("there is none of a mesh that is not there, and another mesh's is its own")
    func scope() async throws {
        try await withStore { store in
            try await store.keepAlive("r1")
            try await store.report([try await store.row("a", on: "r1", acked: 1, in: .globex)])
            var reader = Reader(store: store)
            #expect(try await reader.news() == [])
            let nowhere = MeshKey(tenant: name("nobody"), mesh: .defaultMesh)
            await #expect(throws: StoreError.notFound) { try await store.revision(of: .proxies(nowhere)) }
        }
    }
}
