internal import Documents
internal import MeshCore

extension ReleaseRun {
    // MARK: Phases on the way to the promotion

    mutating func advancePending() -> Bool {
        guard var step = status.currentStep else { return false }
        if let other = observations.superseding {
            status.reason = .superseding
            block(on: "Superseding", "\(other) is being rolled back first")
            return false
        }
        if let startAt = spec.startAt, startAt > now {
            status.reason = .scheduled
            block(on: "Schedule", "starts at \(startAt.text)")
            return false
        }
        guard !isFrozen(.start) else {
            status.reason = .freezeWindow
            return false
        }
        if step.deadlineAt == nil {
            step.deadlineAt = now + spec.progressDeadline
            status.currentStep = step
        }
        if let version = observations.stableVersion, version != spec.stable.version {
            beginRollback(.rolledBack, .stableVersionChanged, "the service's stable version is \(version) by now")
            return true
        }
        let needed = spec.strategy.endpointGuard.minReady
        guard observations.readyStable >= needed, observations.readyCanary >= needed else {
            status.reason = .endpointsNotReady
            block(
                on: "Endpoints",
                "\(spec.stable.version) has \(observations.readyStable) and \(spec.canary.version) has "
                    + "\(observations.readyCanary) healthy endpoints; each needs \(needed)")
            return failIfOverdue()
        }
        guard requireStableCapacity() else { return failIfOverdue() }
        if observations.stableVersion == nil { serviceChanges.append(.setStable(spec.stable.version)) }
        step.deadlineAt = now + spec.progressDeadline
        status.currentStep = step
        enter(.progressing, .progressing)
        return true
    }

    /// Whether the stable version can take what the service gets now. Where none is in charge yet, requests that name no
    /// version go to all endpoints; from the release's first step on they go to the stable version's.
    private mutating func requireStableCapacity() -> Bool {
        guard observations.stableVersion == nil, !status.isCapacityWaived else { return true }
        let (ready, now) = (observations.readyStable, observations.readyTotal - observations.readyCanary)
        let needed = spec.strategy.endpointGuard.neededStable(of: now)
        guard ready < needed else { return true }
        status.reason = .stableTooSmall
        block(
            on: "Endpoints",
            "\(spec.stable.version) would get alone what \(now) healthy endpoints get now; it has \(ready) and needs "
                + "\(needed), or start with force")
        return false
    }

    /// Only a pause step with a duration ends by itself.
    mutating func advancePaused() -> Bool {
        guard let step = status.currentStep, step.state == .waiting, step.index < spec.strategy.steps.count,
            status.pauseConditions.allSatisfy({ $0.reason == .pauseStep }),
            case .pause(let duration?) = spec.strategy.steps[step.index].action, step.elapsed(at: now) >= duration
        else {
            block(on: "Decision", status.pauseConditions.map(\.reason.rawValue).joined(separator: ", "))
            return false
        }
        guard !isFrozen(.advance) else { return false }
        leavePause()
        completeStep()
        return true
    }

    /// Nothing may be sent to the former stable version any more before its endpoints can go: all have the routes of the
    /// promotion, and then requests that were on their way have had the time to end.
    mutating func advanceFinalizing() -> Bool {
        guard confirmTraffic(proceeding: spec.strategy.onApplyTimeout == .proceed) else { return rollBackIfMissed() }
        guard let appliedAt = status.traffic.appliedAt, now - appliedAt >= spec.retainStable else { return false }
        guard confirmPostPromotion() else { return false }
        endAnalyses()
        status.completionStatus = status.ending
        status.currentStep = nil
        status.serviceBefore = nil
        enter(.succeeded, .succeeded, .planCompleted)
        return false
    }

    /// Everything goes to the canary and is acknowledged, and the canary is healthy: it is the stable version from now.
    private mutating func promoteService() {
        serviceChanges.append(
            .promote(from: spec.stable.version, to: spec.canary.version, at: now, rules: spec.strategy.rules))
        status.isPromoted = true
        status.serviceBefore = ServiceStatus(
            stableVersion: observations.stableVersion, promotions: observations.promotions)
        endAnalyses()
        enter(.finalizing, .promoted)
        awaitProxies()
        beginPostPromotionAnalysis()
    }

    /// The routes change with this commit, and are waited for from now on.
    mutating func awaitProxies() {
        status.traffic.changedAt = now
        status.traffic.configRevision = nil
        status.traffic.ackedProxies = 0
        status.traffic.waitingSince = now
        status.traffic.appliedAt = nil
        status.traffic.missedAt = nil
    }

