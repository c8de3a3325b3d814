package import MeshCore

/// The state machine of gray releases as pure functions: no I/O, no clock, no memory.
///
/// Whoever calls reads status and observations, commits the decision in one transaction on condition that the status is
/// still the one that was read, and throws it away otherwise. Equal input gives an equal decision on every replica.
///
/// What is due at the same time happens in this order: the verb; then what is missing, the canary's endpoints, refusals of proxies,
/// the mesh's rules and measurements; at last the transitions that are due (``ReleaseRun/runDueTransitions()``).
package enum ReleaseMachine {
    /// The decision that is due for a release at `now`.
    ///
    /// Never changes a draft or a release that has ended. Where nothing is due the decision's status equals the given
    /// one and there are no events: then only ``ReleaseDecision/nextWakeupAt`` needs to be stored.
    ///
    /// - Parameters:
    ///   - observations: of exactly this status: their ACK counts refer to the revisions in it.
    ///   - now: PostgreSQL's time.
    package static func decide(
        spec: ReleaseSpec, status: ReleaseStatus, observations: ReleaseObservations, now: Timestamp
    ) -> ReleaseDecision {
        var run = ReleaseRun(spec: spec, status: status, observations: observations, now: now)
        run.runDueTransitions()
        return run.decision
    }

    /// Carries a verb out, and whatever is due after it: the decision of a rollback already withdraws the traffic.
    ///
    /// - Throws: ``VerbRefusal`` if the verb does not fit; nothing is to be changed then.
    package static func apply(
        _ verb: ReleaseVerb, by actor: ReleaseActor, spec: ReleaseSpec, status: ReleaseStatus,
        observations: ReleaseObservations, now: Timestamp
    ) throws(VerbRefusal) -> ReleaseDecision {
        var run = ReleaseRun(spec: spec, status: status, observations: observations, now: now)
        guard allowedVerbs(status).contains(verb.name) else {
            throw run.refusal(.illegalPhase, "a release that is \(status.phase.rawValue) has no \(verb.name.rawValue)")
        }
        run.noticeLateness()
        switch verb {
        case .start(let force, let override): try run.start(force: force, override, by: actor)
        case .retry(let force): try run.start(force: force, .none, by: actor)
        case .pause(let reason): run.pause(reason)
        case .resume: try run.resume()
        case .promote(let destination, let expectedStep, let override):
            try run.promote(to: destination, expectedStep, override, by: actor)
        case .rollback(let reason, let force): try run.rollBack(reason, force: force)
        case .abort(let revertTraffic): try run.abort(revertTraffic: revertTraffic)
        case .retryAnalysis: try run.retryAnalysis()
        case .skip(let expectedStep, let override): try run.skip(expectedStep, override, by: actor)
        case .goto(let step, let expectedStep, let override): try run.goTo(step, expectedStep, override, by: actor)
        case .approve(let expectedStep, let comment):
            try run.vote(approving: true, expectedStep, comment, by: actor)
        case .reject(let expectedStep, let comment):
            try run.vote(approving: false, expectedStep, comment, by: actor)
        }
        run.runDueTransitions()
        return run.decision
    }

    /// Takes a release back because another one of its service is to run: it ends as ``ReleaseStatus/Phase/superseded``.
    ///
    /// - Returns: `nil` for one that is not active, or ends anyway.
    package static func supersede(
        by other: Name, spec: ReleaseSpec, status: ReleaseStatus, observations: ReleaseObservations, now: Timestamp
    ) -> ReleaseDecision? {
        guard status.phase.isActive else { return nil }
        var run = ReleaseRun(spec: spec, status: status, observations: observations, now: now)
        run.noticeLateness()
        run.giveWay(to: other)
        run.runDueTransitions()
        return run.decision
    }

    /// Tells a success that another release takes it back.
    package static func noteRollback(
        by other: Name, person: String, _ reason: String?, spec: ReleaseSpec, status: ReleaseStatus,
        observations: ReleaseObservations, now: Timestamp
    ) -> ReleaseDecision {
        var run = ReleaseRun(spec: spec, status: status, observations: observations, now: now)
        run.status.rolledBackBy = other
        run.record(.successRolledBack, about: other.text, .userRequest, "by \(other), \(person): \(reason ?? "")")
        return run.decision
    }

    /// The verbs that a release's state has; a verb may still be refused for what its body says.
    package static func allowedVerbs(_ status: ReleaseStatus) -> [ReleaseVerb.Name] {
        switch status.phase {
        case .draft: [.start, .abort]
        case .pending:
            // Who may can have it begin all the same.
            (status.reason == .stableTooSmall || status.frozen != nil ? [.start] : []) + [.rollback, .abort]
        case .progressing: [.pause, .promote, .skip, .goto] + status.retrying + [.rollback, .abort]
        case .waitingApproval: [.pause, .promote, .skip, .goto, .approve, .reject, .rollback, .abort]
        case .promoting: [.pause] + (status.traffic.isMissed ? [.promote] : []) + [.rollback, .abort]
        case .paused:
            (status.isPaused(for: .manualPause) ? [] : [.pause])
                + (status.isHeldByRules || status.isHeldByAnalysis || status.isPaused(for: .promotionGate)
                    ? [] : [.resume])
                + (status.canBePromotedWhilePaused ? [.promote] : []) + (status.isAtStep ? [.skip, .goto] : [])
                + status.retrying + (status.currentStep?.isAtGate == true ? [.approve, .reject] : [])
                + [.rollback, .abort]
        case .finalizing:
            (status.traffic.isMissed || status.analysis.postPromotion != nil ? [.promote] : []) + [.rollback, .abort]
        case .rollingBack:
            (status.traffic.exposesCanary ? [.promote] : []) + (status.isForced ? [] : [.rollback])
                + (status.ending == .aborted ? [] : [.abort])
        case .succeeded: status.rolledBackBy == nil ? [.rollback] : []
        case .rolledBack, .aborted, .superseded, .failed: [.retry]
        }
    }
}

