import MeshModel
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
        #expect(scene.service.promotions.map(\.to) == [Fixture.v2])
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
        scene.observations.ackedClusters = 2
        try scene.ask(.promote(to: .full, expectedStep: 0))
        scene.settle()
        #expect(scene.status.phase == .promoting)
        #expect(scene.status.traffic.canaryShare == .all)
        #expect(scene.service.stableVersion == Fixture.v1)
        scene.observations.ackedRoutes = 2
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

@Suite("A release makes before it breaks")
struct ReleaseBarrierTests {
    @Test("the canary is sent nothing before every proxy knows it")
    func barrier() throws {
        var scene = Scene()
        scene.observations.connectedProxies = 2
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.traffic.clustersRevision != nil)
        #expect(!scene.status.ownsTraffic)
        scene.observations.ackedClusters = 1
        scene.settle()
        #expect(!scene.status.ownsTraffic)
        #expect(scene.status.blockedOn.map(\.kind) == ["Proxies"])
        scene.observations.ackedClusters = 2
        scene.settle()
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        #expect(scene.status.currentStep?.state == .verifying, "baking begins when the proxies have followed")
        scene.pass(10)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.observations.ackedRoutes = 2
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.status.currentStep?.elapsed(at: scene.now) == .zero)
    }

    @Test("proxies that never answer are reported and left behind")
    func stragglers() throws {
        var scene = Scene()
        scene.observations.connectedProxies = 2
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.pass(29)
        #expect(!scene.status.ownsTraffic)
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.pass(30)
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.events.count { $0.kind == .stragglersLeftBehind } == 2)
    }

    @Test(
        "a proxy that rejects the configuration fails the step",
        arguments: [ReleaseSpec.FailureAction.rollback, .pause])
    func rejection(_ onFailed: ReleaseSpec.FailureAction) throws {
        var scene = Scene(Fixture.spec(onFailed: onFailed))
        scene.observations.connectedProxies = 1
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.observations.ackedClusters = 1
        scene.settle()
        let revision = try #require(scene.status.traffic.configRevision)
        scene.observations.rejections = [.init(proxy: "p", revision: revision - 1, message: "old")]
        scene.settle()
        #expect(scene.status.currentStep?.state == .verifying, "a rejection of something older is not the step's")
        scene.observations.rejections = [.init(proxy: "p", revision: revision, message: "bad route")]
        scene.settle()
        #expect(scene.status.phase == (onFailed == .rollback ? .rollingBack : .paused))
        #expect(scene.status.reason == .configRejected)
        #expect(scene.status.message.contains("bad route"))
        guard onFailed == .pause else { return }
        scene.observations.rejections = []
        scene.observations.ackedRoutes = 1
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test("a step waits for as many canary endpoints as its share needs")
    func capacity() throws {
        let spec = Fixture.spec(
            [Fixture.weight(5000, bake: 5)], endpointGuard: .init(minReady: 1, capacityPercent: 100))
        var scene = Scene(spec)
        scene.observations.readyStable = 5
        scene.observations.readyCanary = 2
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.blockedOn.map(\.kind) == ["Endpoints"])
        #expect(!scene.status.ownsTraffic)
        scene.observations.readyCanary = 3
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        scene.pass(5)
        #expect(scene.status.phase == .promoting, "all traffic needs five")
        scene.pass(599)
        #expect(scene.status.phase == .promoting)
        scene.pass(1)
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.reason == .progressDeadlineExceeded)
    }
}

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
        scene.observations.ackedRoutes = 2
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
        scene.pass(30)
        #expect(scene.status.phase == .rolledBack)
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
