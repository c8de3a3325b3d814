import Analysis
import Documents
import GrayRelease
import MeshCore
import ReleaseFixtures
import Testing

@Suite("A plan stands still until those have decided who are asked")
struct ReleaseGateTests {
    private static func gate(_ change: (inout ApprovalStep) -> Void = { _ in }) -> ReleaseStep {
        var gate = ApprovalStep()
        gate.name = "sre"
        change(&gate)
        return ReleaseStep(.approval(gate))
    }

    private static func spec(_ change: (inout ApprovalStep) -> Void = { _ in }) -> ReleaseSpec {
        Fixture.spec([Fixture.weight(500), gate(change), Fixture.weight(2500, bake: 60)])
    }

    private static func person(_ name: String, _ groups: Set<String> = []) -> ReleaseActor {
        ReleaseActor(person: name, groups: groups, mayPromote: false)
    }

    @Test("two of a group approve, each once, and not who made the plan")
    func quorum() throws {
        var scene = try Scene.started(
            Self.spec {
                $0.requiredApprovals = 2
                $0.roles = ["sre"]
                $0.excludesCreator = true
            })
        #expect(scene.status.phase == .waitingApproval)
        #expect(scene.status.blockedOn.map(\.detail) == ["\"sre\" has 0 of 2 approvals by sre"])
        let approve = ReleaseVerb.approve(expectedStep: 1, comment: nil)
        for actor in [Fixture.engineer, Self.person("bob"), Self.person("cat", ["dev"])] {
            let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(approve, by: actor) }
            #expect(refusal.code == .notApprover)
        }
        try scene.ask(approve, by: Self.person("bob", ["sre"]))
        #expect(scene.status.phase == .waitingApproval)
        #expect(throws: VerbRefusal.self) { try scene.ask(approve, by: Self.person("bob", ["sre"])) }
        #expect(throws: VerbRefusal.self) {
            try scene.ask(.approve(expectedStep: 0, comment: nil), by: Self.person("cat", ["sre"]))
        }
        try scene.ask(approve, by: Self.person("cat", ["sre"]))
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.currentStep?.index == 2)
        #expect(scene.events.filter { $0.kind == .approved }.count == 3)
    }

    @Test("a gate that stands still takes no more votes than it needs, and no more once it was rejected")
    func bounds() throws {
        var scene = try Scene.started(Self.spec())
        try scene.ask(.pause(reason: nil))
        try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("bob"))
        #expect(throws: VerbRefusal.self) {
            try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("cat"))
        }
        try scene.ask(.reject(expectedStep: nil, comment: nil), by: Self.person("cat"))
        #expect(throws: VerbRefusal.self) {
            try scene.ask(.reject(expectedStep: nil, comment: nil), by: Self.person("dan"))
        }
        #expect(scene.status.votes.count == 2)
        try scene.ask(.resume)
        scene.settle()
        #expect(scene.status.reason == .gateRejected)
    }

    @Test("who has edited the steps stays an editor in the next attempt, and of too many everybody counts as one")
    func editors() throws {
        var scene = try Scene.started(Self.spec { $0.excludesCreator = true })
        scene.status.noteEdit(by: Self.person("eve"))
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        try scene.ask(.retry)
        scene.settle()
        #expect(scene.status.phase == .waitingApproval)
        let refused = try #require(throws: VerbRefusal.self) {
            try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("eve"))
        }
        #expect(refused.code == .notApprover)
        for number in 0..<ReleaseStatus.People.mostEditors + 5 { scene.status.noteEdit(by: Self.person("p\(number)")) }
        #expect(scene.status.people.editors.count == ReleaseStatus.People.mostEditors)
        #expect(scene.status.people.include("somebody"))
    }

    @Test("one rejection is a failure of the step, with the person's words")
    func rejection() throws {
        var scene = try Scene.started(Self.spec { $0.requiredApprovals = 3 })
        try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("bob"))
        try scene.ask(.reject(expectedStep: nil, comment: "too early"), by: Self.person("cat"))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        #expect(scene.status.reason == .gateRejected)
        #expect(scene.status.message == "cat rejected \"sre\": too early")
    }

    @Test("votes are of one visit, and an edit of the steps voids them")
    func votes() throws {
        var scene = try Scene.started(Self.spec { $0.requiredApprovals = 2 })
        try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("bob"))
        try scene.ask(.goto(step: 0, expectedStep: 1))
        scene.settle()
        #expect(scene.status.phase == .waitingApproval)
        #expect(scene.status.votes.isEmpty)
        try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("bob"))
        scene.status.noteEdit(by: Self.person("eve"))
        #expect(scene.status.votes.isEmpty)
        #expect(scene.status.people.editors == ["eve"])
        scene.now = scene.now + .seconds(1)
        try scene.ask(.approve(expectedStep: nil, comment: nil), by: Self.person("bob"))
        #expect(scene.status.phase == .waitingApproval)
        #expect(Set(scene.events.map(\.dedupeKey)).count == scene.events.count, "each vote is an event of its own")
    }

    @Test("time runs out while people are asked, and not while the release is paused")
    func timeout() throws {
        var scene = try Scene.started(
            Self.spec {
                $0.timeout = .seconds(100)
                $0.onTimeout = .pause
            })
        scene.pass(60)
        try scene.ask(.pause(reason: nil))
        scene.pass(500)
        #expect(scene.status.allowedActions.contains(.approve))
        try scene.ask(.resume)
        #expect(scene.status.phase == .waitingApproval)
        scene.pass(39)
        #expect(scene.status.phase == .waitingApproval)
        scene.pass(1)
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .gateRejected)
        try scene.ask(.resume)
        #expect(scene.status.phase == .waitingApproval, "it is asked again")
    }

    @Test("nobody goes past a gate alone: not by skip, goto, promote, and not who made the plan")
    func closed() throws {
        let verbs: [ReleaseVerb] = [
            .skip(expectedStep: 1, .init(reason: "now")), .goto(step: 2, expectedStep: 1, .init(reason: "now")),
            .promote(to: .next, expectedStep: 1, .init(reason: "now")),
            .promote(to: .full, expectedStep: 1, .init(reason: "now")),
        ]
        for verb in verbs {
            var scene = try Scene.started(Self.spec())
            let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(verb) }
            #expect(refusal.code == .approvalRequired)
            #expect(refusal.detail.contains("step 1 needs the approval \"sre\""))
            try scene.ask(verb, by: Fixture.admin)
            scene.settle()
            #expect(scene.status.phase != .waitingApproval, "\(verb)")
            #expect(scene.events.contains { $0.kind == .approvalSkipped && $0.message == "root: now" })
        }
        // Nor from before it; and an administrator who has edited the plan has a say in it already.
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Self.gate(), Fixture.weight(2500)]))
        #expect(throws: VerbRefusal.self) { try scene.ask(.promote(to: .full, expectedStep: 0)) }
        scene.status.noteEdit(by: Fixture.admin)
        #expect(throws: VerbRefusal.self) {
            try scene.ask(.promote(to: .full, expectedStep: 0, .init(reason: "now")), by: Fixture.admin)
        }
        #expect(throws: VerbRefusal.self) {
            try scene.ask(
                .goto(step: 2, expectedStep: 0), by: ReleaseActor(person: "new", maySkipApproval: true))
        }
    }

    @Test(
        "most of the traffic takes somebody who may promote",
        arguments: [
            [Fixture.weight(5000), Fixture.weight(5001)],
            [
                Fixture.weight(100),
                ReleaseStep(.setMatch([ContentMatch(headers: ["x": .present]), ContentMatch(path: .prefix("/"))])),
            ],
            [Fixture.weight(100)],
        ])
    func promotionGate(_ steps: [ReleaseStep]) throws {
        var scene = Scene(Fixture.spec(steps))
        try scene.ask(.start, by: Fixture.developer)
        scene.settle()
        #expect(scene.status.phase == .paused)
        #expect(scene.status.reason == .promotionGate)
        #expect(scene.status.traffic.canaryShare.basisPoints <= 5000)
        #expect(scene.status.blockedOn.map(\.kind) == ["Decision"])
        #expect(!scene.status.allowedActions.contains(.resume))
        try scene.ask(.promote(to: .next, expectedStep: nil))
        scene.settle()
        scene.pass(30)
        #expect(scene.status.phase == .succeeded)
        #expect(scene.events.contains { $0.kind == .promotionGranted && $0.message == "ann" })
    }

    @Test("a match of some people's requests takes no such right; an edit of the steps by who has none takes it back")
    func rights() throws {
        var scene = Scene(Fixture.spec([Fixture.insiders, ReleaseStep(.pause(nil)), Fixture.weight(10_000)]))
        try scene.ask(.start, by: Fixture.developer)
        scene.settle()
        #expect(scene.status.isPaused(for: .pauseStep))
        scene.status.noteEdit(by: Fixture.engineer)
        try scene.ask(.resume, by: Fixture.developer)
        scene.settle()
        #expect(scene.status.traffic.canaryShare == .all)
        var other = try Scene.started(
            Fixture.spec([Fixture.weight(100), ReleaseStep(.pause(nil)), Fixture.weight(10_000)]))
        other.status.noteEdit(by: Fixture.developer)
        try other.ask(.resume)
        other.settle()
        #expect(other.status.isPaused(for: .promotionGate))
    }

    @Test("endpoints are there for long enough without a gap, or the step fails in its time")
    func endpoints() throws {
        var check = CheckEndpointsStep()
        (check.minReady, check.duration) = (3, .seconds(30))
        var scene = try Scene.started(
            Fixture.spec([ReleaseStep(.checkEndpoints(check)), Fixture.weight(500, bake: 60)]))
        #expect(scene.status.currentStep?.state == .pending)
        #expect(scene.status.blockedOn.first?.kind == "Endpoints")
        scene.observations.readyCanary = 3
        scene.settle()
        #expect(scene.nextWakeupAt.map { $0 <= scene.now + .seconds(30) } == true)
        let waiting = scene.status
        scene.pass(29)
        #expect(scene.status == waiting, "nothing is written while it waits")
        scene.observations.readyCanary = 2
        scene.pass(1)
        scene.observations.readyCanary = 3
        scene.pass(1)
        scene.pass(29)
        #expect(scene.status.currentStep?.index == 0, "a gap begins it anew")
        scene.pass(1)
        #expect(scene.status.currentStep?.index == 1)
        var failing = try Scene.started(Fixture.spec([ReleaseStep(.checkEndpoints(check))]))
        failing.pass(600)
        #expect(failing.status.phase == .rolledBack)
        #expect(failing.status.reason == .progressDeadlineExceeded)
        check.percent = 150
        #expect(check.duration == .seconds(30))
    }

    @Test("a call is made beside the engine: an answer ends the step, another one fails it, and none holds it")
    func webhook() throws {
        let spec = Fixture.spec([
            Fixture.weight(500), ReleaseStep(.webhook(WebhookStep())), Fixture.weight(2500, bake: 60),
        ])
        var scene = try Scene.started(spec)
        let id = try #require(scene.status.analysis.current)
        #expect(scene.status.currentStep?.kind == .webhook)
        scene.find(id, AnalysisObservation(.error, message: "no answer", errorSince: scene.now))
        #expect(scene.status.reason == .providerError)
        scene.find(id, AnalysisObservation(.successful))
        #expect(scene.status.currentStep?.index == 2)
        var failing = try Scene.started(spec)
        failing.find(failing.status.analysis.current, AnalysisObservation(.failed, message: "500"))
        #expect(failing.status.phase == .rolledBack)
        #expect(failing.status.reason == .webhookFailed)
    }

    @Test("a message is an event of its step, and holds nobody up")
    func notify() throws {
        var note = NotifyStep()
        note.message = "half way"
        let scene = try Scene.started(Fixture.spec([ReleaseStep(.notify(note)), Fixture.weight(500, bake: 60)]))
        #expect(scene.status.currentStep?.index == 1)
        #expect(scene.events.contains { $0.kind == .notified && $0.message == "half way" && $0.stepIndex == 0 })
    }
}

