import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("On the way to the promotion")
struct ReleasePromotionTests {
    /// At the step that the engine adds behind the plan.
    private static func promoting(_ change: (inout ReleaseSpec) -> Void = { _ in }) throws -> Scene {
        var spec = Fixture.spec([Fixture.weight(5000)])
        change(&spec)
        let scene = try Scene.started(spec, until: .promoting)
        #expect(scene.status.currentStep?.state == .verifying)
        return scene
    }

    @Test("a proxy that refuses the routes of the promotion stops it")
    func rejections() throws {
        for onFailed in ReleaseSpec.FailureAction.allCases {
            var scene = try Self.promoting { $0.onFailed = onFailed }
            scene.observations.rejections = [.init(proxy: "p", revision: 101, message: "no")]
            scene.settle()
            #expect(
                scene.events.contains { $0.reason == .configRejected && $0.message == "p rejected revision 101: no" })
            #expect(scene.status.phase == (onFailed == .pause ? .paused : .rollingBack))
        }
    }

    @Test("it can be promoted while it stands still only if rules that are left out are the reason")
    func verbs() throws {
        var scene = try Self.promoting()
        try scene.ask(.pause(reason: nil))
        #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.promote))
        scene.observations.rules.leftOut = ["a"]
        scene.settle()
        #expect(ReleaseMachine.allowedVerbs(scene.status).contains(.promote))
        #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.resume))
        scene.observations.rules.areSplit = false
        scene.settle()
        #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.promote), "there is nothing to promote")
    }

    @Test("the canary must be ready when it is promoted, and has the time of a step to become so")
    func readiness() throws {
        var scene = try Self.promoting {
            $0.strategy.endpointGuard.minReady = 2
            $0.progressDeadline = .seconds(100)
        }
        scene.observations.readyCanary = 1
        scene.proxiesFollow = true
        scene.settle()
        #expect(scene.status.phase == .promoting)
        #expect(scene.status.blockedOn.map(\.detail) == ["v2 needs 2 healthy endpoints to be promoted"])
        let deadline = try #require(scene.status.currentStep?.deadlineAt)
        #expect(deadline == scene.now + .seconds(100))
        scene.pass(50)
        #expect(scene.status.currentStep?.deadlineAt == deadline, "the time is not given anew")
        var late = scene
        late.pass(50)
        #expect(late.events.contains { $0.reason == .progressDeadlineExceeded })
        scene.observations.readyCanary = 2
        scene.settle()
        #expect(scene.status.phase == .finalizing)
    }

    @Test("promote to full leaves out what remains, and behind the plan those who are missing")
    func toFull() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500), Fixture.weight(10_000)]))
        scene.observations.proxies = .connected(4)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        scene.pass(60)
        #expect(scene.status.traffic.isMissed)
        try scene.ask(.promote(to: .full, expectedStep: nil))
        #expect(scene.status.phase == .promoting && scene.status.ending == .fastPromoted)
        #expect(
            scene.events.contains { $0.kind == .stepSkipped }
                && !scene.events.contains { $0.kind == .stragglersLeftBehind })
        scene.settle()
        scene.pass(60)
        #expect(scene.status.phase == .promoting && scene.status.traffic.isMissed)
        try scene.ask(.promote(to: .full, expectedStep: nil))
        #expect(scene.events.contains { $0.kind == .stragglersLeftBehind })
        scene.settle()
        #expect(scene.status.phase == .finalizing)
    }
}
