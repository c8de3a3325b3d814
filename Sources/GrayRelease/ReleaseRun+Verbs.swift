internal import Analysis
internal import MeshCore

extension ReleaseRun {
    mutating func start(force: Bool, _ override: ReleaseVerb.Override, by actor: ReleaseActor) throws(VerbRefusal) {
        if status.phase == .pending {
            if status.frozen != nil || override.freezes {
                try checkFreezes([.start], override, by: actor)
                if !force { return }
            }
            guard force else {
                throw refusal(.precondition, "the release is started; with force it goes on to so few endpoints")
            }
            status.isCapacityWaived = true
            return record(.startForced, .userRequest)
        }
        if let target = ReleaseObservations.Target.allCases.first(where: observations.missing.contains) {
            throw refusal(.precondition, "the \(target.rawValue) that the release names does not exist")
        }
        if let version = observations.stableVersion, version != spec.stable.version {
            throw refusal(
                .precondition, "the service's stable version is \(version), not \(spec.stable.version)")
        }
        isLatenessNoticed = true  // What was planned belongs to the attempt before.
        let (attempt, people, rollbackOf) = (status.attempt + 1, status.people, status.rollbackOf)
        status = ReleaseStatus()
        status.attempt = attempt
        status.isCapacityWaived = force
        status.people = people
        status.people.starter = actor.person
        // To take a success back is as much as a rollback, and takes no other right.
        status.people.mayPromote = actor.mayPromote || rollbackOf != nil
        status.rollbackOf = rollbackOf
        if override.freezes { try checkFreezes([.start], override, by: actor) }
        enter(.pending, .started)
        enterStep(0)
    }

    mutating func pause(_ reason: String?) { addPause(.manualPause, reason ?? "") }

    /// Goes on. A step that failed is taken again; a pause step is over.
    mutating func resume() throws(VerbRefusal) {
        if status.isPaused(for: .inconclusiveAnalysis) || status.isPaused(for: .providerError) {
            throw refusal(
                .precondition,
                "it takes a decision about the analysis to go on: retryAnalysis, promote or rollback")
        }
        let isPauseStep = status.isPaused(for: .pauseStep)
        let isOfAnalysis = status.isPaused(for: .analysisFailed)
        leavePause()
        if isOfAnalysis && observation(status.analysis.background)?.phase == .failed { renewBackgroundAnalysis() }
        guard let step = status.currentStep else { return }
        if step.state == .failed {
            enterStep(step.index)
        } else if isPauseStep && step.state == .waiting {
            completeStep()
        }
    }

    mutating func promote(
        to destination: ReleaseVerb.Destination, _ expectedStep: Int?, _ override: ReleaseVerb.Override,
        by actor: ReleaseActor
    ) throws(VerbRefusal) {
        let index = status.currentStep?.index
        if let expectedStep, expectedStep != index {
            let current = index.map { "step \($0)" } ?? "no step"
            throw refusal(.stepMismatch, "the release is at \(current), not at step \(expectedStep)")
        }
        let isLast = status.phase == .promoting || status.phase == .finalizing
        if destination == .next || isLast, status.phase != .rollingBack, leaveStragglers() { return }
        if status.phase == .finalizing, let id = status.analysis.postPromotion,
            observation(id)?.phase == .inconclusive || observation(id)?.phase == .error
        {
            status.analysis.isPostPromotionAccepted = true
            return record(.inconclusiveAccepted, .userRequest)
        }
        guard !isLast else {
            throw refusal(
                .precondition, "no proxy is missed that could be left behind; the promotion goes on by itself")
        }
        if !status.isPromoted {
            let isFull = destination == .full
            try checkFreezes(isFull ? [.advance, .promote] : [.advance], override, by: actor)
            let current = index ?? 0
            try checkGates(
                in: isFull ? current..<max(current, spec.strategy.steps.count) : current..<(current + 1), override,
                by: actor)
        }
        if status.isPaused(for: .promotionGate) {
            grantPromotion(by: actor)
            if destination == .next { return }
        }
        if destination == .full { status.people.mayPromote = true }
        if status.isPaused(for: .tooManyCopies) {
            status.isExcessAcknowledged = true
            if destination == .next { return removePause(.tooManyCopies) }
        }
        if destination == .next && status.isPaused(for: .inconclusiveAnalysis) { return acceptInconclusive() }
        let isAsked = status.isPaused(for: .unsplitRoutes)
        if isAsked || destination == .full { status.isUnsplitAcknowledged = true }
        guard destination == .next else { return promoteFully() }
        if isAsked { return leavePause() }
        guard let state = status.currentStep?.state,
            state == .baking || state == .waiting || status.currentStep?.kind == .checkEndpoints,
            status.phase != .rollingBack
        else {
            throw refusal(
                .precondition,
                "only a step that bakes or waits can be ended, or that misses proxies after applyTimeout; this one is "
                    + (status.currentStep?.state.rawValue ?? "not begun") + "; promote to full leaves out what remains")
        }
        leavePause()
        leaveGate()
        completeStep()
    }

