import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("A step is in force when its revision is known and followed")
struct ReleaseStepTests {
    @Test("it is verified from when its revision is known")
    func applying() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60)]))
        scene.observations.proxies = .connected(4)
        scene.proxiesFollow = false
        let started = try scene.ask(.start)
        #expect(started.status.currentStep?.state == .applying && started.status.traffic.awaitsStamp)
        #expect(scene.status.traffic.configRevision == scene.revision)
        scene.drive()
        #expect(scene.status.currentStep?.state == .verifying)
    }

    @Test("one that sends what is sent already waits for those who have not followed, from its own beginning")
    func sameTraffic() throws {
        var spec = Fixture.spec([Fixture.weight(500, bake: 10), Fixture.weight(500, bake: 10)], onFailed: .pause)
        spec.strategy.onApplyTimeout = .hold
        var scene = Scene(spec)
        scene.observations.proxies = .connected(4)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.pass(30)
        scene.observations.rejections = [.init(proxy: "p", revision: 101, message: "no")]
        scene.settle()
        #expect(scene.status.phase == .paused && scene.status.currentStep?.state == .failed)
        scene.observations.rejections = []
        scene.pass(20)
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.traffic.waitingSince == scene.now && scene.status.currentStep?.visit == 2)
        // Where all have followed nobody is waited for.
        scene.proxiesFollow = true
        scene.settle()
        let since = scene.status.traffic.waitingSince
        scene.pass(10)
        #expect(scene.status.currentStep?.index == 1 && scene.status.currentStep?.state == .baking)
        #expect(scene.status.traffic.waitingSince == since)
    }
}
