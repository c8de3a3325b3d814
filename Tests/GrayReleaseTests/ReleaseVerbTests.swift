import Documents
import GrayRelease
import ReleaseFixtures
import Testing

@Suite("Verbs fit phases or are refused")
struct ReleaseVerbTests {
    /// A release in each phase, by the shortest way there.
    static func scene(in phase: ReleaseStatus.Phase) throws -> Scene {
        var scene = Scene()
        func started() throws -> Scene { try Scene.started() }
        switch phase {
        case .draft: break
        case .pending:
            scene.observations.readyCanary = 0
            try scene.ask(.start)
        case .progressing: scene = try started()
        case .paused:
            scene = try started()
            try scene.ask(.pause(reason: nil))
        case .promoting:
            scene = try started()
            scene.observations.proxies = .connected(1)
            scene.proxiesFollow = false
            try scene.ask(.promote(to: .full, expectedStep: nil))
        case .finalizing, .succeeded:
            scene = try started()
            try scene.ask(.promote(to: .full, expectedStep: nil))
            scene.settle()
            if phase == .succeeded { scene.pass(30) }
        case .rollingBack, .rolledBack:
            scene = try started()
            scene.observations.proxies = .connected(1)
            scene.proxiesFollow = phase == .rolledBack
            try scene.ask(.rollback(reason: nil, force: false))
            scene.settle()
        case .aborted: try scene.ask(.abort(revertTraffic: true))
        case .waitingApproval:
            scene = try Scene.started(
                Fixture.spec([Fixture.weight(500), ReleaseStep(.approval(ApprovalStep())), Fixture.weight(10_000)]))
        case .superseded:
            scene = try started()
            scene.giveWay()
            scene.settle()
        case .failed:
            scene = try started()
            scene.observations.missing = [.service]
            scene.settle()
            scene.observations.missing = []
        }
        return scene
    }

    static let verbs: [ReleaseVerb] = [
        .start, .pause(reason: nil), .resume, .promote(to: .next, expectedStep: nil),
        .promote(to: .full, expectedStep: nil), .rollback(reason: nil, force: false),
        .rollback(reason: nil, force: true), .abort(revertTraffic: true), .retry,
    ]

    /// Columns: start, pause, resume, promote next, promote full, rollback, rollback by force, abort, retry. What the
    /// phase is in the decision, or `-` where the phase has no such verb, or `!` where its circumstances do not allow it.
    static let matrix: [ReleaseStatus.Phase: String] = [
        .draft: "Progressing - - - - - - Aborted -",
        .pending: "- - - - - RolledBack RolledBack Aborted -",
        .progressing: "- Paused - Paused Promoting RollingBack RollingBack RollingBack -",
        .paused: "- - Progressing Paused Promoting RollingBack RollingBack RollingBack -",
        .promoting: "- Paused - - - RollingBack RollingBack RollingBack -",
        .finalizing: "- - - - - RollingBack RollingBack RollingBack -",
        .rollingBack: "- - - - - ! RollingBack RollingBack -",
        .waitingApproval: "- Paused - ! ! RollingBack RollingBack RollingBack -",
        .succeeded: "- - - - - ! ! - -",
        .superseded: "- - - - - - - - Progressing",
        .rolledBack: "- - - - - - - - Progressing",
        .aborted: "- - - - - - - - Progressing",
        .failed: "- - - - - - - - Progressing",
    ]

    @Test("the whole table", arguments: ReleaseStatus.Phase.allCases)
    func table(_ phase: ReleaseStatus.Phase) throws {
        let scene = try Self.scene(in: phase)
        try #require(scene.status.phase == phase)
        let row = Self.verbs.map { verb in
            do throws(VerbRefusal) {
                let decision = try ReleaseMachine.apply(
                    verb, by: Fixture.engineer, spec: scene.spec, status: scene.status, observations: scene.view,
                    now: scene.now)
                return decision.status.phase.rawValue
            } catch {
                #expect(error.phase == phase)
                #expect(error.allowedActions == ReleaseMachine.allowedVerbs(scene.status))
                return error.code == .illegalPhase ? "-" : "!"
            }
        }
        #expect(row.joined(separator: " ") == Self.matrix[phase])
    }

    @Test("a double click does not skip two steps")
    func expectedStep() throws {
        let spec = Fixture.spec([
            Fixture.weight(100, bake: 60), Fixture.weight(200, bake: 60), Fixture.weight(300, bake: 60),
        ])
        var scene = try Scene.started(spec)
        let before = scene.status
        try scene.ask(.promote(to: .next, expectedStep: 0))
        scene.settle()
        let after = scene.status
        #expect(before != after)
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.promote(to: .next, expectedStep: 0)) }
        #expect(refusal.code == .stepMismatch)
        #expect(refusal.currentStep == 1)
        #expect(scene.status == after)
    }

    @Test("a step that is not in force yet cannot be ended")
    func earlyPromotion() throws {
        var scene = Scene()
        scene.observations.proxies = .connected(1)
        scene.proxiesFollow = false
        try scene.ask(.start)
        scene.settle()
        let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(.promote(to: .next, expectedStep: 0)) }
        #expect(refusal.code == .precondition)
    }

    @Test(
        "bodies of verbs",
        arguments: [
            (ReleaseVerb.Name.promote, #"{"to": "sideways"}"#, "/to"),
            (.promote, #"{"expectedStep": -1}"#, "/expectedStep"),
            (.rollback, #"{"force": "yes"}"#, "/force"),
            (.pause, #"{"reason": 3}"#, "/reason"),
            (.abort, #"{"revertTraffic": 0}"#, "/revertTraffic"),
            (.start, #"{"now": true}"#, "/now"),
        ])
    func bodies(_ name: ReleaseVerb.Name, _ body: String, _ pointer: String) throws {
        let log = ViolationLog()
        var fields = FieldReader(try JSON.parse(body), at: .root, log: log)
        _ = ReleaseVerb(name, reading: &fields)
        #expect((log.violations + log.unknownFields).map(\.pointer.description) == [pointer])
    }

    /// Everybody reads, decides and commits on condition that nobody wrote in between; the loser reads again.
    @Test("promote against rollback, a thousand times: the rollback always stands")
    func race() async throws {
        for round in 0..<1000 {
            let row = Row(try Scene.started())
            await withTaskGroup { group in
                group.addTask { row.ask(.promote(to: .next, expectedStep: 0)) }
                group.addTask { row.ask(.rollback(reason: nil, force: false)) }
            }
            let scene = row.scene
            #expect(scene.status.phase == .rollingBack, "round \(round)")
            #expect(!scene.status.ownsTraffic)
            #expect(Set(scene.events.map(\.dedupeKey)).count == scene.events.count)
        }
    }
}
