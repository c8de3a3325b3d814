import Analysis
import GrayRelease
import MeshCore
import ReleaseFixtures
import TestSupport
import Testing

@Suite("Whatever happens to a release, its laws hold")
struct ReleaseWalkTests {
    @Test("random walks: verbs, worlds and clocks", arguments: 0..<40)
    func walk(_ seed: Int) throws {
        var walk = Walk(seed: UInt64(seed))
        for _ in 0..<2600 { try walk.step() }
        #expect(walk.problems.isEmpty, "seed \(seed): \(walk.problems.prefix(3))")
        #expect(walk.ended > 0, "a walk that ends no release tells little")
    }

    @Test("driven by its own wake-up times alone a release ends in a bounded number of looks", arguments: 0..<200)
    func wakeups(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) + 7_000)
        var scene = Scene(Fixture.randomSpec(&generator, indefinitePauses: false))
        scene.observations.proxies = .connected(3)
        scene.proxiesFollow = generator.chance(80) || scene.spec.strategy.onApplyTimeout != .proceed
        try scene.ask(.start)
        var looks = 0
        while let next = scene.nextWakeupAt, looks < 20_000 {
            #expect(next > scene.now)
            scene.now = next
            scene.measure { _ in .successful }
            scene.drive()
            looks += 1
        }
        #expect(scene.status.phase == .succeeded)
        #expect(scene.service.stableVersion == Fixture.v2)
    }
}