    mutating func beginPromotion(_ ending: ReleaseStatus.Completion, _ reason: ReleaseStatus.Reason) {
        status.ending = ending
        enter(.promoting, .promotionStarted, reason)
        enterStep(spec.strategy.steps.count)
    }

    // MARK: Steps

    /// Begins a step, or the same one again.
    mutating func enterStep(_ index: Int) {
        let planned = index < spec.strategy.steps.count ? spec.strategy.steps[index] : nil
        endStepAnalysis()
        status.votes = []
        status.visits += 1
        // A pause gives the deadline back when it ends, counted from its beginning.
        let base = status.pauseConditions.first?.startTime ?? now
        let step = ReleaseStatus.CurrentStep(
            index: index, name: planned?.name, kind: planned?.kind ?? .promote, state: .pending, startedAt: now,
            visit: status.visits, deadlineAt: status.phase == .pending ? nil : base + spec.progressDeadline)
        status.currentStep = step
        recordStep(.stepStarted, step)
    }

    mutating func advanceStep() -> Bool {
        guard let step = status.currentStep else { return false }
        switch step.state {
        case .pending: return prepare(step)
        case .applying:
            guard !status.traffic.awaitsStamp else { return false }
            beginVerifying()
            return true
        case .verifying: return verify(step)
        case .baking:
            guard step.index < spec.strategy.steps.count,
                step.elapsed(at: now) >= spec.strategy.steps[step.index].bakeTime, confirmBackground(),
                !isFrozen(.advance)
            else { return false }
            completeStep()
            return true
        case .completed,
            .skipped where step.state == .completed || status.skipped.contains(step.index):
            return leave(step)
        case .waiting where step.kind == .analysis || step.kind == .webhook: return advanceAnalysis(step)
        case .waiting, .skipped, .failed: return false
        }
    }

    /// Takes what comes behind a step that is over.
    private mutating func leave(_ step: ReleaseStatus.CurrentStep) -> Bool {
        let isLast = step.index + 1 >= spec.strategy.steps.count
        guard !isFrozen(isLast ? .promote : .advance) else { return false }
        if !isLast {
            enterStep(step.index + 1)
        } else if step.index >= spec.strategy.steps.count {
            promoteService()
        } else if !holdForPromotionRight(.all, []), !holdForAcknowledgement() {
            beginPromotion(.promoted, .planCompleted)
        }
        return true
    }

    /// Begins to verify. A step that waits for proxies has no deadline of its own: their time is `applyTimeout`.
    private mutating func beginVerifying() { move(.verifying, .stepVerifying) { step, _ in step.deadlineAt = nil } }

    /// Sends nothing to the canary before it is ready.
    private mutating func prepare(_ step: ReleaseStatus.CurrentStep) -> Bool {
        let target = spec.strategy.traffic(through: step.index, without: status.skipped)
        let current = status.traffic
        if target.share == current.canaryShare && target.matches == current.matches && target.mirror == current.mirror {
            if case .checkEndpoints(let check) = planned(step)?.action { return hold(step, until: check) }
            // The others take the traffic as it is, which the steps before have brought into force.
            if !(step.kind.movesTraffic || step.kind == .analysis || step.kind == .promote) || current.changedAt == nil
            {
                beginForce(step)
                return true
            }
            if current.appliedAt == nil { status.traffic.waitingSince = now }
            beginVerifying()
            return true
        }
        let givesMore =
            target.share > current.canaryShare || (!target.matches.isEmpty && target.matches != current.matches)
            || (target.mirror != nil && target.mirror != current.mirror)
        if givesMore {
            guard step.kind == .promote || !isFrozen(.advance) else { return false }
            if holdForPromotionRight(target.share, target.matches) { return true }
            let needed = spec.strategy.endpointGuard.needed(for: target.share, readyStable: observations.readyStable)
            guard observations.readyCanary >= needed else {
                block(
                    on: "Endpoints",
                    "\(spec.canary.version) has \(observations.readyCanary) healthy endpoints and needs \(needed)")
                return failIfOverdue()
            }
        }
        status.traffic.canaryShare = target.share
        status.traffic.matches = target.matches
        status.traffic.mirror = target.mirror
        awaitProxies()
        move(.applying, .stepApplying)
        return true
    }

    private mutating func verify(_ step: ReleaseStatus.CurrentStep) -> Bool {
        guard confirmTraffic(proceeding: spec.strategy.onApplyTimeout == .proceed) else { return rollBackIfMissed() }
        let needed = spec.strategy.endpointGuard.minReady
        if step.kind == .promote && observations.readyCanary < needed {
            block(on: "Endpoints", "\(spec.canary.version) needs \(needed) healthy endpoints to be promoted")
            if step.deadlineAt == nil { status.currentStep?.deadlineAt = now + spec.progressDeadline }
            return failIfOverdue()
        }
        beginForce(step)
        return true
    }

