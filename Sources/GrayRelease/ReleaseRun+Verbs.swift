internal import Analysis

extension ReleaseRun {
    mutating func start(force: Bool) throws(VerbRefusal) {
        if status.phase == .pending {
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
        let attempt = status.attempt + 1
        status = ReleaseStatus()
        status.attempt = attempt
        status.isCapacityWaived = force
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

    mutating func promote(to destination: ReleaseVerb.Destination, _ expectedStep: Int?) throws(VerbRefusal) {
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
        if status.isPaused(for: .tooManyCopies) {
            status.isExcessAcknowledged = true
            if destination == .next { return removePause(.tooManyCopies) }
        }
        if destination == .next && status.isPaused(for: .inconclusiveAnalysis) { return acceptInconclusive() }
        let isAsked = status.isPaused(for: .unsplitRoutes)
        if isAsked || destination == .full { status.isUnsplitAcknowledged = true }
        guard destination == .next else { return promoteFully() }
        if isAsked { return leavePause() }
        guard let state = status.currentStep?.state, state == .baking || state == .waiting,
            status.phase != .rollingBack
        else {
            throw refusal(
                .precondition,
                "only a step that bakes or waits can be ended, or that misses proxies after applyTimeout; this one is "
                    + (status.currentStep?.state.rawValue ?? "not begun") + "; promote to full leaves out what remains")
        }
        leavePause()
        completeStep()
    }

    /// Leaves the current step out. One that is in force has only its waiting left out; one that is not is as if it were not part of the
    /// plan.
    mutating func skip(_ expectedStep: Int, _ reason: String?) throws(VerbRefusal) {
        let step = try current(expectedStep)
        guard step.state != .completed && step.state != .skipped else {
            throw refusal(.precondition, "the step is over; the release waits for something else")
        }
        let movesTraffic = ["setWeight", "setMatch", "setMirror"].contains(step.kind)
        record(.stepChosen, about: "skip", .userRequest, reason ?? "")
        let isInForce = step.state == .baking || step.state == .waiting || !movesTraffic
        if status.phase == .paused { leavePause() }
        if isInForce && step.state != .failed { return completeStep() }
        status.skipped.insert(step.index)
        stopStep(.skipped, .stepSkipped, .userRequest)
        // One that had failed is over already, and left out all the same.
        status.currentStep?.state = .skipped
    }

    /// Takes another step of the plan.
    mutating func goTo(_ target: Int, _ expectedStep: Int, _ reason: String?) throws(VerbRefusal) {
        let step = try current(expectedStep)
        guard spec.strategy.steps.indices.contains(target) else {
            throw refusal(.precondition, "the plan has no step \(target)")
        }
        record(.stepChosen, about: "goto \(target)", .userRequest, reason ?? "")
        stopStep(.skipped, .stepSkipped, .userRequest)
        status.skipped = status.skipped.filter { $0 < min(target, step.index) || $0 < target && $0 > step.index }
        if status.phase == .paused {
            status.pauseConditions = []
            enter(.progressing, .resumed, .userRequest)
        }
        enterStep(target)
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
        if status.phase == .rollingBack {
            guard force else { throw refusal(.precondition, "the release is rolling back already") }
            status.isForced = true
            return record(.rollbackForced, .userRequest, reason ?? "")
        }
        status.isForced = force
        beginRollback(.rolledBack, .userRequest, reason ?? "")
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
