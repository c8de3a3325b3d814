import Documents
import GrayRelease
import MeshControl
import MeshCore
import Postgres
import Testing

@testable import MeshAPI

/// What the release engine does, on a database.
@Suite("Claimed releases")
struct ReleaseClaimTests {
    private static let releases = Fixture.shop + "/releases"

    /// Starts a release that is due at once.
    private static func start(_ api: Fixture) async throws {
        try await api.prepare()
        #expect(try await api.send("PUT", releases + "/r", Fixture.release).status == 201)
        #expect(try await api.send("POST", releases + "/r:start", [:]).status == 200)
        try await change("UPDATE release SET next_wakeup_at = now()", api)
    }

    private static func change(_ statement: Statement, _ api: Fixture) async throws {
        _ = try await api.pool.pipeline(["SELECT set_config('sluice.tenant', '*', true)", statement])
    }

    private static func claim(_ api: Fixture, by owner: String = "r1") async throws -> [ClaimedRelease] {
        try await api.control.claimReleases(by: owner, limit: 9, lease: .seconds(60))
    }

    /// Whatever the engine might decide, this has an event.
    private static func decide(_ claimed: ClaimedRelease, _ api: Fixture) async throws -> ReleaseDecision {
        let world = try await api.control.observe(claimed.release)
        return try ReleaseMachine.apply(
            .abort(revertTraffic: true), by: ReleaseActor(person: "ann"), spec: claimed.release.spec,
            status: claimed.release.status,
            observations: world.observations, now: world.now)
    }

    @Test("what is decided about one is written by the engine, and ends the lease")
    func commit() async throws {
        try await Fixture.run { api in
            try await Self.start(api)
            #expect(try await api.control.timeUntilReleaseDue(atMost: .seconds(60)) == .zero)
            let claimed = try #require(try await Self.claim(api).first)
            #expect(try await Self.claim(api, by: "r2").isEmpty)
            let decision = try await Self.decide(claimed, api)
            #expect(try await api.control.commit(decision, of: claimed))
            let events = try await api.get(Self.releases + "/r/events").body["items"]?.arrayValue ?? []
            #expect(events.last?["actor"] == "release-engine")
            #expect(try await !api.control.commit(decision, of: claimed), "the lease has ended")
        }
    }

    @Test("a decision is lost if somebody has written the release meanwhile, and nothing of it is there")
    func lost() async throws {
        try await Fixture.run { api in
            try await Self.start(api)
            let claimed = try #require(try await Self.claim(api).first)
            let decision = try await Self.decide(claimed, api)
            #expect(try await api.send("POST", Self.releases + "/r:abort", [:]).status == 200)
            let before = try await api.get(Self.releases + "/r").body
            #expect(try await !api.control.commit(decision, of: claimed))
            #expect(try await api.get(Self.releases + "/r").body == before)
        }
    }

    @Test("one that is given back is due after the delay")
    func giveBack() async throws {
        try await Fixture.run { api in
            try await Self.start(api)
            let first = try #require(try await Self.claim(api).first)
            try await api.control.giveBack(first, delay: .zero)
            let second = try #require(try await Self.claim(api, by: "r2").first)
            try await api.control.giveBack(second, delay: .seconds(3600))
            #expect(try await Self.claim(api).isEmpty)
            #expect(try await api.control.timeUntilReleaseDue(atMost: .seconds(60)) == .seconds(60))
        }
    }

    @Test("one that cannot be read is left alone for a while")
    func unreadable() async throws {
        try await Fixture.run { api in
            try await Self.start(api)
            try await Self.change("UPDATE object SET spec = '{}' WHERE kind = 'Release'", api)
            #expect(try await Self.claim(api).isEmpty)
            let pause = try await api.control.timeUntilReleaseDue(atMost: .seconds(600))
            #expect(pause > .seconds(30) && pause <= .seconds(60))
        }
    }
}
