import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A step is in force when everybody who can still be sending by older routes has followed")
struct ReleaseBarrierTests {
    /// A release whose first step has been committed, and whose proxies do not follow by themselves.
    private static func verifying(
        _ proxies: ReleaseObservations.Proxies, _ spec: ReleaseSpec = Fixture.spec()
    ) throws -> Scene {
        var scene = Scene(spec)
        scene.observations.proxies = proxies
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        return scene
    }

    private static func condition(_ scene: Scene) -> ReleaseStatus.Condition? {
        scene.status.conditions.first { $0.type == "TrafficApplied" }
    }

    @Test("baking begins when all have acknowledged")
    func acknowledged() throws {
        var scene = try Self.verifying(.connected(2))
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        scene.pass(10)
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(scene.status.blockedOn.map(\.kind) == ["Proxies"])
        scene.observations.proxies.acked = 1
        scene.pass(10)
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(Self.condition(scene)?.reason == "WaitingForProxies")
        scene.observations.proxies.acked = 2
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.status.currentStep?.elapsed(at: scene.now) == .zero)
        #expect(Self.condition(scene)?.isTrue == true)
        #expect(scene.status.traffic.appliedAt == scene.now)
    }

    @Test("the one that does not answer is left behind after its time, is named, and catches up")
    func straggler() throws {
        var proxies = ReleaseObservations.Proxies.connected(3, acked: 2)
        proxies.missing = ["shop/stopped-1"]
        var scene = try Self.verifying(proxies)
        scene.pass(59)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.events.count { $0.kind == .stragglersLeftBehind } == 1)
        #expect(Self.condition(scene)?.reason == "Stragglers")
        #expect(Self.condition(scene)?.message == "not acknowledged by shop/stopped-1")
        scene.observations.proxies.acked = 3
        scene.pass(1)
        #expect(Self.condition(scene)?.isTrue == true)
    }

    @Test(
        "too many who do not answer, or nobody who does, are what the plan says",
        arguments: ReleaseStrategy.ApplyTimeoutAction.allCases, [(1, 0), (3, 0), (3, 1), (1_000, 10), (1_000, 989)])
    func missed(_ action: ReleaseStrategy.ApplyTimeoutAction, _ counts: (relevant: Int, acked: Int)) throws {
        var spec = Fixture.spec()
        spec.strategy.onApplyTimeout = action
        var scene = try Self.verifying(.connected(counts.relevant, acked: counts.acked), spec)
        scene.pass(59)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.pass(1)
        switch action {
        case .proceed: #expect(scene.status.currentStep?.state == .baking)
        case .rollback: #expect(scene.status.phase == .rollingBack && !scene.status.ownsTraffic)
        case .hold:
            scene.pass(3_600)
            #expect(scene.status.currentStep?.state == .verifying, "longer than the step's deadline")
            #expect(scene.events.count { $0.kind == .applyTimeoutExceeded } == 1)
            scene.observations.proxies.acked = counts.relevant
            scene.settle()
            #expect(scene.status.currentStep?.state == .baking)
        }
        if action != .hold { #expect(Self.condition(scene)?.isTrue == false) }
    }

    @Test("who knows that the missing are gone goes on without them, once their time is over")
    func leftBehind() throws {
        var scene = try Self.verifying(.connected(3, acked: 0))
        scene.pass(59)
        #expect(throws: VerbRefusal.self) { try scene.ask(.promote(to: .next, expectedStep: nil)) }
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .verifying)
        try scene.ask(.promote(to: .next, expectedStep: nil))
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.events.count { $0.kind == .stragglersLeftBehind } == 1)
        #expect(Self.condition(scene)?.isTrue == false, "it is not said that they follow")
    }

    @Test("a promotion and its end can be waited for too long as well")
    func leftBehindAtTheEnd() throws {
        var scene = try Self.verifying(.connected(3, acked: 3))
        try scene.ask(.promote(to: .full, expectedStep: nil))
        for phase in [ReleaseStatus.Phase.promoting, .finalizing] {
            scene.observations.proxies.acked = 0
            scene.settle()
            #expect(scene.status.phase == phase)
            #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.promote))
            #expect(throws: VerbRefusal.self) { try scene.ask(.promote(to: .full, expectedStep: nil)) }
            scene.pass(60)
            #expect(scene.status.phase == phase)
            #expect(ReleaseMachine.allowedVerbs(scene.status).contains(.promote))
            try scene.ask(.promote(to: .next, expectedStep: nil))
            scene.settle()
        }
        scene.pass(3_600)
        #expect(scene.status.phase == .succeeded)
    }

    @Test("of ten thousand one, and of a thousand ten may be missing; a plan may say how many")
    func tolerated() throws {
        for (relevant, acked, limit, isIn) in [
            (10_000, 9_999, nil, true), (1_000, 990, nil, true), (1_000, 989, nil, false), (2, 1, nil, true),
            (2, 1, 0, false), (10, 7, 3, true),
        ] {
            var spec = Fixture.spec()
            spec.strategy.maxStragglers = limit
            var scene = try Self.verifying(.connected(relevant, acked: acked), spec)
            scene.pass(60)
            #expect((scene.status.currentStep?.state == .baking) == isIn, "\(acked) of \(relevant)")
        }
    }

    @Test("a mesh that never had a proxy has nobody to wait for")
    func never() throws {
        var proxies = ReleaseObservations.Proxies()
        proxies.servedSince = Fixture.epoch
        let scene = try Self.verifying(proxies)
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test("nobody known confirms nothing before a server has answered long enough for those who were there to find it")
    func nobody() throws {
        var proxies = ReleaseObservations.Proxies()
        proxies.hadAny = true
        var scene = try Self.verifying(proxies)
        scene.pass(3_600)
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(scene.status.blockedOn.map(\.kind) == ["ProxiesAway"])
        #expect(Self.condition(scene)?.reason == "ProxiesAway")
        scene.observations.proxies.servedSince = scene.now
        scene.pass(59)
        #expect(scene.status.currentStep?.state == .verifying)
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test(
        "the only replica dies: nobody is confirmed by it, and the timeout begins when all have had the time to come back"
    )
    func serverLost() throws {
        var scene = try Self.verifying(.connected(1_000, acked: 10))
        scene.pass(20)
        scene.observations.proxies.away = [.init(.serverLost, count: 990, since: scene.now)]
        scene.observations.proxies.servedSince = nil
        scene.pass(3_600)
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(scene.status.blockedOn.map(\.kind) == ["Proxies", "ProxiesAway"])
        let served = scene.now
        scene.observations.proxies.servedSince = served
        scene.observations.proxies.away = [.init(.serverLost, count: 990, since: served, until: served + .seconds(60))]
        scene.settle()
        let status = scene.status
        scene.drive()
        #expect(scene.status == status, "a grace that lasts is not written down again and again")
        scene.pass(119)
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(scene.status.traffic.missedAt == nil)
        scene.observations.proxies.away = [.init(.stillRegistered, count: 990, since: served)]
        scene.pass(1)
        #expect(scene.status.traffic.missedAt == scene.now)
        #expect(scene.status.currentStep?.state == .verifying, "10 of 1000 hold the step")
        scene.observations.proxies = .connected(1_000, acked: 1_000)
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test("who is back has the whole timeout, from when all are")
    func back() throws {
        var scene = try Self.verifying(.connected(3, acked: 1))
        scene.pass(50)
        scene.observations.proxies.away = [
            .init(.serverLost, count: 2, since: scene.now, until: scene.now + .seconds(60))
        ]
        scene.pass(5)
        scene.observations.proxies.away = []
        scene.settle()
        scene.pass(59)
        #expect(scene.status.traffic.missedAt == nil)
        scene.pass(1)
        #expect(scene.status.traffic.missedAt == scene.now)
    }

    @Test("whose stream ended counts until it is gone, and prolongs nothing after that")
    func ended() throws {
        var scene = try Self.verifying(.connected(3, acked: 2))
        let end = scene.now + .seconds(10)
        scene.observations.proxies.away = [.init(.streamEnded, count: 1, since: scene.now, until: end)]
        scene.pass(9)
        #expect(scene.status.blockedOn.map(\.kind) == ["Proxies", "ProxiesAway"])
        #expect(scene.status.blockedOn.last?.detail.contains(end.text) == true)
        scene.observations.proxies = .connected(2, acked: 2)
        scene.pass(1)
        #expect(scene.status.currentStep?.state == .baking)
    }

    @Test("the former stable version may go when all have the routes of the promotion, and a while after that")
    func retirement() throws {
        var scene = try Self.verifying(.connected(2), Fixture.spec([Fixture.weight(10_000)]))
        scene.observations.proxies.acked = 2
        while scene.status.phase != .finalizing && scene.status.phase.isActive { scene.drive() }
        #expect(scene.status.phase == .finalizing)
        let promoted = try #require(scene.status.traffic.configRevision)
        scene.observations.proxies.acked = 0
        scene.pass(3_600)
        #expect(scene.status.phase == .finalizing)
        #expect(scene.status.traffic.configRevision == promoted)
        scene.observations.proxies.acked = 2
        scene.settle()
        scene.pass(29)
        #expect(scene.status.phase == .finalizing)
        scene.pass(1)
        #expect(scene.status.phase == .succeeded)
    }

    @Test("a rollback's routes go out at once; its end waits for those who may be at the canary, and not for ever")
    func rollback() throws {
        var scene = try Scene.started(proxies: 2)
        scene.proxiesFollow = false
        scene.observations.proxies.away = [.init(.serverLost, count: 2, since: scene.now)]
        try scene.ask(.rollback(reason: nil, force: false))
        #expect(!scene.status.ownsTraffic)
        scene.pass(300)
        #expect(scene.status.phase == .rollingBack)
        #expect(scene.status.blockedOn.map(\.kind) == ["ProxiesAway"])
        scene.observations.proxies.away = [.init(.stillRegistered, count: 2, since: scene.now)]
        scene.pass(60)
        #expect(scene.status.phase == .rolledBack)
        #expect(Self.condition(scene)?.reason == "Stragglers")
    }

    @Test(
        "a proxy that refuses what holds the release fails the step",
        arguments: [ReleaseSpec.FailureAction.rollback, .pause])
    func rejection(_ onFailed: ReleaseSpec.FailureAction) throws {
        var scene = try Self.verifying(.connected(1), Fixture.spec(onFailed: onFailed))
        let revision = try #require(scene.status.traffic.configRevision)
        scene.observations.rejections = [.init(proxy: "p", revision: revision, message: "bad route")]
        scene.settle()
        #expect(scene.status.phase == (onFailed == .rollback ? .rollingBack : .paused))
        #expect(scene.status.reason == .configRejected)
        #expect(scene.status.message.contains("bad route"))
        guard onFailed == .pause else { return }
        scene.observations.rejections = []
        scene.observations.proxies.acked = 1
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