@Suite("In a freeze window nothing goes on, and everything goes back")
struct ReleaseFreezeTests {
    private static let sale = NamespacedName(namespace: Fixture.shop, name: Fixture.name("sale"))

    private static func freeze(_ blocks: Freeze.Blocked..., until: Timestamp? = nil) -> [Freeze] {
        [Freeze(name: sale, until: until, blocks: blocks.isEmpty ? Set(Freeze.Blocked.allCases) : Set(blocks))]
    }

    @Test("a started release waits, and its deadline with it")
    func start() throws {
        var scene = Scene()
        scene.observations.freezes = Self.freeze(until: Fixture.epoch + .seconds(3600))
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.phase == .pending)
        #expect(
            scene.status.blockedOn.map(\.detail) == ["shop/sale until \((Fixture.epoch + .seconds(3600)).text)"])
        #expect(scene.status.frozen?.since == Fixture.epoch)
        #expect(scene.status.reason == .freezeWindow)
        var hurried = scene
        let refused = try #require(throws: VerbRefusal.self) { try hurried.ask(.start) }
        #expect(refused.code == .frozen)
        try hurried.ask(.start(force: false, .init(freezes: true, reason: "now")))
        hurried.settle()
        #expect(hurried.status.phase == .progressing, "who may has it begin all the same")
        scene.pass(3600)
        scene.observations.freezes = []
        scene.pass(1)
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.frozen == nil)
    }

    @Test("a step bakes on, and does not end; what was to be in force by then has its time back")
    func advance() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(1000, bake: 60)]))
        scene.observations.freezes = Self.freeze(.advance)
        scene.pass(300)
        #expect(scene.status.currentStep?.index == 0)
        #expect(scene.status.currentStep?.state == .baking)
        #expect(scene.status.phase == .progressing)
        #expect(scene.status.blockedOn.first?.kind == "Freeze")
        scene.observations.freezes = []
        scene.settle()
        #expect(scene.status.currentStep?.index == 1)
        // A step that waits for endpoints as a window begins.
        scene.observations.readyCanary = 0
        scene.settle()
        var waiting = Scene(
            Fixture.spec([Fixture.weight(500)], endpointGuard: .init(minReady: 1, capacityPercent: 500)))
        waiting.observations.readyStable = 40
        try waiting.ask(.start)
        waiting.settle()
        let deadline = try #require(waiting.status.currentStep?.deadlineAt)
        waiting.pass(100)
        waiting.observations.freezes = Self.freeze(.advance)
        waiting.settle()
        waiting.pass(5000)
        waiting.observations.freezes = []
        waiting.settle()
        #expect(waiting.status.currentStep?.deadlineAt == deadline + .seconds(5000))
    }

    @Test("the promotion waits where it is blocked, and only there")
    func promotion() throws {
        var scene = Scene(Fixture.spec([Fixture.weight(500), Fixture.weight(10_000)]))
        scene.observations.freezes = Self.freeze(.promote)
        try scene.ask(.start)
        scene.settle()
        #expect(scene.status.currentStep?.index == 1)
        #expect(scene.status.currentStep?.state == .completed)
        #expect(scene.service.stableVersion == Fixture.v1)
        scene.observations.freezes = []
        scene.settle()
        #expect(scene.service.stableVersion == Fixture.v2)
    }

    @Test("rollback, guard and failures act")
    func back() throws {
        var scene = try Scene.started()
        scene.observations.freezes = Self.freeze()
        try scene.ask(.rollback(reason: nil, force: false))
        scene.settle()
        #expect(scene.status.phase == .rolledBack)
        var dead = try Scene.started()
        dead.observations.freezes = Self.freeze()
        dead.observations.readyCanary = 0
        dead.settle()
        #expect(dead.status.phase == .rolledBack)
    }

    @Test("who may goes on in spite of it, for this occurrence")
    func override() throws {
        var scene = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(1000, bake: 60)]))
        scene.observations.freezes = Self.freeze(until: scene.now + .seconds(600))
        for verb: ReleaseVerb in [
            .promote(to: .next, expectedStep: nil), .promote(to: .full, expectedStep: nil), .skip(expectedStep: 0),
            .goto(step: 1, expectedStep: 0),
        ] {
            let refusal = try #require(throws: VerbRefusal.self) { try scene.ask(verb) }
            #expect(refusal.code == .frozen)
            #expect(refusal.detail.contains("shop/sale"))
        }
        try scene.ask(.skip(expectedStep: 0, .init(freezes: true, reason: "fix")))
        scene.settle()
        #expect(scene.status.currentStep?.index == 1)
        #expect(scene.events.contains { $0.kind == .freezeOverridden && $0.message == "ann: fix" })
        scene.pass(60)
        #expect(scene.status.phase == .finalizing)
        var next = try Scene.started(Fixture.spec([Fixture.weight(500, bake: 60), Fixture.weight(1000, bake: 60)]))
        next.observations.freezes = Self.freeze(until: next.now + .seconds(30))
        try next.ask(.skip(expectedStep: 0, .init(freezes: true, reason: "fix")))
        next.settle()
        next.observations.freezes = Self.freeze(until: next.now + .seconds(86_400))
        next.pass(60)
        #expect(next.status.blockedOn.first?.kind == "Freeze", "the next occurrence is another one")
    }

    @Test("a plan that need not respect windows, and one that takes a success back, go on")
    func unaffected() throws {
        var spec = Fixture.spec([Fixture.weight(500)])
        spec.respectsFreezeWindows = false
        var scene = Scene(spec)
        scene.observations.freezes = Self.freeze()
        try scene.ask(.start)
        scene.settle()
        scene.pass(30)
        #expect(scene.status.phase == .succeeded)
        var back = Scene(Fixture.spec([Fixture.weight(10_000)]))
        back.status.rollbackOf = Fixture.name("reviews-v2")
        back.observations.freezes = Self.freeze()
        try back.ask(.start, by: Fixture.developer)
        back.settle()
        back.pass(30)
        #expect(back.status.phase == .succeeded)
        #expect(back.status.rollbackOf == Fixture.name("reviews-v2"))
    }
}

@Suite("A release gives way to another one of its service")
struct ReleaseSupersedeTests {
    @Test("the running one goes back and says so, the other one waits for it")
    func supersede() throws {
        var old = try Scene.started()
        old.giveWay()
        #expect(!old.status.traffic.exposesCanary)
        old.settle()
        #expect(old.status.phase == .superseded)
        #expect(old.status.completionStatus == .superseded)
        var new = Scene()
        new.observations.superseding = Fixture.release
        try new.ask(.start)
        new.pass(5000)
        #expect(new.status.phase == .pending)
        #expect(new.status.blockedOn.map(\.detail) == ["reviews-v2 is being rolled back first"])
        new.observations.superseding = nil
        new.settle()
        #expect(new.status.phase == .progressing)
    }
}

extension ReleaseStatus {
    fileprivate var allowedActions: [ReleaseVerb.Name] { ReleaseMachine.allowedVerbs(self) }
}
