import GrayRelease
import MeshCore
import MeshModel
import TestSupport
import Testing

@testable import MeshStore

@Suite("Leases of releases")
struct ReleaseLeaseTests {
    @Test("a claimed release has a new epoch and is nobody else's until the lease ends")
    func claim() async throws {
        try await withStore { store in
            let row = try await store.startRelease("v2")
            let claims = try await store.claim("r1")
            #expect(claims.map(\.object) == [row.object])
            #expect(claims.map(\.leaseEpoch) == [row.leaseEpoch + 1])
            #expect(claims.map(\.rowVersion) == [row.rowVersion])
            #expect(try await store.claim("r2").isEmpty)
            #expect(try await store.claim("r1").isEmpty, "not even its own")
        }
    }

    @Test("releases are claimed when they are due, of all tenants, the longest waiting first, up to the limit")
    func order() async throws {
        try await withStore { store in
            for (text, due) in [("a", "-1 minute"), ("b", "-3 minutes"), ("c", "1 hour"), ("d", "-2 minutes")] {
                try await store.startRelease(text, service: text)
                try await store.setWakeup(text, in: due)
            }
            let theirs = try await store.createRelease("e", in: .globex)
            _ = try await store.commit(.enter(.progressing, wakeup: Timestamp(microseconds: 0)), of: theirs)
            #expect(try await store.claim("r1", limit: 2).map(\.object.key.name.text) == ["e", "b"])
            #expect(try await store.claim("r1", limit: 9).map(\.object.key.name.text) == ["d", "a"])
            #expect(try await store.claim("r1", limit: 9).isEmpty)
        }
    }

    @Test("replicas that claim at the same time never get the same release")
    func disjoint() async throws {
        try await withStore { store in
            for number in 0..<12 { try await store.startRelease("v\(number)", service: "s\(number)") }
            let claims = try await withThrowingTaskGroup(of: [ReleaseRow].self) { group in
                for replica in 0..<6 { group.addTask { try await store.claim("r\(replica)", limit: 4) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let names = claims.map(\.object.key.name)
            #expect(Set(names).count == names.count)
            let rest = try await store.claim("r9", limit: 12)
            #expect(names.count + rest.count == 12, "what one claim skipped the next one gets")
            #expect(claims.allSatisfy { $0.leaseEpoch == 1 })
        }
    }

    @Test("after a lease has ended another replica takes over; the first one can then neither commit nor give back")
    func takeOver() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            let first = try #require(try await store.claim("r1").first)
            try await store.expireLease("v2")
            let second = try #require(try await store.claim("r2").first)
            #expect(second.leaseEpoch == first.leaseEpoch + 1)
            #expect(
                try await store.commit(.enter(.paused, events: ["old"]), of: first, leaseEpoch: first.leaseEpoch) == nil
            )
            try await store.giveBack(first, delay: .zero)
            #expect(try await store.claim("r3").isEmpty, "the lease of the second one still holds")
            #expect(try await store.row("v2").object == second.object)
            let committed = try await store.commit(
                .enter(.paused, events: ["new"]), of: second, leaseEpoch: second.leaseEpoch)
            #expect(committed != nil)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 9).map(\.dedupeKey) == ["new"])
        }
    }

    @Test("who was late but not replaced may still commit: the epoch decides, not the clock")
    func late() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            let claim = try #require(try await store.claim("r1").first)
            try await store.expireLease("v2")
            #expect(try await store.commit(.enter(.paused), of: claim, leaseEpoch: claim.leaseEpoch) != nil)
        }
    }

    @Test("a commit ends the lease; the release is claimed again when it is due, with the next epoch")
    func commitEnds() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            let first = try #require(try await store.claim("r1").first)
            let now = try await store.now()
            _ = try #require(
                try await store.commit(.enter(.paused, wakeup: now), of: first, leaseEpoch: first.leaseEpoch))
            let second = try #require(try await store.claim("r2").first)
            #expect(second.leaseEpoch == 2)
            _ = try #require(try await store.commit(.enter(.succeeded), of: second, leaseEpoch: 2))
            #expect(try await store.claim("r1").isEmpty, "it has ended")
        }
    }

    @Test("what a person decides needs no lease, and makes the driver lose")
    func person() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            let claim = try #require(try await store.claim("r1").first)
            let row = try await store.row("v2")
            let now = try await store.now()
            _ = try #require(try await store.commit(.enter(.paused, wakeup: now), of: row))
            #expect(try await store.commit(.enter(.promoting), of: claim, leaseEpoch: claim.leaseEpoch) == nil)
            #expect(try await store.claim("r1").map { ReleaseStatus($0.object.status).phase } == [.paused])
        }
    }

    @Test("a release that was given back is due after the delay")
    func giveBack() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            let claim = try #require(try await store.claim("r1").first)
            try await store.giveBack(claim, delay: .seconds(3600))
            #expect(try await store.claim("r1").isEmpty)
            let wakeup = try #require(try await store.row("v2").nextWakeupAt)
            let left = wakeup - (try await store.now())
            #expect(left > .zero && left <= .seconds(3600))
            try await store.setWakeup("v2", in: "-1 second")
            #expect(try await store.claim("r1").map(\.leaseEpoch) == [2])
        }
    }

    @Test("a lease lasts as long as it was asked for, by the database's clock")
    func leaseLength() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            _ = try await store.claim("r1", lease: .seconds(600))
            let due = try await store.timeUntilReleaseDue(atMost: .seconds(3600))
            #expect(due > .zero && due <= .seconds(600), "a release under lease is due when the lease ends")
            try await store.expireLease("v2")
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(3600)) == .zero)
        }
    }

    @Test("the time until the next release is due is never negative and at most the limit")
    func timeUntilDue() async throws {
        try await withStore { store in
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(5)) == .seconds(5), "there is none")
            try await store.startRelease("v2")
            try await store.setWakeup("v2", in: "1 hour")
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(5)) == .seconds(5))
            let due = try await store.timeUntilReleaseDue(atMost: .seconds(7200))
            #expect(due > .seconds(0) && due <= .seconds(3600))
            try await store.setWakeup("v2", in: "-1 hour")
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(5)) == .zero)
        }
    }

    @Test("a report of a mesh's proxies makes its active releases due at once, and no others")
    func wake() async throws {
        try await withStore { store in
            for text in ["a", "b"] {
                try await store.startRelease(text, service: text)
                try await store.setWakeup(text, in: "1 hour")
            }
            _ = try await store.commit(.enter(.succeeded), of: try await store.row("b"))
            var outcome = try await store.report([try await store.row("a", on: "r1", acked: 1, in: .globex)])
            #expect(!outcome.wokeReleases)
            #expect(try await store.claim("r1").isEmpty)
            outcome = try await store.report([try await store.row("a", on: "r1", acked: 1)])
            #expect(outcome.wokeReleases)
            #expect(try await store.claim("r1").map(\.object.key.name.text) == ["a"])
        }
    }
}
