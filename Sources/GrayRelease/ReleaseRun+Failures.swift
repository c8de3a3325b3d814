internal import MeshCore

extension ReleaseRun {
    // MARK: What must not go on

    /// Without service, port or stable version there is nothing that traffic could be moved back to.
    mutating func checkTargets() {
        let missing = observations.missing
        let isHopeless =
            missing.contains(.service) || missing.contains(.port)
            || (missing.contains(.stable) && status.phase != .finalizing)
        if isHopeless {
            stopStep(.failed, .stepFailed, .targetMissing)
            let names = ReleaseObservations.Target.allCases.filter(missing.contains).map(\.rawValue)
            status.traffic = ReleaseStatus.Traffic()
            status.pauseConditions = []
            status.isPromoted = false
            status.serviceBefore = nil
            status.completionStatus = nil
            enter(.failed, .failed, .targetMissing, "no longer there: \(names.joined(separator: ", "))")
        } else if missing.contains(.canary), status.phase != .rollingBack {
            beginRollback(.rolledBack, .targetMissing, "the service has no version \(spec.canary.version) any more")
        }
    }

    /// Requests must never be sent to a canary that nobody serves.
    mutating func checkCanary() {
        guard status.traffic.isEffective, observations.readyCanary <= 0, status.phase != .rollingBack,
            status.phase.isActive
        else { return }
        let action = status.phase == .finalizing ? .rollback : spec.strategy.endpointGuard.onCanaryUnavailable
        let message = "\(spec.canary.version) has no healthy endpoint"
        guard action != .rollback, let step = status.currentStep else {
            return beginRollback(.rolledBack, .canaryUnavailable, message)
        }
        withdrawTraffic(.canaryUnavailable, message)
        status.pauseConditions.removeAll { $0.reason == .pauseStep }
        if action == .pause {
            enterStep(step.index)
            addPause(.canaryUnavailable, message)
        } else {
            if status.phase == .paused && status.pauseConditions.isEmpty { enter(advancingPhase, .resumed) }
            enterStep(step.index)
        }
    }

    /// A proxy that refuses what the step needs will not follow, however long it is waited for.
    mutating func checkRejections() {
        guard status.phase.isAdvancing || status.phase == .promoting, status.currentStep?.state == .verifying,
            let rejection = observations.rejections.first
        else { return }
        fail(.configRejected, rejection.description)
    }

    /// - Returns: whether the step failed, so that something else is due.
    mutating func failIfOverdue() -> Bool {
        guard let deadline = status.currentStep?.deadlineAt, now >= deadline else { return false }
        let blockers = status.blockedOn.map(\.detail).joined(separator: "; ")
        fail(.progressDeadlineExceeded, blockers)
        return true
    }

    /// The current step fails; what follows is the release's policy.
    ///
    /// - Parameter action: `nil`: the policy of all steps.
    mutating func fail(
        _ reason: ReleaseStatus.Reason, _ message: String, _ action: ReleaseSpec.FailureAction? = nil
    ) {
        switch action ?? spec.onFailed {
        case .rollback: beginRollback(.rolledBack, reason, message)
        case .pause:
            stopStep(.failed, .stepFailed, reason, message)
            addPause(reason, message)
        }
    }

    // MARK: Pauses

    /// Adds a reason to stand still, or says anew what it is about. The phase becomes Paused with the first one.
    mutating func addPause(_ reason: ReleaseStatus.Reason, _ message: String) {
        if let index = status.pauseConditions.firstIndex(where: { $0.reason == reason }) {
            status.pauseConditions[index].message = message
            if status.reason == reason { status.message = message }
            return
        }
        if reason != .pauseStep { status.currentStep?.suspendClock(now) }
        status.pauseConditions.append(ReleaseStatus.PauseCondition(reason: reason, startTime: now, message: message))
        if status.phase == .paused {
            status.reason = reason
            status.message = message
            record(.pauseAdded, about: reason.rawValue, reason, message)
        } else {
            enter(.paused, .paused, reason, message)
        }
    }

    /// Clears all reasons to stand still and gives the time back; proxies are waited for anew.
    mutating func leavePause() {
        guard let first = status.pauseConditions.first, var step = status.currentStep else { return }
        step.deadlineAt = step.deadlineAt.map { $0 + max(.zero, now - first.startTime) }
        if (step.state == .baking || step.isAtGate) && step.activeSince == nil { step.activeSince = now }
        status.currentStep = step
        if status.traffic.waitingSince != nil && status.traffic.appliedAt == nil { status.traffic.waitingSince = now }
        status.pauseConditions = []
        enter(advancingPhase, .resumed)
    }

    /// The phase that a release of this step is in unless it is paused.
    var advancingPhase: ReleaseStatus.Phase {
        guard let step = status.currentStep else { return .pending }
        if step.kind == .promote { return .promoting }
        if step.isAtGate { return .waitingApproval }
        // Nothing has been done yet: what a pending release waits for is looked at again.
        let isUntouched = step.index == 0 && status.traffic.changedAt == nil
        return isUntouched && (step.state == .pending || step.state == .failed) ? .pending : .progressing
    }

    /// Ends the current step without its having been completed.
    mutating func stopStep(
        _ state: ReleaseStatus.StepState, _ kind: ReleaseEvent.Kind, _ reason: ReleaseStatus.Reason? = nil,
        _ message: String = ""
    ) {
        switch status.currentStep?.state {
        case nil, .completed, .skipped, .failed: return
        default: move(state, kind, reason, message) { $0.stopClock($1) }
        }
    }
}
