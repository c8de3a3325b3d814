import Documents
import MeshControl
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import TestSupport
import Testing

@Suite("One replica a mesh keeps the conditions of its objects", .timeLimit(.minutes(2)))
struct ConditionKeeperTests {
    private static let rules = "shop/virtualServices/reviews"

    /// A keeper whose time and signals are the test's.
    private struct Keeper {
        let fixture: ControlFixture
        let clock = ManualClock()
        let signals = AsyncStream.makeStream(of: ChangeSignals.Signal.self)
        let replica: String

        func run(_ body: (Keeper) async throws -> Void) async throws {
            let own = fixture.replica()
            let keeper = ConditionKeeper(
                store: own.store, mirror: own.control.mirror, replica: replica, clock: clock, logger: quietLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await keeper.run(signals: signals.stream) }
                defer { group.cancelAll() }
                try await body(self)
            }
        }

        func tell() { signals.continuation.yield(.changed(ControlFixture.mesh)) }

        /// Lets one tick go by, as soon as one is waited for.
        func step() async throws {
            try await until("time is counted") { clock.sleepers == 2 }
            try await clock.advance(by: .milliseconds(250))
        }

        /// Lets time go on until something holds, and no more than so many ticks.
        func within(_ ticks: Int, _ what: Comment, _ condition: () async throws -> Bool) async throws {
            var left = ticks
            try await until(what) {
                if try await condition() { return true }
                if left > 0, clock.sleepers > 1 {
                    try await clock.advance(by: .milliseconds(250))
                    left -= 1
                }
                return false
            }
        }

        /// Lets time go on until nothing is waited for but the next look at everything.
        func rest() async throws {
            var quiet = 0
            try await until("nothing has to be done") {
                quiet = clock.sleepers == 1 ? quiet + 1 : 0
                if clock.sleepers > 1 { try await clock.advance(by: .milliseconds(250)) }
                return quiet == 50
            }
        }
    }

    private static func conditions(_ fixture: ControlFixture, _ place: String = rules) async throws -> [String] {
        let found = try await fixture.control.fetchWithRefusal(ControlFixture.key(place), by: ControlFixture.admin)
        return (found.object.conditions ?? []).map { "\($0.type) \($0.reason)" }
    }

    /// Writes rules whose second is never reached, without that anybody finds that out.
    private static func breakRules(_ fixture: ControlFixture) async throws {
        try await fixture.store(rules, ControlFixture.rules("reviews", to: ["host": "reviews"], ["host": "reviews"]))
    }

    private static func mendRules(_ fixture: ControlFixture) async throws {
        try await fixture.store(rules, ControlFixture.rules("reviews", to: ["host": "reviews"]))
    }

    private static let unreachable = ["Accepted Unreachable"]

    @Test("what a change brings about is written soon after it, and taken away with its reason when a pause is over")
    func changes() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Keeper(fixture: fixture, replica: "r1").run { keeper in
                try await Self.breakRules(fixture)
                keeper.tell()
                try await keeper.within(8, "it is told") { try await Self.conditions(fixture) == Self.unreachable }
                // Another object does not have to wait for this one's pause.
                try await Self.mendRules(fixture)
                try await fixture.store(
                    "shop/virtualServices/other", ControlFixture.rules("none", to: ["host": "reviews"]))
                keeper.tell()
                try await keeper.within(8, "the other is told") {
                    try await Self.conditions(fixture, "shop/virtualServices/other") == ["Accepted UnknownReference"]
                }
                #expect(try await Self.conditions(fixture) == Self.unreachable, "it was written a moment ago")
                try await keeper.within(24, "it is taken away") { try await Self.conditions(fixture) == [] }
            }
        }
    }

    @Test("when nothing has to be done no time is counted, and it is known of which revision the conditions are")
    func resting() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Keeper(fixture: fixture, replica: "r1").run { keeper in
                func isComplete() async throws -> Bool {
                    let state = try await fixture.store.leaseConditions(
                        of: ControlFixture.mesh, to: "r1", for: .seconds(60))
                    return try await state?.revision == fixture.store.meshRevision(ControlFixture.mesh)
                }
                keeper.tell()
                try await keeper.within(4, "all is known, and nothing is to be said") { try await isComplete() }
                try await keeper.rest()
                try await Self.breakRules(fixture)
                keeper.tell()
                try await keeper.within(8, "it is told") { try await Self.conditions(fixture) == Self.unreachable }
                #expect(try await isComplete())
                try await keeper.rest()
                // What it once had is asked for anew.
                try await fixture.execute("UPDATE condition_state SET lease_until = now() - interval '1 s'")
                try await Self.mendRules(fixture)
                keeper.tell()
                try await keeper.within(8, "it is taken away") { try await Self.conditions(fixture) == [] }
            }
        }
    }

    @Test("a change of which nobody told is found at the next look at everything")
    func unattended() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.breakRules(fixture)
            try await Keeper(fixture: fixture, replica: "r1").run { keeper in
                try await until("somebody sleeps") { keeper.clock.sleepers == 1 }
                try await keeper.clock.advance(by: .seconds(10))
                try await keeper.within(8, "it is found") { try await Self.conditions(fixture) == Self.unreachable }
                try await keeper.rest()
                // The mesh is known, so it is looked at as long as it is this replica's.
                try await Self.mendRules(fixture)
                try await keeper.clock.advance(by: .seconds(10))
                try await keeper.within(8, "it is taken away") { try await Self.conditions(fixture) == [] }
            }
        }
    }

    @Test("a second replica takes over when the first one is gone, and not before")
    func lease() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Keeper(fixture: fixture, replica: "r1").run { first in
                try await Self.breakRules(fixture)
                first.tell()
                try await first.within(8, "it is told") { try await Self.conditions(fixture) == Self.unreachable }
            }
            try await fixture.execute("UPDATE condition_state SET lease_until = now() + interval '1 hour'")
            try await Keeper(fixture: fixture, replica: "r2").run { second in
                try await Self.mendRules(fixture)
                second.tell()
                try await second.step()
                try await second.rest()
                #expect(try await Self.conditions(fixture) == Self.unreachable, "the mesh is the first one's")
                try await fixture.execute("UPDATE condition_state SET lease_until = now() - interval '1 s'")
                second.tell()
                try await second.within(8, "it is taken away") { try await Self.conditions(fixture) == [] }
            }
        }
    }

    @Test("what was changed behind its back is read again")
    func overtaken() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Keeper(fixture: fixture, replica: "r1").run { keeper in
                try await Self.breakRules(fixture)
                keeper.tell()
                try await keeper.within(8, "it is told") { try await Self.conditions(fixture) == Self.unreachable }
                // With the object went its conditions; the new one needs them again.
                try await fixture.delete(Self.rules)
                try await Self.breakRules(fixture)
                keeper.tell()
                try await keeper.within(24, "it is told again") {
                    try await Self.conditions(fixture) == Self.unreachable
                }
            }
        }
    }
}
