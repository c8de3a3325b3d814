import Documents
import GrayRelease
import MeshCore
import MeshModel
import TestSupport
import Testing

@testable import MeshStore

@Suite("Commits of releases")
struct ReleaseCommitTests {
    @Test("a release that was just written has never been driven and is not due")
    func fresh() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            #expect((row.rowVersion, row.leaseEpoch) == (1, 0))
            #expect(row.nextWakeupAt == nil)
            #expect(row.lastDrivenAt == nil)
            #expect(row.object == (try await store.fetch(.release("v2"))))
            #expect(try await store.release(.release("v3")) == nil)
            #expect(try await store.release(.release("v2", in: .globex)) == nil)
            #expect(try await store.claim("r1").isEmpty)
        }
    }

    @Test("status, events, the service's status and the stamp of the traffic have one revision")
    func atomic() async throws {
        try await withStore { store in
            _ = try await store.create(.service("cart"), status: ServiceStatus(stableVersion: name("v1")).json)
            let row = try await store.createRelease("v2")
            let before = try await store.revision()
            let wakeup = try await store.now() + .seconds(60)
            let at = Timestamp(microseconds: 3_000_000)
            let decision = ReleaseDecision.enter(
                .promoting, events: ["a", "b"],
                service: [.promote(from: name("v1"), to: name("v2"), at: at, rules: ["main"])], traffic: true,
                wakeup: wakeup)
            let object = try #require(try await store.commit(decision, of: row))
            #expect(object.revision == before + 1)
            #expect(try await store.revision() == before + 1)
            let status = ReleaseStatus(object.status)
            #expect(status.phase == .promoting)
            #expect(status.traffic.configRevision == before + 1)
            let service = ServiceStatus(try #require(try await store.fetch(.service("cart"))).status)
            #expect(service.stableVersion == name("v2"))
            #expect(service.promotions == [.init(from: name("v1"), release: name("v2"), at: at, rules: ["main"])])
            let after = try await store.row("v2")
            #expect(after.object == object)
            #expect(after.nextWakeupAt == wakeup)
            #expect(after.rowVersion > row.rowVersion)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 10).map(\.dedupeKey) == ["a", "b"])
            let feed = try await store.changes(.acme, after: before, limit: 10)
            #expect(Set(feed.changed.map(\.key)) == [.release("v2"), .service("cart")])
        }
    }

    @Test("a decision that changes nothing but the time of the next look raises no revision")
    func quiet() async throws {
        try await withStore { store in
            let row = try await store.startRelease("v2")
            let before = try await store.revision()
            let wakeup = try await store.now() + .seconds(60)
            #expect(try await store.commit(.enter(.progressing, wakeup: wakeup), of: row) == row.object)
            #expect(try await store.revision() == before)
            let after = try await store.row("v2")
            #expect(after.nextWakeupAt == wakeup)
            #expect(after.lastDrivenAt != nil)
        }
    }

    @Test("of two decisions about the same state one is committed; the other leaves nothing")
    func comparison() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try #require(try await store.commit(.enter(.progressing, events: ["a"]), of: row))
            let after = try await store.row("v2")
            #expect(try await store.commit(.enter(.aborted, events: ["b"]), of: row) == nil)
            #expect(try await store.row("v2") == after)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 10).map(\.dedupeKey) == ["a"])
        }
    }

    @Test("a decision about a document that was replaced meanwhile, or is gone, is not committed")
    func documentChanged() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try await store.create(.release("v2"), spec: ["service": "cart", "port": 81])
            #expect(try await store.commit(.enter(.progressing), of: row) == nil)
            let again = try await store.row("v2")
            try await store.delete(.release("v2"))
            #expect(try await store.commit(.enter(.progressing), of: again) == nil)
            #expect(try await store.release(.release("v2")) == nil)
        }
    }

    @Test("of many who decide at once exactly one wins")
    func race() async throws {
        try await withStore { store in
            let row = try await store.startRelease("v2")
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<10 {
                    group.addTask { try await store.commit(.enter(.paused, events: ["e\(number)"]), of: row) != nil }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(wins == 1)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 20).count == 1)
        }
    }

    @Test("a release without a service cannot be stored")
    func incomplete() async throws {
        try await withStore { store async throws in
            await #expect(throws: StoreError.self) { try await store.create(.release("v2"), spec: ["port": 80]) }
            #expect(try await store.fetch(.release("v2")) == nil)
        }
    }

    @Test("a decision and a write of the service that it changes never wait for each other in a circle")
    func lockOrder() async throws {
        try await withStore { store in
            _ = try await store.create(.service("cart"))
            let row = try await store.startRelease("v2")
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await store.write { transaction in
                    runs.increment()
                    _ = try await transaction.fetch(.service("cart"), forUpdate: true)
                    group.addTask {
                        try await store.write { transaction in
                            runs.increment()
                            let decision = ReleaseDecision.enter(
                                .promoting, service: [.setStable(name("v1"))], traffic: true)
                            _ = try await transaction.commit(decision, of: row, leaseEpoch: nil, actor: "a")
                        }
                    }
                    try await store.untilSomebodyWaits()
                    _ = try await transaction.put(.service("cart"), metadata: ObjectLabels(), spec: ["n": 1])
                }
                try await group.waitForAll()
            }
            #expect(runs.value == 2, "after a deadlock one of the two runs again")
            #expect(
                ServiceStatus(try #require(try await store.fetch(.service("cart"))).status).stableVersion == name("v1"))
        }
    }

    @Test("a decision and a write of the release's own document never wait for each other in a circle")
    func lockOrderOfRelease() async throws {
        try await withStore { store in
            let row = try await store.startRelease("v2")
            let runs = Counter()
            let isCommitted = try await withThrowingTaskGroup(of: Bool.self) { group in
                let decision = ReleaseDecision.enter(.paused)
                try await store.write { transaction in
                    runs.increment()
                    _ = try await transaction.fetch(.release("v2"), forUpdate: true)
                    group.addTask {
                        try await store.write { transaction in
                            runs.increment()
                            return try await transaction.commit(decision, of: row, leaseEpoch: nil, actor: "a") != nil
                        }
                    }
                    try await store.untilSomebodyWaits()
                    _ = try await transaction.put(
                        .release("v2"), metadata: ObjectLabels(labels: ["a": "b"]), spec: row.object.spec)
                }
                return try await group.next()
            }
            #expect(runs.value == 2, "after a deadlock one of the two runs again")
            #expect(isCommitted == false)
        }
    }
}
