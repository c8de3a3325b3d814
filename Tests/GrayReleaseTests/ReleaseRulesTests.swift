import GrayRelease
import ReleaseFixtures
import Testing

@Suite("A release and what the rules of the mesh leave to it")
struct ReleaseRulesTests {
    private static func scoped(_ steps: [ReleaseStep]) -> ReleaseSpec {
        var spec = Fixture.spec(steps)
        spec.strategy.rules = ["main"]
        spec.unsplit = .hold
        return spec
    }

    @Test("a release that has nothing to split any more stands still with its clock, and goes on when it has")
    func nothingToSplit() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(10_000)]))
        scene.pass(20)
        scene.observations.rules.areSplit = false
        scene.settle()
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .nothingToSplit)
        #expect(scene.status.traffic.canaryShare == Fixture.share(500), "what the release wants is still so")
        scene.pass(600)
        #expect(scene.status.currentStep?.index == 0, "the step does not bake")
        for verb in [
            ReleaseVerb.resume, .promote(to: .next, expectedStep: nil), .promote(to: .full, expectedStep: nil),
        ] {
            let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(verb) }
            #expect(!refusal.allowedActions.contains(verb.name))
        }
        scene.observations.rules.areSplit = true
        scene.settle()
        #expect(scene.status.phase == .progressing)
        scene.pass(39)
        #expect(scene.status.currentStep?.index == 0)
        scene.pass(1)
        #expect(scene.status.phase == .finalizing)
    }

    @Test("a step is not verified while there is nothing to split, and a rollback is always possible")
    func notVerified() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60)]))
        scene.observations.proxies = .connected(2)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.currentStep?.state == .verifying)
        scene.observations.rules.areSplit = false
        scene.observations.proxies = .connected(2, acked: 2)
        scene.settle()
        #expect(scene.status.currentStep?.state == .verifying)
        #expect(scene.status.phase == .paused)
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
    }

    @Test("a pause step goes on waiting when the rules are back, and other reasons to stand still stay")
    func amongOthers() throws {
        var scene = try Scene.started(Fixture.spec([ReleaseStep(.pause(.seconds(100))), Fixture.weight(10_000)]))
        scene.pass(40)
        scene.observations.rules.areSplit = false
        scene.settle()
        #expect(scene.status.pauseConditions.map(\.reason) == [.pauseStep, .nothingToSplit])
        scene.pass(1000)
        scene.observations.rules.areSplit = true
        scene.settle()
        #expect(scene.status.pauseConditions.map(\.reason) == [.pauseStep])
        scene.pass(59)
        #expect(scene.status.phase == .paused)
        scene.pass(1)
        #expect(scene.status.phase == .finalizing)
        #expect(Set(scene.events.map(\.dedupeKey)).count == scene.events.count)
    }

    @Test("routes that would move unsplit hold the promotion until somebody promotes")
    func hold() throws {
        var scene = Scene(Self.scoped([Fixture.weight(5000)]))
        scene.observations.rules.unsplit = ["the default route of service a", "b", "c", "d", "e", "f", "g"]
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .unsplitRoutes)
        #expect(scene.status.message.contains("the default route of service a, b, c, d, e and 2 more"))
        #expect(scene.service.promotions.isEmpty)
        #expect(scene.status.traffic.canaryShare == Fixture.share(5000))
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.resume) }
        #expect(refusal.allowedActions == [.pause, .promote, .rollback, .abort])
        try scene.ask(.promote(to: .next, expectedStep: 0))
        scene.settle()
        #expect(scene.status.phase == .finalizing)
        #expect(scene.status.completionStatus == nil)
        #expect(scene.service.promotions.first?.rules == ["main"])
    }

    @Test(
        "a step that leaves rules out as their copies are too many is not in force until they fit or somebody promotes")
    func tooManyCopies() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(10_000)]))
        try scene.ask(.start)
        scene.settle()
        scene.pass(20)
        scene.observations.rules.leftOut = ["rule a: it would make more copies (limit copiesPerService)", "b", "c"]
        scene.settle()
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .tooManyCopies)
        #expect(
            scene.status.message.hasPrefix("3 rules are not split: rule a: it would make more copies (limit copies"))
        let applied = try #require(scene.status.conditions.first { $0.type == "TrafficApplied" })
        #expect(!applied.isTrue && applied.reason == "TooManyCopies")
        scene.pass(600)
        #expect(scene.status.currentStep?.index == 0)
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.resume) }
        #expect(refusal.allowedActions == [.pause, .promote, .rollback, .abort])
        var fitting = scene
        fitting.observations.rules.leftOut = []
        fitting.settle()
        #expect(fitting.status.phase == .progressing && fitting.status.currentStep?.index == 0)
        fitting.pass(40)
        #expect(fitting.status.phase == .finalizing)

        try scene.ask(.promote(to: .next, expectedStep: 0))
        scene.settle()
        #expect(scene.status.phase == .progressing && scene.status.currentStep?.index == 0, "the step goes on")
        let told = try #require(scene.status.conditions.first { $0.type == "TrafficApplied" })
        #expect(!told.isTrue, "nobody says that all of it is applied")
        scene.observations.rules.leftOut = []
        scene.settle()
        scene.observations.rules.leftOut = ["d"]
        scene.settle()
        #expect(scene.status.isPaused(for: .tooManyCopies), "another time is asked about anew")
    }

    @Test("a release does not begin its promotion while rules are left out, and says what else it waits for afterwards")
    func leftOutAtTheEnd() throws {
        var scene = Scene(Self.scoped([Fixture.weight(5000)]))
        scene.observations.rules.unsplit = ["a"]
        try scene.ask(.start)
        scene.settle()
        scene.observations.rules.leftOut = ["b"]
        scene.settle()
        #expect(scene.status.pauseConditions.map(\.reason) == [.unsplitRoutes, .tooManyCopies])
        scene.observations.rules.leftOut = []
        scene.observations.rules.unsplit = ["renamed"]
        scene.settle()
        #expect(scene.status.reason == .unsplitRoutes)
        #expect(scene.status.message.contains("did not split: renamed;"), "\(scene.status.message)")
        #expect(ReleaseStatus(scene.status.json) == scene.status)
    }

    @Test("a release that has ended waits for nothing, and one that has not begun has applied nothing")
    func saysNothingUntrue() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500)]))
        scene.observations.readyCanary = 0
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .pending && !scene.status.blockedOn.isEmpty)
        let applied = try #require(scene.status.conditions.first { $0.type == "TrafficApplied" })
        #expect(!applied.isTrue && applied.reason == "NotSent")
        scene.pass(700)
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.blockedOn.isEmpty)
    }

    @Test("nothing is held if the plan says move, if nothing moves unsplit any more, or if it was promoted to full")
    func notHeld() throws {
        var moving = Scene(Fixture.spec([Fixture.weight(5000)]))
        moving.observations.rules.unsplit = ["a"]
        try moving.ask(.start)
        moving.settle()
        #expect(moving.status.phase == .finalizing)

        var edited = Scene(Self.scoped([Fixture.weight(5000)]))
        edited.observations.rules.unsplit = ["a"]
        try edited.ask(.start)
        edited.settle()
        #expect(edited.status.phase == .paused)
        edited.observations.rules.unsplit = []
        edited.settle()
        #expect(edited.status.phase == .finalizing)

        var full = Scene(Self.scoped([Fixture.weight(5000), ReleaseStep(.pause(nil))]))
        full.observations.rules.unsplit = ["a"]
        try full.ask(.start)
        full.settle()
        try full.ask(.promote(to: .full, expectedStep: nil))
        full.settle()
        #expect(full.status.phase == .finalizing)
        #expect(full.status.isUnsplitAcknowledged)
    }

    @Test("a rollback's last event names the rules that go on sending requests to the canary by hand")
    func handWeighted() throws {
        var scene = try Scene.started()
        scene.observations.rules.handWeighted = ["rule \"main\""]
        try scene.ask(.rollback(reason: "bad", force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.events.last?.kind == .rolledBack)
        #expect(scene.events.last?.message.hasPrefix("bad; ") == true)
        #expect(scene.events.last?.message.hasSuffix("rule \"main\"") == true)
    }
}