extension ReleaseStatus {
    package func isPaused(for reason: Reason) -> Bool { pauseConditions.contains { $0.reason == reason } }

    /// Whether the rules of the mesh are the reason: to go on all the same is no pause's end.
    fileprivate var isHeldByRules: Bool {
        [.unsplitRoutes, .nothingToSplit, .tooManyCopies].contains(where: isPaused)
    }

    /// Whether it takes a decision about measurements, or their answer, to go on.
    fileprivate var isHeldByAnalysis: Bool { [.inconclusiveAnalysis, .providerError].contains(where: isPaused) }

    /// Whether it stands still at a step of its plan, and not for the rules of the mesh.
    fileprivate var isAtStep: Bool {
        !isHeldByRules && currentStep != nil && currentStep?.kind != .promote
    }

    /// The verb that measures again, where there is something to measure.
    fileprivate var retrying: [ReleaseVerb.Name] {
        let isOfStep = currentStep?.kind == .analysis
        return isOfStep || isPaused(for: .inconclusiveAnalysis) || isPaused(for: .analysisFailed)
            ? [.retryAnalysis] : []
    }

    fileprivate var canBePromotedWhilePaused: Bool {
        if isPaused(for: .nothingToSplit) { return false }
        return currentStep?.kind != .promote || isPaused(for: .tooManyCopies)
    }
}

extension ReleaseStatus.CurrentStep {
    /// Whether people are asked to decide.
    var isAtGate: Bool { kind == .approval && state == .waiting }
}

extension ReleaseStrategy {
    /// The traffic that is in force once the step `index` is: the sum of all steps up to it. Behind the last step everything goes
    /// to the canary.
    ///
    /// - Parameter skipped: steps that were left out.
    package func traffic(
        through index: Int, without skipped: Set<Int> = []
    ) -> (share: TrafficShare, matches: [ContentMatch], mirror: ReleaseTraffic.Mirror?) {
        guard index < steps.count else { return (.all, [], nil) }
        var (share, matches, mirror) = (TrafficShare.none, [ContentMatch](), ReleaseTraffic.Mirror?.none)
        for (number, step) in steps.prefix(max(0, index + 1)).enumerated() where !skipped.contains(number) {
            switch step.action {
            case .setWeight(let value): share = value
            case .setMatch(let value): matches = value
            case .setMirror(let value): mirror = value
            case .pause, .analysis, .approval, .webhook, .notify, .checkEndpoints: continue
            }
        }
        return (share, matches, mirror)
    }
}
