import Analysis
import Documents
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A release that goes by measurements")
struct ReleaseAnalysisTests {
    private static let look = ReleaseStep(.analysis(AnalysisUse()))
    private static let plan = [Fixture.weight(500), look, Fixture.weight(10_000)]

    /// At the step that waits for measurements.
    private static func waiting(_ change: (inout ReleaseSpec) -> Void = { _ in }) throws -> Scene {
        var spec = Fixture.spec(plan)
        change(&spec)
        let scene = try Scene.started(spec)
        #expect(scene.status.currentStep?.index == 1 && scene.status.currentStep?.state == .waiting)
        #expect(scene.status.phase == .progressing && scene.begun.count == 1)
        return scene
    }

    /// At a step that bakes while something is measured beside it.
    private static func baking(_ change: (inout ReleaseSpec) -> Void = { _ in }) throws -> Scene {
        var spec = Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(10_000)])
        spec.strategy.backgroundAnalysis = BackgroundAnalysis()
        change(&spec)
        let scene = try Scene.started(spec)
        #expect(scene.status.currentStep?.state == .baking && scene.begun.count == 1)
        return scene
    }

    private static func measured(_ scene: Scene) -> AnalysisObservation {
        AnalysisObservation(.running, measuredSince: scene.status.traffic.appliedAt)
    }

    // MARK: A step's own

    @Test("waits for them as long as it takes, and goes on when they are good")
    func passes() throws {
        var scene = try Self.waiting()
        scene.pass(3_600)
        #expect(scene.status.currentStep?.index == 1 && scene.status.blockedOn.first?.kind == "Analysis")
        scene.find(scene.begun.last, AnalysisObservation(.successful))
        #expect(scene.status.currentStep?.index == 3 || scene.status.phase != .progressing)
        #expect(scene.status.analysis.current == nil)
    }

    @Test("says how many requests it lacks")
    func shortage() throws {
        var scene = try Self.waiting()
        scene.find(scene.begun.last, AnalysisObservation(.running, shortages: ["3 of 20 requests"]))
        #expect(
            scene.status.blockedOn.first?.kind == "Samples"
                && scene.status.blockedOn.first?.detail == "3 of 20 requests")
    }

    @Test("turns around when they are bad, and says what they said")
    func fails() throws {
        var scene = try Self.waiting()
        scene.find(scene.begun.last, AnalysisObservation(.failed, message: "0.5 < 0.9"))
        #expect(scene.status.phase == .rolledBack && scene.status.reason == .analysisFailed)
        #expect(scene.status.message == "0.5 < 0.9" && scene.status.traffic.canaryShare == .none)
        #expect(scene.status.analysis == ReleaseStatus.AnalysisRuns())
    }

    @Test("stands still when they are bad if it is told to; resume measures again")
    func failsAndPauses() throws {
        var scene = try Self.waiting { $0.onFailed = .pause }
        let first = scene.begun.last
        scene.find(first, AnalysisObservation(.failed, message: "bad"))
        #expect(scene.status.phase == .paused && scene.status.isPaused(for: .analysisFailed))
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.phase == .progressing && scene.begun.last != first)
        scene.find(scene.begun.last, AnalysisObservation(.successful))
        #expect(scene.status.phase != .paused && scene.status.currentStep?.index != 1)
    }

    @Test("that are undecided it takes a decision about: resume is none")
    func inconclusive() throws {
        var scene = try Self.waiting()
        let first = scene.begun.last
        scene.find(first, AnalysisObservation(.inconclusive, message: "too few"))
        #expect(scene.status.phase == .paused && scene.status.message == "too few")
        #expect(!ReleaseMachine.allowedVerbs(scene.status).contains(.resume))
        #expect(ReleaseMachine.allowedVerbs(scene.status).contains(.retryAnalysis))
        var again = scene
        try again.ask(.retryAnalysis)
        again.settle()
        #expect(
            again.status.phase == .progressing && again.status.currentStep?.state == .waiting
                && again.begun.last != first)
        try scene.ask(.promote(to: .next, expectedStep: nil))
        scene.settle()
        #expect(scene.status.currentStep?.index != 1 && scene.events.contains { $0.kind == .inconclusiveAccepted })
    }

    @Test(
        "that are undecided do what the release says",
        arguments: [(ReleaseSpec.InconclusiveAction.rollback, ReleaseStatus.Phase.rolledBack), (.proceed, .finalizing)])
    func inconclusiveActions(_ action: ReleaseSpec.InconclusiveAction, _ phase: ReleaseStatus.Phase) throws {
        var scene = try Self.waiting { $0.onInconclusive = action }
        scene.find(scene.begun.last, AnalysisObservation(.inconclusive))
        #expect(scene.status.phase == phase || (phase == .finalizing && scene.status.phase == .succeeded))
    }

    // MARK: Errors

    @Test("that nobody answers hold it, and it goes on by itself")
    func recovers() throws {
        var scene = try Self.waiting()
        let id = scene.begun.last
        scene.find(id, AnalysisObservation(.error, message: "no answer", errorSince: scene.now))
        #expect(scene.status.phase == .paused && scene.status.reason == .providerError)
        #expect(throws: VerbRefusal.self) { try scene.ask(.resume) }
        for _ in 0..<17 { scene.pass(100) }
        #expect(scene.status.phase == .paused, "not yet half an hour")
        scene.find(id, AnalysisObservation(.running))
        #expect(scene.status.phase == .progressing && scene.status.analysis.escalatesAt == nil)
        scene.find(id, AnalysisObservation(.successful))
        #expect(scene.status.currentStep?.index != 1)
    }

    @Test("that nobody answers for too long turn it around, and the time in which nobody looked does not count")
    func escalates() throws {
        var scene = try Self.waiting()
        scene.find(scene.begun.last, AnalysisObservation(.error, message: "no answer", errorSince: scene.now))
        // An hour of downtime.
        scene.now = scene.now + .seconds(3_600)
        scene.settle()
        #expect(scene.status.phase == .paused)
        for _ in 0..<19 { scene.pass(100) }
        #expect(scene.status.phase == .rolledBack && scene.status.reason == .providerError)
        #expect(scene.status.message.hasSuffix("no answer"))
    }

    // MARK: Beside the steps

    @Test("keep a step until every metric was measured in its traffic")
    func bakes() throws {
        var scene = try Self.baking()
        scene.pass(60)
        #expect(scene.status.currentStep?.index == 0 && scene.status.currentStep?.state == .baking)
        let early = try #require(scene.status.traffic.appliedAt) - .seconds(1)
        scene.find(scene.begun.last, AnalysisObservation(.running, measuredSince: early))
        #expect(scene.status.currentStep?.index == 0, "that was about the traffic before")
        scene.find(scene.begun.last, Self.measured(scene))
        #expect(scene.status.currentStep?.index == 1)
    }

    @Test("are left aside by promote")
    func promoted() throws {
        var scene = try Self.baking()
        try scene.ask(.promote(to: .next, expectedStep: 0))
        scene.settle()
        #expect(scene.status.currentStep?.index == 1)
    }

    @Test("that are bad turn it around wherever it is, paused too")
    func backgroundFails() throws {
        var scene = try Self.baking()
        try scene.ask(.pause(reason: nil))
        scene.find(scene.begun.last, AnalysisObservation(.failed, message: "bad"))
        #expect(scene.status.phase == .rolledBack && scene.status.message == "bad")
    }

    @Test("that were undecided begin anew when somebody accepts them")
    func backgroundInconclusive() throws {
        var scene = try Self.baking()
        let first = scene.begun.last
        scene.find(first, AnalysisObservation(.inconclusive))
        #expect(scene.status.isPaused(for: .inconclusiveAnalysis))
        try scene.ask(.promote(to: .next, expectedStep: nil))
        scene.settle()
        #expect(
            scene.status.phase == .progressing && scene.begun.last != first
                && scene.status.currentStep?.state == .baking)
    }

    @Test("begin at the step that the plan says, and end with the promotion")
    func startingStep() throws {
        var spec = Fixture.spec([Fixture.weight(100), Fixture.weight(500, bake: 60), Fixture.weight(10_000)])
        spec.strategy.backgroundAnalysis = BackgroundAnalysis(AnalysisUse(), startingStep: .index(1))
        var scene = try Scene.started(spec)
        #expect(scene.status.currentStep?.index == 1 && scene.begun.count == 1)
        scene.find(scene.begun.last, Self.measured(scene))
        scene.pass(60)
        scene.find(scene.begun.last, AnalysisObservation(.running, measuredSince: Timestamp(microseconds: .max)))
        scene.pass(1)
        #expect(scene.status.isPromoted && scene.status.analysis.background == nil && scene.begun.isEmpty)
    }

    // MARK: After the promotion

    @Test(
        "after the promotion keep it from its end, and take it back when they are bad",
        arguments: [
            (AnalysisPhase.running, ReleaseStatus.Phase.finalizing), (.successful, .succeeded), (.failed, .rolledBack),
            (.inconclusive, .finalizing), (.error, .finalizing),
        ])
    func postPromotion(_ found: AnalysisPhase, _ phase: ReleaseStatus.Phase) throws {
        var spec = Fixture.spec([Fixture.weight(10_000)])
        spec.retainStable = .zero
        spec.strategy.postPromotionAnalysis = AnalysisUse()
        var scene = try Scene.started(spec)
        scene.pass(1)
        #expect(scene.status.phase == .finalizing && scene.begun.count == 1)
        scene.find(scene.begun.last, AnalysisObservation(found, message: "m"))
        #expect(scene.status.phase == phase)
        #expect((scene.service.stableVersion == Fixture.v2) == (phase != .rolledBack))
        guard found == .inconclusive || found == .error else { return }
        try scene.ask(.promote(to: .next, expectedStep: nil))
        scene.settle()
        #expect(scene.status.phase == .succeeded)
    }

    @Test("measures both anew where both are over")
    func retriesBoth() throws {
        var spec = Fixture.spec(Self.plan)
        spec.strategy.backgroundAnalysis = BackgroundAnalysis()
        var scene = try Scene.started(spec)
        if let background = scene.status.analysis.background { scene.find(background, Self.measured(scene)) }
        let (step, background) = (scene.status.analysis.current, scene.status.analysis.background)
        #expect(step != nil && background != nil && scene.status.currentStep?.index == 1)
        scene.find(background, AnalysisObservation(.inconclusive, message: "too few"))
        scene.find(step, AnalysisObservation(.inconclusive, message: "too few"))
        #expect(scene.status.phase == .paused)
        try scene.ask(.retryAnalysis)
        scene.settle()
        #expect(scene.status.phase == .progressing && scene.status.currentStep?.index == 1)
        #expect(scene.status.analysis.current != nil && scene.status.analysis.current != step)
        #expect(scene.status.analysis.background != nil && scene.status.analysis.background != background)
    }

    @Test("has no templates where one of them cannot be read, rather than some of them")
    func unreadablePlan() {
        let good: JSONValue = [
            "name": "good",
            "spec": [
                "metrics": [
                    [
                        "name": "success", "provider": ["builtin": "request-success-rate"],
                        "successCondition": "result >= 0.9",
                    ]
                ]
            ],
        ]
        let later: JSONValue = ["name": "later", "spec": ["metrics": [["name": "x", "provider": ["oracle": "?"]]]]]
        #expect(AnalysisPlan(["background": [good]]).background.map(\.name) == ["good"])
        #expect(AnalysisPlan(["background": [good, later], "steps": ["1": [good]]]).background.isEmpty)
        #expect(AnalysisPlan(["background": [good, later], "steps": ["1": [good]]]).steps[1]?.count == 1)
    }
}
