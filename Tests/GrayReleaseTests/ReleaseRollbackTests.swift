import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release turns around")
struct ReleaseRollbackTests {
    @Test("a rollback withdraws the traffic with the verb itself, and never waits for the canary")
    func rollback() throws {
        var scene = try Scene.started(proxies: 2)
        scene.proxiesFollow = false
        scene.observations.readyCanary = 0
        let decision = try scene.ask(.rollback(reason: "bad", force: false))
        #expect(decision.changesRoutes)
        #expect(!scene.status.ownsTraffic)
        #expect(scene.status.phase == .rollingBack)
        scene.settle()
        #expect(scene.status.phase == .rollingBack, "waits for the proxies")
        scene.observations.proxies.acked = 2
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.completionStatus == .rolledBack)
        #expect(scene.service.stableVersion == Fixture.v1)
    }

    @Test("a rollback of proxies that do not answer ends after the timeout")
    func rollbackOfStragglers() throws {
        var scene = try Scene.started(proxies: 2)
        scene.proxiesFollow = false
        try scene.ask(.rollback(reason: nil, force: false))
        scene.pass(59)
        #expect(scene.status.phase == .rollingBack)
        scene.pass(1)
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.conditions.first { $0.type == "TrafficApplied" }?.reason == "Stragglers")
    }

    @Test("an unhealthy stable version holds the rollback, force and a dead canary do not")
    func unhealthyStable() throws {
        var scene = try Scene.started()
        scene.observations.readyStable = 0
        try scene.ask(.rollback(reason: nil, force: false))
        scene.pass(3600)
        #expect(scene.status.phase == .rollingBack)
        #expect(scene.status.blockedOn.map(\.kind) == ["StableUnhealthy"])
        #expect(scene.status.ownsTraffic)

        var forced = scene
        try forced.ask(.rollback(reason: nil, force: true))
        forced.settle()
        #expect(forced.status.phase == .rolledBack)

        var dead = scene
        dead.observations.readyCanary = 0
        dead.settle()
        #expect(dead.status.phase == .rolledBack)

        try scene.ask(.promote(to: .full, expectedStep: nil))
        scene.settle()
        #expect(scene.status.phase == .finalizing)
        #expect(scene.service.stableVersion == Fixture.v2)
    }

    @Test("a rollback while finalizing takes the promotion back")
    func rollbackWhileFinalizing() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(10_000)]))
        #expect(scene.status.phase == .finalizing)
        #expect(scene.service.stableVersion == Fixture.v2)
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.service.stableVersion == Fixture.v1)
        #expect(scene.service.promotions.isEmpty)
    }

    @Test(
        "a canary that dies under traffic loses it at once",
        arguments: ReleaseStrategy.UnavailableAction.allCases)
    func canaryDies(_ action: ReleaseStrategy.UnavailableAction) throws {
        var scene = try Scene.started(Fixture.spec(endpointGuard: .init(onCanaryUnavailable: action)))
        scene.observations.readyCanary = 0
        let decision = scene.drive()
        #expect(decision.changesRoutes)
        #expect(!scene.status.ownsTraffic, "the first thing that happens")
        scene.settle()
        switch action {
        case .rollback: #expect(scene.status.phase == .rolledBack)
        case .pause:
            #expect(scene.status.phase == .paused)
            scene.observations.readyCanary = 2
            scene.pass(100)
            #expect(!scene.status.ownsTraffic, "waits for a decision")
            try scene.ask(.resume)
            scene.settle()
            #expect(scene.status.currentStep?.state == .baking)
        case .hold:
            #expect(scene.status.phase == .progressing)
            scene.observations.readyCanary = 2
            scene.settle()
            #expect(scene.status.currentStep?.state == .baking)
            #expect(scene.status.currentStep?.elapsed(at: scene.now) == .zero, "the step bakes from the beginning")
        }
    }

    @Test("an abort reverts the traffic; leaving it without an owner is refused")
    func abort() throws {
        var scene = try Scene.started()
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.abort(revertTraffic: false)) }
        #expect(refusal.code == .unsupported)
        try scene.ask(.abort(revertTraffic: true))
        scene.settle()
        #expect(scene.status.phase == .aborted)
        #expect(scene.status.completionStatus == .aborted)
    }

    @Test("what the release is about disappears", arguments: ReleaseObservations.Target.allCases)
    func missing(_ target: ReleaseObservations.Target) throws {
        var scene = try Scene.started()
        scene.observations.missing = [target]
        scene.settle()
        #expect(scene.status.phase == (target == .canary ? .rolledBack : .failed))
        #expect(!scene.status.ownsTraffic)
    }

    @Test("a release that never becomes ready ends by its deadline, and one that is paused does not")
    func deadline() throws {
        var scene = Scene()
        scene.observations.readyCanary = 0
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .pending)
        #expect(scene.status.reason == .endpointsNotReady)
        scene.pass(599)
        #expect(scene.status.phase == .pending)
        scene.pass(1)
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.reason == .progressDeadlineExceeded)
        #expect(scene.events.last?.kind == .rolledBack)
    }

    @Test("a deadline in Pending with onFailed pause goes back to Pending")
    func pausedPending() throws {
        var scene = Scene(Fixture.spec(onFailed: .pause))
        scene.observations.readyCanary = 0
        try scene.ask(.start)
        scene.pass(0)
        scene.pass(600)
        #expect(scene.status.phase == .paused)
        scene.observations.readyCanary = 1
        try scene.ask(.resume)
        #expect(scene.events.contains { $0.phase == .pending && $0.kind == .resumed })
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.service.stableVersion == Fixture.v1)
    }

    @Test("downtime is reported and never exceeds a deadline by itself")
    func controllerGap() throws {
        var scene = Scene()
        scene.observations.readyCanary = 0
        try scene.ask(.start)
        scene.settle()
        let planned = try #require(scene.nextWakeupAt)
        scene.now = planned + .seconds(86_400)
        scene.drive()
        #expect(scene.status.phase == .pending)
        #expect(scene.events.last?.kind == .controllerGap)
        scene.pass(590)
        #expect(scene.status.phase == .pending)
        scene.pass(20)
        #expect(scene.status.phase == .rolledBack)
    }

    @Test("a service whose stable version is another one is left alone")
    func otherStable() throws {
        var scene = Scene()
        scene.service.stableVersion = Fixture.name("v0")
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.start) }
        #expect(refusal.code == .precondition)
        #expect(scene.status.phase == .draft)
    }
}