    /// Leaves the current step out. One that is in force has only its waiting left out; one that is not is as if it were not part of the
    /// plan.
    mutating func skip(
        _ expectedStep: Int, _ override: ReleaseVerb.Override, by actor: ReleaseActor
    ) throws(VerbRefusal) {
        let step = try current(expectedStep)
        guard step.state != .completed && step.state != .skipped else {
            throw refusal(.precondition, "the step is over; the release waits for something else")
        }
        try checkFreezes([.advance], override, by: actor)
        try checkGates(in: step.index..<(step.index + 1), override, by: actor)
        record(.stepChosen, about: "skip", .userRequest, override.reason ?? "")
        let isInForce = step.state == .baking || step.state == .waiting || !step.kind.movesTraffic
        if status.phase == .paused { leavePause() }
        leaveGate()
        if isInForce && step.state != .failed { return completeStep() }
        status.skipped.insert(step.index)
        // One that had failed is over already, and left out all the same.
        move(.skipped, .stepSkipped, .userRequest) { $0.stopClock($1) }
    }

    /// Takes another step of the plan.
    mutating func goTo(
        _ target: Int, _ expectedStep: Int, _ override: ReleaseVerb.Override, by actor: ReleaseActor
    ) throws(VerbRefusal) {
        let step = try current(expectedStep)
        guard spec.strategy.steps.indices.contains(target) else {
            throw refusal(.precondition, "the plan has no step \(target)")
        }
        if target > step.index {
            try checkFreezes([.advance], override, by: actor)
            try checkGates(in: step.index..<target, override, by: actor)
        }
        record(.stepChosen, about: "goto \(target)", .userRequest, override.reason ?? "")
        stopStep(.skipped, .stepSkipped, .userRequest)
        status.skipped = status.skipped.filter { $0 < min(target, step.index) || $0 < target && $0 > step.index }
        if status.phase == .paused {
            status.pauseConditions = []
            enter(.progressing, .resumed, .userRequest)
        }
        leaveGate()
        enterStep(target)
    }

    /// Goes on although nobody, or not everybody, has decided.
    private mutating func leaveGate() {
        if status.phase == .waitingApproval { enter(.progressing, .resumed, .userRequest) }
    }

    /// The step of the plan that the release is at.
    private func current(_ expectedStep: Int) throws(VerbRefusal) -> ReleaseStatus.CurrentStep {
        guard let step = status.currentStep, step.index < spec.strategy.steps.count else {
            throw refusal(.precondition, "the release is at no step of its plan")
        }
        guard step.index == expectedStep else {
            throw refusal(.stepMismatch, "the release is at step \(step.index), not at step \(expectedStep)")
        }
        return step
    }

    private mutating func promoteFully() {
        status.isForced = false
        status.pauseConditions = []
        if status.isPromoted {
            status.ending = .fastPromoted
            return enter(.finalizing, .promoted, .userRequest)
        }
        stopStep(.skipped, .stepSkipped, .userRequest)
        beginPromotion(.fastPromoted, .userRequest)
    }

    mutating func rollBack(_ reason: String?, force: Bool) throws(VerbRefusal) {
        guard status.phase.isActive else {
            throw refusal(.precondition, "a success is taken back by a release of its own")
        }
        if status.phase == .rollingBack {
            guard force else { throw refusal(.precondition, "the release is rolling back already") }
            status.isForced = true
            return record(.rollbackForced, .userRequest, reason ?? "")
        }
        status.isForced = force
        beginRollback(.rolledBack, .userRequest, reason ?? "")
    }

    /// Turns around for another release of the service.
    mutating func giveWay(to other: Name) {
        if status.phase == .rollingBack {
            status.ending = .superseded
            return record(.superseded, .superseded, "gives way to \(other)")
        }
        beginRollback(.superseded, .superseded, "gives way to \(other)")
    }

    mutating func abort(revertTraffic: Bool) throws(VerbRefusal) {
        if !revertTraffic && (status.traffic.isEffective || status.isPromoted) {
            throw refusal(
                .unsupported, "the release's routes would be left without an owner; promote it or revert the traffic")
        }
        switch status.phase {
        case .draft:
            status.completionStatus = .aborted
            enter(.aborted, .aborted, .userRequest)
        case .rollingBack:
            status.ending = .aborted
            record(.endingChanged, .userRequest)
        default: beginRollback(.aborted, .userRequest, "")
        }
    }
}