/// A random life of releases, each checked against the laws after every step.
struct Walk {
    private var generator: SeededGenerator
    private var scene: Scene
    private var keys: Set<String> = []
    /// By visit: how long the step has really baked, counted here and not by the machine.
    private var baked: [Int: Duration] = [:]
    var problems: [String] = []
    var ended = 0

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        scene = Scene(Fixture.randomSpec(&generator))
    }

    mutating func step() throws {
        if scene.status.phase.isTerminal && generator.chance(70) { begin() }
        changeWorld()
        letTimePass()
        let before = scene
        let view = scene.view
        let isVerb = scene.status.phase == .draft || generator.chance(12)
        let decision: ReleaseDecision
        if scene.status.phase.isActive, generator.chance(1), generator.chance(20) {
            scene.giveWay()
            return
        }
        if isVerb {
            let verb = randomVerb()
            let actor = [Fixture.engineer, Fixture.developer, Fixture.admin].randomElement(using: &generator)
            do {
                decision = try ReleaseMachine.apply(
                    verb, by: actor ?? Fixture.engineer, spec: scene.spec, status: scene.status, observations: view,
                    now: scene.now)
            } catch {
                check(
                    error.code != .illegalPhase || !ReleaseMachine.allowedVerbs(scene.status).contains(verb.name),
                    "refusal")
                return
            }
        } else {
            decision = ReleaseMachine.decide(spec: scene.spec, status: scene.status, observations: view, now: scene.now)
            let again = ReleaseMachine.decide(
                spec: scene.spec, status: scene.status.shown(at: scene.now), observations: view, now: scene.now)
            let planned = view.plannedWakeupAt ?? scene.now
            // Of the time in which nobody looked only the engine knows that it does not count.
            let isGap = scene.now - max(planned, view.lastDrivenAt ?? planned) > .seconds(30)
            check(isGap || again.events == decision.events, "showing a status does not change what follows")
        }
        scene.commit(decision)
        if !before.status.phase.isTerminal && scene.status.phase.isTerminal { ended += 1 }
        checkLaws(before, view, decision, isVerb: isVerb)
        if generator.chance(10) { checkRollback() }
    }

    private mutating func begin() {
        scene = Scene(Fixture.randomSpec(&generator))
        keys = []
        baked = [:]
    }

    private mutating func changeWorld() {
        if generator.chance(15) {
            scene.observations.readyCanary = [0, 1, 2, 2, 3].randomElement(using: &generator) ?? 2
        }
        if generator.chance(8) {
            scene.observations.readyStable = [0, 1, 2, 3, 3].randomElement(using: &generator) ?? 2
        }
        if generator.chance(20) { changeProxies() }
        if generator.chance(30) {
            var others = generator
            scene.measure { phase in
                let next: [AnalysisPhase] = [
                    .running, .running, .successful, .successful, .error, .inconclusive, .failed,
                ]
                return next.randomElement(using: &others) ?? phase
            }
            generator = others
        }
        scene.proxiesFollow = generator.chance(70)
        if generator.chance(6) { scene.observations.rules.areSplit = generator.chance(70) }
        if generator.chance(6) { scene.observations.rules.unsplit = generator.chance(50) ? [] : ["a", "b"] }
        if generator.chance(6) { scene.observations.rules.leftOut = generator.chance(60) ? [] : ["c"] }
        if generator.chance(10) { changeFreezes() }
        if scene.status.phase == .waitingApproval, generator.chance(20) {
            // Times differ in the database, where each commit has its own.
            scene.now = scene.now + .milliseconds(1)
            scene.status.noteEdit(by: generator.chance(50) ? Fixture.engineer : Fixture.developer)
        }
        scene.observations.superseding = generator.chance(3) ? Fixture.name("other") : nil
        scene.observations.readyTotal = generator.chance(5) ? 20 : 0
        scene.observations.rejections =
            generator.chance(2) ? [.init(proxy: "p", revision: scene.revision, message: "no")] : []
        let target = ReleaseObservations.Target.allCases.randomElement(using: &generator)
        scene.observations.missing = generator.chance(1) && generator.chance(30) ? Set([target].compactMap(\.self)) : []
    }

    private mutating func changeFreezes() {
        let name = NamespacedName(namespace: Fixture.shop, name: Fixture.name("sale"))
        let until = generator.chance(70) ? scene.now + .seconds(Int64.random(in: 1...300, using: &generator)) : nil
        let blocks = Freeze.Blocked.allCases.filter { _ in generator.chance(60) }
        scene.observations.freezes =
            generator.chance(60) ? [] : [Freeze(name: name, until: until, blocks: Set(blocks))]
    }

    private mutating func letTimePass() {
        let before = scene.now
        switch Int.random(in: 0..<10, using: &generator) {
        case 0...4: scene.now = scene.nextWakeupAt ?? scene.now
        case 5...7: scene.now = scene.now + .milliseconds(Int64.random(in: 0...9000, using: &generator))
        case 8: scene.now = scene.now + .seconds(Int64.random(in: 0...900, using: &generator))
        default: break
        }
        let ended = scene.observations.freezes.filter { $0.until.map { $0 <= scene.now } ?? false }
        if !ended.isEmpty { scene.observations.freezes = [] }
        if let step = scene.status.currentStep, step.state == .baking, scene.status.phase != .paused {
            baked[step.visit, default: .zero] += scene.now - before
        }
    }

    private mutating func randomVerb() -> ReleaseVerb {
        let expected = generator.chance(50) ? Int.random(in: 0...6, using: &generator) : nil
        let verbs: [ReleaseVerb] = [
            .start, .start(force: generator.chance(50), .init(freezes: true, reason: "now")), .retry,
            .pause(reason: "x"), .resume, .resume,
            .promote(to: .next, expectedStep: expected),
            .promote(to: .next, expectedStep: nil), .promote(to: .full, expectedStep: expected),
            .promote(to: .full, expectedStep: nil, .init(freezes: generator.chance(50), reason: "now")),
            .approve(expectedStep: expected, comment: nil), .approve(expectedStep: nil, comment: "good"),
            .reject(expectedStep: nil, comment: nil),
            .skip(expectedStep: scene.status.currentStep?.index ?? 0, .init(reason: "now")), .skip(expectedStep: 1),
            .goto(
                step: Int.random(in: 0...3, using: &generator), expectedStep: scene.status.currentStep?.index ?? 0),
            .retryAnalysis, .rollback(reason: nil, force: generator.chance(30)),
            .abort(revertTraffic: generator.chance(70)),
        ]
        return verbs.randomElement(using: &generator) ?? .start
    }

    private mutating func check(_ holds: Bool, _ law: String) {
        if !holds { problems.append("\(law) | \(scene.status.phase) \(String(describing: scene.status.currentStep))") }
    }

    private mutating func checkLaws(
        _ before: Scene, _ view: ReleaseObservations, _ decision: ReleaseDecision, isVerb: Bool
    ) {
        let (old, new) = (before.status, scene.status)
        var stamped = decision.status
        stamped.stamp(scene.revision)
        check(stamped == new, "a status reads back as it was written")
        for broken in ReleaseInvariants.violations(of: new, spec: scene.spec) { check(false, broken) }

        let isMoved =
            old.phase != new.phase || old.currentStep?.state != new.currentStep?.state
            || old.currentStep?.visit != new.currentStep?.visit || old.traffic.canaryShare != new.traffic.canaryShare
        if isMoved { check(!decision.events.isEmpty, "every transition has an event") }
        if let last = decision.events.last {
            check(
                last.phase == new.phase && last.stepIndex == new.currentStep?.index
                    && last.stepState == new.currentStep?.state, "events replay to the same phase and step")
        }
        for event in decision.events { check(keys.insert(event.dedupeKey).inserted, "twice: \(event.dedupeKey)") }

        check((decision.nextWakeupAt != nil) == new.phase.isActive, "exactly active releases have a wake-up time")
        check(decision.nextWakeupAt.map { $0 > scene.now } ?? true, "a wake-up time is in the future")
        if new.phase.isActive && view.readyCanary == 0 {
            check(!new.traffic.exposesCanary, "a dead canary is sent nothing")
        }
        if !old.traffic.isEffective && new.traffic.isEffective {
            check(view.readyCanary >= scene.spec.strategy.endpointGuard.minReady, "the guard was asked")
        }
        if new.phase == .paused && new.isPaused(for: .nothingToSplit) {
            check(new.currentStep?.activeSince == nil, "nothing bakes while nothing is split")
        }
        if new.phase == .paused && new.isPaused(for: .tooManyCopies) {
            check(new.currentStep?.state != .baking || new.currentStep?.activeSince == nil, "no part of a step bakes")
        }
        if !isVerb, !view.rules.leftOut.isEmpty, !new.isExcessAcknowledged {
            check(!decision.events.contains { $0.kind == .stepCompleted && old.phase == .progressing }, "all or asked")
        }
        let isUnasked = scene.spec.unsplitAction == .hold && !new.isUnsplitAcknowledged && !view.rules.unsplit.isEmpty
        if decision.events.contains(where: { $0.kind == .promotionStarted }) {
            check(!isUnasked, "nothing is moved untested that somebody wanted to be asked about")
        }
        if decision.serviceChanges.contains(where: { $0 == .setStable(Fixture.v1) }) {
            check(
                new.isCapacityWaived
                    || view.readyTotal <= 20 && view.readyStable * 2 >= view.readyTotal - view.readyCanary,
                "stable carries all")
        }
        checkBarrier(before, view, decision)
        checkGates(before, view, decision, isVerb: isVerb)
        checkBaking(decision, isVerb: isVerb)
        if new.phase.isTerminal && new.phase != .failed {
            let expected = new.phase == .succeeded ? Fixture.v2 : Fixture.v1
            check(scene.service.stableVersion.map { $0 == expected } ?? (new.phase != .succeeded), "the stable pointer")
            check(scene.service.promotions.isEmpty == (new.phase != .succeeded), "promotions")
        }
    }

    /// Nobody's right to decide is passed over, by the plan or in it.
    private mutating func checkGates(
        _ before: Scene, _ view: ReleaseObservations, _ decision: ReleaseDecision, isVerb: Bool
    ) {
        let (old, new) = (before.status, scene.status)
        let grows = new.traffic.canaryShare > old.traffic.canaryShare
        if grows || decision.serviceChanges.contains(where: \.isPromotion) {
            let isMost = new.traffic.canaryShare.basisPoints > 5000
            check(!isMost || new.people.mayPromote != false, "most of the traffic is given by who may")
        }
        let windows = view.freezes.filter { freeze in
            scene.spec.respectsFreezeWindows
                && !new.overriddenFreezes.contains { $0.name == freeze.name && $0.until == freeze.until }
        }
        if windows.contains(where: { $0.blocks.contains(.advance) }), !isVerb, old.phase != .promoting {
            check(!grows || new.phase == .promoting, "no share grows in a freeze window")
            let begun = decision.events.filter { $0.kind == .stepStarted }.compactMap(\.stepIndex)
            let last = scene.spec.strategy.steps.count
            check(
                begun.allSatisfy { $0 <= old.currentStep?.index ?? 0 || $0 == last },
                "no step begins in a freeze window")
        }
        if windows.contains(where: { $0.blocks.contains(.promote) }) {
            check(!decision.serviceChanges.contains(where: \.isPromotion), "nothing is promoted in a freeze window")
        }
        let completed = decision.events.filter { $0.kind == .stepCompleted }.compactMap(\.stepIndex)
        for index in completed where !isVerb && scene.spec.strategy.steps.indices.contains(index) {
            guard case .approval(let gate) = scene.spec.strategy.steps[index].action else { continue }
            check(
                old.votes.count >= gate.requiredApprovals && old.votes.allSatisfy(\.approves),
                "a gate is opened by votes")
            check(Set(old.votes.map(\.person)).count == old.votes.count, "one person has one vote")
        }
    }

    /// What is said to be in force is acknowledged by all who count, or those who have not were given their time and are
    /// named.
    private mutating func checkBarrier(_ before: Scene, _ view: ReleaseObservations, _ decision: ReleaseDecision) {
        let (old, new, proxies) = (before.status.traffic, scene.status.traffic, view.proxies)
        guard let appliedAt = new.appliedAt, old.appliedAt != appliedAt else { return }
        check(old.configRevision != nil && new.configRevision == old.configRevision, "what is stamped is in force")
        let isReported = decision.events.contains { $0.kind == .stragglersLeftBehind }
        if proxies.relevant == 0 {
            let isServed = proxies.servedSince.map { scene.now - $0 >= ReleaseObservations.proxyGrace } ?? false
            check(!proxies.hadAny || isServed, "nobody is known, and that means that nobody is there")
            return
        }
        guard proxies.acked < proxies.relevant else { return }
        check(isReported, "who is left behind is reported")
        let changedAt = old.changedAt ?? scene.now
        check(scene.now - changedAt >= scene.spec.strategy.applyTimeout, "they had their time")
        let few = proxies.relevant - proxies.acked <= scene.spec.strategy.maxStragglers(of: proxies.relevant)
        let isTolerated = proxies.acked > 0 && few
        check(
            isTolerated || scene.spec.strategy.onApplyTimeout == .proceed || before.status.phase == .rollingBack
                || scene.status.phase.isTerminal, "no more than the plan allows")
        let isGraced = proxies.away.contains { $0.cause == .serverLost && ($0.until ?? scene.now) > scene.now }
        check(!isGraced, "nobody is left behind who may still be looking for a server")
    }

    private mutating func changeProxies() {
        var proxies = ReleaseObservations.Proxies()
        proxies.relevant = Int.random(in: 0...3, using: &generator)
        proxies.acked = Int.random(in: 0...proxies.relevant, using: &generator)
        proxies.hadAny = proxies.relevant > 0 || generator.chance(70)
        let served = Int64.random(in: 0...90, using: &generator)
        proxies.servedSince = generator.chance(80) ? scene.now + .seconds(-served) : nil
        if proxies.acked < proxies.relevant && generator.chance(60) {
            let cause = ReleaseObservations.Away.Cause.allCases.randomElement(using: &generator) ?? .serverLost
            let until = scene.now + .seconds(Int64.random(in: 1...60, using: &generator))
            proxies.away = [
                .init(
                    cause, count: proxies.relevant - proxies.acked, since: scene.now,
                    until: cause == .stillRegistered ? nil : until)
            ]
        }
        proxies.missing = proxies.acked < proxies.relevant ? ["shop/p"] : []
        scene.observations.proxies = proxies
    }

    private mutating func checkBaking(_ decision: ReleaseDecision, isVerb: Bool) {
        guard !isVerb else { return }
        for event in decision.events where event.kind == .stepCompleted {
            guard let index = event.stepIndex, index < scene.spec.strategy.steps.count,
                let visit = event.dedupeKey.split(separator: "/").first(where: { $0.hasPrefix("v") }).flatMap({
                    Int($0.dropFirst())
                })
            else { continue }
            let planned = scene.spec.strategy.steps[index].bakeTime
            check(baked[visit, default: .zero] >= planned, "no step is shorter than its bake time")
        }
    }

    /// From here, whatever the canary is like, with proxies that do not answer and a stable version that is ill.
    private mutating func checkRollback() {
        guard scene.status.phase.isActive, !scene.status.isForced else { return }
        var other = scene
        other.observations.readyCanary = generator.chance(50) ? 0 : 2
        other.observations.readyStable = 0
        other.observations.proxies = .connected(3)
        other.observations.missing = []
        other.proxiesFollow = false
        do {
            try other.ask(.rollback(reason: nil, force: true))
            check(!other.status.ownsTraffic, "a forced rollback withdraws the traffic at once")
            other.pass(Int64(other.spec.strategy.applyTimeout.components.seconds) * 3)
            check(other.status.phase.isTerminal, "a rollback is always possible and waits for nobody without end")
        } catch {
            check(false, "a rollback was refused: \(error)")
        }
    }
}

extension ServiceStatus.Change {
    fileprivate var isPromotion: Bool { if case .promote = self { true } else { false } }
}
