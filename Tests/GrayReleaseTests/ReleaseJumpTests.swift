import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("Steps that somebody leaves out or chooses")
struct ReleaseJumpTests {
    private static let plan = [
        Fixture.weight(100, bake: 60), Fixture.weight(500, bake: 60), ReleaseStep(.pause(nil)),
        Fixture.weight(10_000, bake: 60),
    ]

    @Test("skip ends what a step in force waits for, and leaves its traffic")
    func skipsWaiting() throws {
        var scene = try Scene.started(Fixture.spec(Self.plan))
        try scene.ask(.skip(expectedStep: 0, .init(reason: "seen enough")))
        scene.settle()
        #expect(scene.status.currentStep?.index == 1 && scene.status.skipped.isEmpty)
        #expect(scene.status.traffic.canaryShare == Fixture.share(500))
        try scene.ask(.skip(expectedStep: 1))
        scene.settle()
        #expect(scene.status.currentStep?.index == 2 && scene.status.phase == .paused)
        try scene.ask(.skip(expectedStep: 2))
        scene.settle()
        #expect(scene.status.currentStep?.index == 3 && scene.status.traffic.canaryShare == .all)
        #expect(scene.events.filter { $0.kind == .stepChosen }.count == 3)
    }

    @Test("skip of a step that is not in force has the release go on as if it were not part of the plan")
    func skipsTraffic() throws {
        var spec = Fixture.spec(Self.plan)
        spec.strategy.endpointGuard.capacityPercent = 100
        var scene = try Scene.started(spec)
        scene.observations.readyCanary = 1
        scene.observations.readyStable = 100
        scene.pass(60)
        #expect(scene.status.currentStep?.index == 1 && scene.status.currentStep?.state == .pending)
        try scene.ask(.skip(expectedStep: 1))
        scene.settle()
        #expect(scene.status.currentStep?.index == 2 && scene.status.skipped == [1])
        #expect(scene.status.traffic.canaryShare == Fixture.share(100))
        #expect(ReleaseStatus(scene.status.json).skipped == [1])
    }

    @Test("a failed step that is skipped is over, also if it is the last")
    func skipsFailed() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500)], onFailed: .pause))
        #expect(scene.status.phase != .paused)
        scene = try Scene.started(
            Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(900)], onFailed: .pause), proxies: 1)
        scene.proxiesFollow = false
        scene.pass(61)
        scene.observations.rejections = [.init(proxy: "p", revision: scene.revision, message: "no")]
        scene.settle()
        #expect(scene.status.phase == .paused && scene.status.currentStep?.state == .failed)
        scene.observations.rejections = []
        scene.proxiesFollow = true
        try scene.ask(.skip(expectedStep: 1))
        for _ in 0..<5 { scene.pass(60) }
        #expect(scene.status.phase == .succeeded && scene.status.skipped == [1])
    }

    @Test("goto goes back and forth, and the traffic is the sum of the steps through it")
    func jumps() throws {
        var scene = try Scene.started(Fixture.spec(Self.plan))
        scene.pass(60)
        #expect(scene.status.currentStep?.index == 1)
        try scene.ask(.goto(step: 0, expectedStep: 1, .init(reason: "too fast")))
        scene.settle()
        #expect(scene.status.currentStep?.index == 0 && scene.status.traffic.canaryShare == Fixture.share(100))
        #expect(scene.status.currentStep?.state == .baking)
        try scene.ask(.goto(step: 3, expectedStep: 0))
        scene.settle()
        #expect(scene.status.currentStep?.index == 3 && scene.status.traffic.canaryShare == .all)
        try scene.ask(.goto(step: 2, expectedStep: 3))
        scene.settle()
        #expect(scene.status.phase == .paused && scene.status.traffic.canaryShare == Fixture.share(500))
        try scene.ask(.goto(step: 2, expectedStep: 2))
        scene.settle()
        #expect(scene.status.phase == .paused)
    }

    @Test("both are refused for another step, and for one that there is not")
    func refused() throws {
        var scene = try Scene.started(Fixture.spec(Self.plan))
        for verb in [
            ReleaseVerb.skip(expectedStep: 1), .goto(step: 1, expectedStep: 2),
            .goto(step: 4, expectedStep: 0),
        ] {
            #expect(throws: VerbRefusal.self) { try scene.ask(verb) }
        }
        #expect(scene.status.currentStep?.index == 0)
    }
}
