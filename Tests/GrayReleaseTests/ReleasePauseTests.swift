import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("A pause takes nothing from a release but time")
struct ReleasePauseTests {
    @Test("of several reasons to stand still each keeps its own message, and the newest is the release's")
    func messages() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(10_000)]))
        scene.observations.rules.leftOut = ["a"]
        scene.settle()
        #expect(scene.status.reason == .tooManyCopies && scene.status.message.hasPrefix("a rule is not split: a"))
        scene.observations.rules.leftOut = ["b"]
        scene.settle()
        #expect(scene.status.message.hasPrefix("a rule is not split: b"), "it is about something else now")
        try scene.ask(.pause(reason: "lunch"))
        #expect(scene.status.reason == .manualPause && scene.status.message == "lunch")
        scene.observations.rules.leftOut = ["c"]
        scene.settle()
        #expect(scene.status.message == "lunch")
        #expect(scene.status.pauseConditions.map { $0.message.prefix(24) } == ["a rule is not split: c; ", "lunch"])
    }

    @Test("proxies that have not followed are waited for anew, and those that have are not asked again")
    func proxies() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(10_000)]))
        scene.observations.proxies = .connected(4)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.pass(30)
        try scene.ask(.pause(reason: nil))
        scene.pass(100)
        try scene.ask(.resume)
        scene.pass(59)
        #expect(!scene.status.traffic.isMissed)
        scene.pass(1)
        #expect(scene.status.traffic.isMissed)
        // When they are there, the time that they had is what it was.
        scene.proxiesFollow = true
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        let since = scene.status.traffic.waitingSince
        try scene.ask(.pause(reason: nil))
        scene.pass(10)
        try scene.ask(.resume)
        #expect(scene.status.traffic.waitingSince == since)
        scene.pass(59)
        #expect(scene.status.currentStep?.index == 0)
        scene.pass(1)
        #expect(scene.status.currentStep?.index != 0)
    }

    @Test("a release that has sent nothing yet waits for nobody after it, and looks again at what it needs")
    func untouched() throws {
        let guarding = ReleaseStrategy.EndpointGuard(capacityPercent: 100)
        var scene = Scene(Fixture.spec([Fixture.weight(10_000, bake: 60)], endpointGuard: guarding))
        scene.observations.readyStable = 4
        scene.observations.readyCanary = 1
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .progressing && scene.status.currentStep?.state == .pending)
        try scene.ask(.pause(reason: nil))
        scene.pass(10)
        let before = scene.events.count
        try scene.ask(.resume)
        #expect(scene.status.traffic.waitingSince == nil && scene.status.traffic.changedAt == nil)
        #expect(scene.events.dropFirst(before).map(\.kind) == [.resumed, .progressing], "it is pending for a moment")
        scene.observations.readyCanary = 4
        scene.settle()
        #expect(scene.status.currentStep?.state == .baking)
        try scene.ask(.pause(reason: nil))
        let later = scene.events.count
        try scene.ask(.resume)
        #expect(scene.events.dropFirst(later).map(\.kind) == [.resumed])
    }

    @Test("a canary that is gone ends a pause step's waiting, and not the one of a person")
    func canaryGone() throws {
        let holding = ReleaseStrategy.EndpointGuard(onCanaryUnavailable: .hold)
        var scene = try Scene.started(
            Fixture.spec(
                [Fixture.weight(500), ReleaseStep(.pause(nil)), Fixture.weight(10_000)], endpointGuard: holding))
        #expect(scene.status.isPaused(for: .pauseStep))
        try scene.ask(.pause(reason: "lunch"))
        scene.observations.readyCanary = 0
        scene.settle()
        #expect(scene.status.pauseConditions.map(\.reason) == [.manualPause])
        #expect(scene.status.phase == .paused && !scene.status.traffic.isEffective)
        try scene.ask(.resume)
        #expect(scene.status.phase == .progressing && scene.status.currentStep?.index == 1)
        scene.observations.readyCanary = 2
        scene.settle()
        #expect(scene.status.isPaused(for: .pauseStep) && scene.status.traffic.canaryShare == Fixture.share(500))
        // Without a pause of a person it goes on by itself.
        scene.observations.readyCanary = 0
        scene.settle()
        #expect(scene.status.phase == .progressing && scene.status.pauseConditions.isEmpty)
    }
}
