internal import MeshCore

/// One run of ``ReleaseMachine``: the status as it changes, and what has to be committed with it.
struct ReleaseRun {
    let spec: ReleaseSpec
    let observations: ReleaseObservations
    let now: Timestamp
    private let before: ReleaseStatus
    var status: ReleaseStatus
    private var events: [ReleaseEvent] = []
    var serviceChanges: [ServiceStatus.Change] = []
    var analysisChanges: [AnalysisChange] = []
    var isLatenessNoticed = false
    /// Whether a freeze window was in the way in this run.
    var isHeldByFreeze = false

    /// Twice the lease: a release that nobody looked at for longer than that was without a controller.
    static let gap = Duration.seconds(30)

    init(spec: ReleaseSpec, status: ReleaseStatus, observations: ReleaseObservations, now: Timestamp) {
        self.spec = spec
        self.status = status
        before = status
        self.observations = observations
        self.now = now
    }

    var decision: ReleaseDecision {
        let isSameTraffic =
            before.ownsTraffic == status.ownsTraffic && before.traffic.canaryShare == status.traffic.canaryShare
            && before.traffic.matches == status.traffic.matches && before.traffic.mirror == status.traffic.mirror
        return ReleaseDecision(
            status: status, events: events, serviceChanges: serviceChanges, analysisChanges: analysisChanges,
            changesRoutes: !serviceChanges.isEmpty || !isSameTraffic || status.traffic.awaitsStamp,
            decidedAt: now, nextWakeupAt: nextWakeup)
    }

    /// Does everything that is due, until something has to be committed or waited for.
    mutating func runDueTransitions() {
        guard status.phase.isActive else { return }
        noticeLateness()
        status.traffic.totalProxies = observations.proxies.relevant
        status.traffic.ackedProxies = observations.proxies.acked
        status.blockedOn = []
        checkTargets()
        checkCanary()
        checkRejections()
        checkRules()
        checkAnalyses()
        noticeThaw()
        while advance() {}
        noticeConditions()
    }

    /// Takes the next transition.
    ///
    /// - Returns: whether there was one and the next may be due already. Every transition goes forward in the plan or
    ///   to a later phase, so this ends.
    private mutating func advance() -> Bool {
        switch status.phase {
        case .pending: advancePending()
        case .progressing, .promoting: advanceStep()
        case .paused: advancePaused()
        case .waitingApproval: advanceApproval()
        case .finalizing: advanceFinalizing()
        case .rollingBack: advanceRollback()
        case .draft, .succeeded, .rolledBack, .aborted, .superseded, .failed: false
        }
    }

    // MARK: What is recorded

    /// Enters a phase.
    mutating func enter(
        _ phase: ReleaseStatus.Phase, _ kind: ReleaseEvent.Kind, _ reason: ReleaseStatus.Reason? = nil,
        _ message: String = ""
    ) {
        status.phase = phase
        // What the phase before waited for, this one does not.
        status.blockedOn = []
        status.reason = reason
        status.message = message
        status.lastTransitionTime = now
        status.transitions += 1
        record(kind, key: "t\(status.transitions)/\(kind.rawValue)", reason, message)
    }

    /// Records something that changes neither phase nor step. At most once per phase and step for each `kind` and
    /// `about`.
    mutating func record(
        _ kind: ReleaseEvent.Kind, about: String = "", _ reason: ReleaseStatus.Reason? = nil, _ message: String = ""
    ) {
        let key = "t\(status.transitions)/v\(status.visits)/\(kind.rawValue)\(about.isEmpty ? "" : "/\(about)")"
        record(kind, key: key, reason, message)
    }

    /// Records a transition of the current step.
    mutating func recordStep(
        _ kind: ReleaseEvent.Kind, _ step: ReleaseStatus.CurrentStep, _ reason: ReleaseStatus.Reason? = nil,
        _ message: String = ""
    ) {
        record(kind, key: "s\(step.index)/v\(step.visit)/\(kind.rawValue)", reason, message)
    }

    private mutating func record(
        _ kind: ReleaseEvent.Kind, key: String, _ reason: ReleaseStatus.Reason?, _ message: String
    ) {
        events.append(
            ReleaseEvent(
                kind: kind, dedupeKey: "a\(status.attempt)/\(key)", at: now, phase: status.phase,
                stepIndex: status.currentStep?.index, stepState: status.currentStep?.state, reason: reason,
                message: message, canaryShare: status.traffic.canaryShare))
    }

    mutating func block(on kind: String, _ detail: String) {
        status.blockedOn.append(ReleaseStatus.Blocker(kind: kind, detail: detail))
    }

    func refusal(_ code: VerbRefusal.Code, _ detail: String) -> VerbRefusal {
        VerbRefusal(
            code: code, detail: detail, phase: before.phase, currentStep: before.currentStep?.index,
            allowedActions: ReleaseMachine.allowedVerbs(before))
    }

    // MARK: Time

    /// Gives back the time in which nobody looked: downtime alone must never exceed a deadline.
    mutating func noticeLateness() {
        guard !isLatenessNoticed, status.phase.isActive, let planned = observations.plannedWakeupAt else { return }
        isLatenessNoticed = true
        let lateness = now - max(planned, observations.lastDrivenAt ?? planned)
        guard lateness > .seconds(1) else { return }
        let isGap = lateness > Self.gap
        if var step = status.currentStep {
            step.deadlineAt = step.deadlineAt.map { $0 + lateness }
            // Nobody saw what happened in a gap, so it tells nothing of the traffic.
            if isGap { step.activeSince = step.activeSince.map { min(now, $0 + lateness) } }
            status.currentStep = step
        }
        status.traffic.waitingSince = status.traffic.waitingSince.map { $0 + lateness }
        status.analysis.escalatesAt = status.analysis.escalatesAt.map { $0 + lateness }
        if isGap {
            record(.controllerGap, about: planned.text, nil, "nobody looked at the release for \(lateness.iso8601)")
        }
    }

    private mutating func noticeConditions() {
        let minReady = spec.strategy.endpointGuard.minReady
        let (canary, stable) = (observations.readyCanary, observations.readyStable)
        let applied = trafficApplied
        let now = now
        let old = status.conditions
        func condition(
            _ type: String, _ isTrue: Bool, _ reason: String, _ message: String = ""
        ) -> ReleaseStatus.Condition {
            let since = old.first { $0.type == type && $0.isTrue == isTrue }?.lastTransitionTime
            return ReleaseStatus.Condition(
                type: type, isTrue: isTrue, reason: reason, message: message, lastTransitionTime: since ?? now)
        }
        let isProgressing = status.phase.isActive && status.phase != .paused
        status.conditions = [
            condition("Progressing", isProgressing, status.phase.rawValue),
            condition("CanaryReady", canary >= minReady, canary >= minReady ? "EnoughEndpoints" : "TooFewEndpoints"),
            condition("StableReady", stable >= minReady, stable >= minReady ? "EnoughEndpoints" : "TooFewEndpoints"),
            condition("TrafficApplied", applied.isTrue, applied.reason, applied.message),
        ]
    }
}