    /// - Returns: whether too many proxies are missing for too long and the plan says to turn around then.
    private mutating func rollBackIfMissed() -> Bool {
        guard spec.strategy.onApplyTimeout == .rollback, !status.traffic.awaitsStamp, following == .missed else {
            return false
        }
        beginRollback(.rolledBack, .waitingForProxies, trafficApplied.message)
        return true
    }

    /// Begins the step's clock: its traffic is what the proxies do.
    private mutating func beginForce(_ step: ReleaseStatus.CurrentStep) {
        beginBackgroundAnalysis(at: step.index)
        switch planned(step)?.action {
        case .analysis:
            move(.waiting, .stepWaiting) { $0.startClock($1) }
            beginStepAnalysis(step)
        case .pause:
            move(.waiting, .stepWaiting) { $0.startClock($1) }
            addPause(.pauseStep, step.name ?? "")
        case .approval(let gate):
            move(.waiting, .stepWaiting) { $0.startClock($1) }
            enter(.waitingApproval, .approvalRequested, nil, gate.name)
        case .webhook(let call):
            move(.waiting, .stepWaiting) { $0.startClock($1) }
            beginWebhook(call, step)
        case .notify(let note):
            recordStep(.notified, step, nil, note.message)
            completeStep()
        case .setWeight, .setMatch, .setMirror:
            guard let bakeTime = planned(step)?.bakeTime, bakeTime > .zero || status.analysis.background != nil else {
                return completeStep()
            }
            move(.baking, .stepBaking) { $0.startClock($1) }
        case .checkEndpoints, nil: completeStep()
        }
    }

    private func planned(_ step: ReleaseStatus.CurrentStep) -> ReleaseStep? {
        step.index < spec.strategy.steps.count ? spec.strategy.steps[step.index] : nil
    }

    /// Waits until the canary has had enough endpoints for long enough.
    private mutating func hold(_ step: ReleaseStatus.CurrentStep, until check: CheckEndpointsStep) -> Bool {
        let needed = check.needed(guardedBy: spec.strategy.endpointGuard, readyStable: observations.readyStable)
        guard observations.readyCanary >= needed else {
            status.currentStep?.restartClock(nil)
            block(
                on: "Endpoints",
                "\(spec.canary.version) has \(observations.readyCanary) healthy endpoints and needs \(needed) for "
                    + check.duration.text)
            return failIfOverdue()
        }
        if step.activeSince == nil {
            // Nobody looked while it was paused, so it begins anew.
            status.currentStep?.restartClock(now)
        }
        let held = status.currentStep?.elapsed(at: now) ?? .zero
        guard held >= check.duration, !isFrozen(.advance) else {
            if held < check.duration, let since = status.currentStep?.activeSince {
                // Not how long: a status that is another one with every look would be written with every look.
                block(on: "Endpoints", "enough since \(since.text), needs \(check.duration.text)")
            }
            return false
        }
        completeStep()
        return true
    }

    mutating func completeStep() {
        endStepAnalysis()
        move(.completed, .stepCompleted) { $0.stopClock($1) }
    }

    /// Moves the current step to another state and records it.
    mutating func move(
        _ state: ReleaseStatus.StepState, _ kind: ReleaseEvent.Kind, _ reason: ReleaseStatus.Reason? = nil,
        _ message: String = "", _ change: (inout ReleaseStatus.CurrentStep, Timestamp) -> Void = { _, _ in }
    ) {
        guard var step = status.currentStep else { return }
        step.state = state
        change(&step, now)
        status.currentStep = step
        recordStep(kind, step, reason, message)
    }
}

extension ReleaseStatus.CurrentStep {
    /// The step is in force: from here on its own time counts, not the deadline.
    mutating func startClock(_ now: Timestamp) {
        activeSince = now
        deadlineAt = nil
    }

    /// Forgets what has passed; the clock runs from then on, or stands.
    mutating func restartClock(_ since: Timestamp?) {
        activeSince = since
        elapsedActive = .zero
    }

    mutating func stopClock(_ now: Timestamp) {
        elapsedActive = elapsed(at: now)
        activeSince = nil
        deadlineAt = nil
    }

    /// Stops the clock of a step that goes on later.
    mutating func suspendClock(_ now: Timestamp) {
        elapsedActive = elapsed(at: now)
        activeSince = nil
    }
}
