import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release and the service's stable version")
struct StablePointerTests {
    @Test("the pointer is set when the first release enters Progressing, not at its start, and stays after a rollback")
    func whenSet() throws {
        var spec = Fixture.spec()
        spec.startAt = Fixture.epoch + .seconds(1000)
        var scene = Scene(spec)
        try scene.ask(.start)
        scene.pass(999)
        #expect(scene.service.stableVersion == nil)
        scene.pass(1)
        #expect(scene.status.phase == .progressing)
        #expect(scene.service.stableVersion == Fixture.v1)
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.service == ServiceStatus(stableVersion: Fixture.v1))
    }

    @Test("fifty endpoints without a version are not all replaced by one of the stable version")
    func capacity() throws {
        var scene = Scene()
        scene.observations = Fixture.observations(stable: 1, canary: 2)
        scene.observations.readyTotal = 53
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .pending)
        #expect(scene.status.reason == .stableTooSmall)
        #expect(scene.status.blockedOn.map(\.kind) == ["Endpoints"])
        #expect(scene.status.blockedOn.first?.detail.contains("it has 1 and needs 26") == true)
        #expect(scene.service.stableVersion == nil)
        scene.observations.readyStable = 26
        scene.settle()
        #expect(scene.status.phase == .progressing)
        #expect(scene.service.stableVersion == Fixture.v1)
    }

    @Test("force goes on all the same, with the start or after it")
    func force() throws {
        var scene = Scene()
        scene.observations.readyTotal = 100
        var forced = scene
        try forced.ask(.start(force: true))
        forced.settle()
        #expect(forced.status.phase == .progressing)

        try scene.ask(.start(force: false))
        scene.settle()
        #expect(ReleaseMachine.allowedVerbs(scene.status).contains(.start))
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.start(force: false)) }
        #expect(refusal.code == .precondition)
        try scene.ask(.start(force: true))
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.attempt == 1)
        #expect(scene.events.contains { $0.kind == .startForced })
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        try scene.ask(.retry(force: false))
        #expect(!scene.status.isCapacityWaived, "each attempt asks anew")
    }

    @Test(
        "stable needs a half of what is ready without the canary, more where the guard says so, never more than all",
        arguments: [(0, 53, 27), (50, 53, 27), (75, 100, 75), (100, 100, 100), (1000, 100, 100), (0, 1, 1), (0, 0, 0)])
    func needed(_ percent: Int, _ total: Int, _ needed: Int) {
        let guarding = ReleaseStrategy.EndpointGuard(capacityPercent: percent)
        #expect(guarding.neededStable(of: total) == needed)
    }

    @Test("where a version is in charge already nothing changes at the start, and nobody is asked")
    func pointed() throws {
        var scene = Scene()
        scene.service.stableVersion = Fixture.v1
        scene.observations.readyTotal = 100
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .progressing)
        #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.start))
    }

    @Test("a promotion that is taken back leaves pointer and retired versions as they were")
    func takenBack() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(10_000)]))
        let v0 = Fixture.name("v0")
        let before = ServiceStatus(
            stableVersion: Fixture.v1,
            promotions: [.init(from: v0, release: v0, at: Fixture.epoch, rules: ["x"]), .init(from: Fixture.v2)])
        scene.service = before
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .finalizing)
        #expect(scene.service.promotions.map(\.from) == [v0, Fixture.v1])
        #expect(scene.status.serviceBefore == before)
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.service == before)
        #expect(scene.status.serviceBefore == nil)
    }

    @Test("one that was promoted by a server that kept nothing is taken back as well")
    func takenBackAfterUpgrade() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(10_000)]))
        scene.status.serviceBefore = nil
        scene.service.promotions.append(.init(from: Fixture.name("v0")))
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.service.stableVersion == Fixture.v1)
        #expect(scene.service.promotions.map(\.from) == [Fixture.name("v0")])
    }
}
