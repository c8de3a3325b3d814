import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("A release says when it has to be looked at again")
struct ReleaseWakeupTests {
    /// How long from now.
    private static func wait(_ scene: Scene) -> Duration? { scene.nextWakeupAt.map { $0 - scene.now } }

    @Test("soon where nobody tells it, later where somebody does, and at each time that is set")
    func phases() throws {
        var scene = Scene(
            Fixture.spec([Fixture.weight(500, bake: 60), ReleaseStep(.pause(.seconds(100))), Fixture.weight(10_000)]))
        #expect(scene.drive().nextWakeupAt == nil, "a draft")
        scene.observations.readyCanary = 0
        scene.observations.proxies = .connected(4)
        scene.proxiesFollow = false
        try scene.ask(.start)
        #expect(Self.wait(scene) == .seconds(2), "endpoints may come at any time")
        scene.observations.readyCanary = 2
        scene.drive()
        #expect(
            scene.status.currentStep?.state == .applying && Self.wait(scene) == .milliseconds(250),
            "its revision is not known")
        scene.settle()
        #expect(scene.status.currentStep?.state == .verifying && Self.wait(scene) == .milliseconds(500))
        scene.skip(.milliseconds(59_800))
        #expect(Self.wait(scene) == .milliseconds(200), "their time is over then")
        scene.pass(1)
        #expect(Self.wait(scene) == .seconds(2), "and is over")
        scene.proxiesFollow = true
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking && Self.wait(scene) == .seconds(5))
        scene.pass(57)
        #expect(Self.wait(scene) == .seconds(3), "it has baked then")
        scene.pass(3)
        #expect(scene.status.phase == .paused && Self.wait(scene) == .seconds(5), "the canary is exposed")
        scene.pass(98)
        #expect(Self.wait(scene) == .seconds(2), "the pause is over then")
        scene.pass(2)
        #expect(scene.status.phase == .finalizing && Self.wait(scene) == .seconds(5))
        scene.pass(28)
        #expect(Self.wait(scene) == .seconds(2), "the stable version has been retained then")
        scene.pass(2)
        #expect(scene.status.phase == .succeeded && scene.nextWakeupAt == nil)
    }

    @Test("a start in the future is not looked at all the time")
    func scheduled() throws {
        var spec = Fixture.spec()
        spec.startAt = Fixture.epoch + .seconds(100)
        var scene = Scene(spec)
        try scene.ask(.start)
        #expect(Self.wait(scene) == .seconds(60))
        scene.pass(70)
        #expect(Self.wait(scene) == .seconds(30))
    }

    @Test("one that stands still with nothing at the canary waits for a person, not for a deadline")
    func paused() throws {
        let guarding = ReleaseStrategy.EndpointGuard(capacityPercent: 100)
        var spec = Fixture.spec([Fixture.weight(10_000, bake: 60)], endpointGuard: guarding)
        spec.progressDeadline = .seconds(20)
        var scene = Scene(spec)
        scene.observations.readyStable = 4
        scene.observations.readyCanary = 1
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.currentStep?.state == .pending)
        scene.pass(10)
        try scene.ask(.pause(reason: nil))
        #expect(Self.wait(scene) == .seconds(30))
    }

    @Test("one that ends waits for proxies until their time is over")
    func ending() throws {
        let finalizing = try Scene.started(Fixture.spec([Fixture.weight(10_000)]), until: .finalizing)
        #expect(finalizing.status.traffic.appliedAt == nil && Self.wait(finalizing) == .milliseconds(500))
        var turning = try Scene.started(proxies: 4)
        turning.proxiesFollow = false
        try turning.ask(.rollback(reason: nil, force: false))
        turning.settle()
        #expect(turning.status.phase == .rollingBack && Self.wait(turning) == .milliseconds(500))
        turning.skip(.milliseconds(59_700))
        #expect(Self.wait(turning) == .milliseconds(300))
    }
}
