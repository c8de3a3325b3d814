import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release goes through its plan")
struct ReleasePlanTests {
    @Test("a canary release: bake, pause, promotion, end")
    func wholePlan() throws {
        var scene = try Scene.started(proxies: 3)
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.service.stableVersion == Fixture.v1)

        scene.pass(59)
        #expect(scene.status.currentStep?.state == .baking)
        scene.pass(1)
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .pauseStep)
        #expect(scene.status.currentStep?.index == 1)

        scene.pass(100_000)
        #expect(scene.status.phase == .paused, "a pause without duration waits for a decision")
        try scene.ask(.promote(to: .next, expectedStep: 1))
        scene.settle()
        #expect(scene.status.traffic.canaryShare == .all)
        scene.pass(60)
        #expect(scene.status.phase == .finalizing)
        #expect(scene.service.stableVersion == Fixture.v2)
        #expect(
            scene.service.promotions == [.init(from: Fixture.v1, release: Fixture.release, at: scene.now)])
        #expect(scene.status.ownsTraffic, "routes are kept for retainStable")

        scene.pass(29)
        #expect(scene.status.phase == .finalizing)
        scene.pass(1)
        #expect(scene.status.phase == .succeeded)
        #expect(scene.status.completionStatus == .promoted)
        #expect(!scene.status.ownsTraffic)
        #expect(scene.nextWakeupAt == nil)
    }

    @Test("matches and mirrors stay in force until they are changed, and end with the promotion")
    func matchesStay() throws {
        let spec = Fixture.spec([
            Fixture.insiders, Fixture.shadow, ReleaseStep(.setMirror(nil)), Fixture.weight(500, bake: 5),
        ])
        var scene = try Scene.started(spec)
        #expect(scene.status.currentStep?.index == 1)
        #expect(scene.status.traffic.matches.count == 1)
        #expect(scene.status.traffic.mirror?.share == Fixture.share(2000))
        scene.pass(30)
        #expect(scene.status.traffic.mirror == nil)
        #expect(scene.status.traffic.matches.count == 1)
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        scene.pass(5)
        #expect(scene.status.phase == .finalizing)
        #expect(scene.status.traffic.matches.isEmpty)
        #expect(scene.status.traffic.canaryShare == .all)
    }

    @Test("a pause with a duration ends by itself, and one that a person added does not")
    func timedPause() throws {
        let spec = Fixture.spec([ReleaseStep(.pause(.seconds(20))), Fixture.weight(500, bake: 10)])
        var scene = try Scene.started(spec)
        #expect(scene.status.phase == .paused)
        scene.pass(19)
        #expect(scene.status.phase == .paused)
        try scene.ask(.pause(reason: "lunch"))
        scene.pass(1000)
        #expect(scene.status.pauseConditions.map(\.reason) == [.pauseStep, .manualPause])
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)

        var other = try Scene.started(spec)
        other.pass(20)
        #expect(other.status.currentStep?.state == .baking)
    }

    @Test("a pause does not count as bake time")
    func pauseStopsTheClock() throws {
        var scene = try Scene.started()
        scene.pass(30)
        try scene.ask(.pause(reason: nil))
        scene.pass(5000)
        #expect(scene.status.traffic.canaryShare == Fixture.share(500), "a pause leaves the traffic as it is")
        try scene.ask(.resume)
        scene.pass(29)
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.status.currentStep?.elapsed(at: scene.now) == .seconds(59))
        scene.pass(1)
        #expect(scene.status.currentStep?.index == 1)
    }

    @Test("a start in the future waits for it")
    func schedule() throws {
        var spec = Fixture.spec()
        spec.startAt = Fixture.epoch + .seconds(3600)
        var scene = try Scene.started(spec)
        #expect(scene.status.phase == .pending)
        #expect(scene.status.blockedOn.map(\.kind) == ["Schedule"])
        scene.pass(3599)
        #expect(scene.status.phase == .pending)
        #expect(scene.nextWakeupAt == spec.startAt)
        scene.pass(1)
        #expect(scene.status.phase == .progressing)
    }

    @Test("a promotion to full skips the plan but not the guard and the barrier")
    func fullPromotion() throws {
        var scene = try Scene.started(proxies: 2)
        scene.proxiesFollow = false
        try scene.ask(.promote(to: .full, expectedStep: 0))
        scene.settle()
        #expect(scene.status.phase == .promoting)
        #expect(scene.status.traffic.canaryShare == .all)
        #expect(scene.service.stableVersion == Fixture.v1)
        scene.observations.proxies.acked = 2
        scene.settle()
        #expect(scene.status.phase == .finalizing)
        scene.pass(30)
        #expect(scene.status.completionStatus == .fastPromoted)
    }

    @Test("a release that failed can be tried again from its first step")
    func retry() throws {
        var scene = try Scene.started()
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        try scene.ask(.retry)
        scene.settle()
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.attempt == 2)
        #expect(scene.status.completionStatus == nil)
        #expect(Set(scene.events.map(\.dedupeKey)).count == scene.events.count)
    }
}
