internal import Analysis
internal import Documents
internal import MeshCore

/// The release as it goes by measurements of the canary. Runs are measured beside the engine; it decides by what they have come to.
extension ReleaseRun {
    private var runs: ReleaseStatus.AnalysisRuns { status.analysis }

    func observation(_ id: String?) -> AnalysisObservation? { id.flatMap { observations.analyses[$0] } }

    // MARK: Beginning and ending

    private func runID(_ kind: AnalysisRun.Kind) -> String { "a\(status.attempt)-v\(status.visits)-\(kind.rawValue)" }

    /// Has the current step wait for a run of its own.
    mutating func beginStepAnalysis(_ step: ReleaseStatus.CurrentStep) {
        let id = runID(.step)
        status.analysis.current = id
        analysisChanges.append(.begin(id: id, .step, step: step.index))
        record(.analysisStarted, about: id)
    }

    /// Has the current step wait for the answer to a call. Like a measurement it is made beside the engine, again and again until
    /// there is one, and is a run with one metric: the answer.
    mutating func beginWebhook(_ call: WebhookStep, _ step: ReleaseStatus.CurrentStep) {
        let id = runID(.webhook)
        status.analysis.current = id
        analysisChanges.append(.begin(id: id, .webhook, step: step.index))
        record(.webhookCalled, about: id, nil, call.url)
    }

    /// Begins to measure beside the steps, if the plan says so and it is time.
    mutating func beginBackgroundAnalysis(at index: Int) {
        guard let background = spec.strategy.backgroundAnalysis, runs.background == nil,
            let start = background.start(in: spec.strategy.steps), index >= start,
            index < spec.strategy.steps.count
        else { return }
        let id = runID(.background)
        status.analysis.background = id
        analysisChanges.append(.begin(id: id, .background, step: index))
        record(.analysisStarted, about: id)
    }

    mutating func beginPostPromotionAnalysis() {
        guard spec.strategy.postPromotionAnalysis != nil else { return }
        let id = runID(.postPromotion)
        status.analysis.postPromotion = id
        analysisChanges.append(.begin(id: id, .postPromotion, step: spec.strategy.steps.count))
        record(.analysisStarted, about: id)
    }

    mutating func endStepAnalysis() {
        end(status.analysis.current)
        status.analysis.current = nil
    }

    mutating func endBackgroundAnalysis() {
        end(status.analysis.background)
        status.analysis.background = nil
    }

    /// Ends all runs, as what they are about is over.
    mutating func endAnalyses() {
        endStepAnalysis()
        endBackgroundAnalysis()
        end(status.analysis.postPromotion)
        status.analysis = ReleaseStatus.AnalysisRuns()
    }

    /// One that is over stays as it is.
    private mutating func end(_ id: String?) {
        guard let id, observation(id)?.phase.isFinal != true else { return }
        analysisChanges.append(.cancel(id: id))
    }

    // MARK: Deciding

    /// Acts on what runs have come to: failures first, then what is undecided, then what could not be measured.
    mutating func checkAnalyses() {
        switch status.phase {
        case .progressing, .paused, .promoting, .waitingApproval: break
        case .finalizing: return checkPostPromotion()
        default: return
        }
        for (id, isStep) in [(runs.current, true), (runs.background, false)] {
            guard let run = observation(id) else { continue }
            switch run.phase {
            case .failed where isStep && status.currentStep?.kind == .webhook:
                if !status.isPaused(for: .webhookFailed) { return fail(.webhookFailed, run.message) }
            case .failed where !status.isPaused(for: .analysisFailed):
                return fail(.analysisFailed, run.message)
            case .inconclusive where !status.isPaused(for: .inconclusiveAnalysis):
                resolveInconclusive(run.message, isStep: isStep)
                if status.phase == .rollingBack { return }
            default: break
            }
        }
        checkErrors()
    }

    private mutating func resolveInconclusive(_ message: String, isStep: Bool) {
        switch spec.onInconclusive {
        case .pause: addPause(.inconclusiveAnalysis, message)
        case .rollback: beginRollback(.rolledBack, .inconclusiveAnalysis, message)
        // What else it stands still for comes first.
        case .proceed where status.phase == .paused: return
        case .proceed:
            record(.inconclusiveAccepted, about: isStep ? "step" : "background", .inconclusiveAnalysis, message)
            if isStep { completeStep() } else { renewBackgroundAnalysis() }
        }
    }

    /// A provider that does not answer is no verdict: the release stands still, goes on by itself with the first answer, and turns back
    /// when there is none for too long.
    private mutating func checkErrors() {
        let failing = [runs.current, runs.background].compactMap(observation).first { $0.phase == .error }
        guard let failing else {
            status.analysis.escalatesAt = nil
            return removePause(.providerError)
        }
        if !turnAround(for: failing) { addPause(.providerError, failing.message) }
    }

    /// - Returns: whether the release turns around because nothing can be measured, at once or for too long.
    private mutating func turnAround(for failing: AnalysisObservation) -> Bool {
        let end = status.analysis.escalatesAt ?? (failing.errorSince ?? now) + spec.errorEscalation.after
        status.analysis.escalatesAt = end
        if spec.onError == .rollback {
            beginRollback(.rolledBack, .providerError, failing.message)
        } else if spec.errorEscalation.action == .rollback, end <= now {
            beginRollback(
                .rolledBack, .providerError, "no answer for \(spec.errorEscalation.after.text): \(failing.message)")
        }
        return status.phase == .rollingBack
    }

    private mutating func checkPostPromotion() {
        guard let run = observation(runs.postPromotion) else { return }
        switch run.phase {
        case .failed: beginRollback(.rolledBack, .analysisFailed, run.message)
        case .inconclusive where spec.onInconclusive == .rollback:
            beginRollback(.rolledBack, .inconclusiveAnalysis, run.message)
        case .error where !status.analysis.isPostPromotionAccepted: _ = turnAround(for: run)
        default: status.analysis.escalatesAt = nil
        }
    }

    /// Whether nothing is left to measure before the release may end.
    mutating func confirmPostPromotion() -> Bool {
        guard let id = runs.postPromotion else { return true }
        let run = observation(id)
        switch run?.phase {
        case .successful: return true
        case .inconclusive where spec.onInconclusive == .proceed || runs.isPostPromotionAccepted: return true
        case .inconclusive:
            block(on: "Decision", "\(run?.message ?? ""); promote to accept it, or rollback")
        case .error:
            if runs.isPostPromotionAccepted { return true }
            block(on: "Analysis", run?.message ?? "")
        default: blockOnMeasurements(run)
        }
        return false
    }

    mutating func advanceAnalysis(_ step: ReleaseStatus.CurrentStep) -> Bool {
        guard let run = observation(runs.current) else {
            block(on: "Analysis", "the analysis has not begun yet")
            return false
        }
        guard run.phase == .successful else {
            blockOnMeasurements(run)
            return false
        }
        completeStep()
        return true
    }

    /// Whether the step has been looked at by all metrics of the analysis beside the steps, while its traffic was in force.
    mutating func confirmBackground() -> Bool {
        // Where no traffic was ever moved there is none to look at.
        guard let id = runs.background, status.traffic.changedAt != nil else { return true }
        guard let run = observation(id), let since = run.measuredSince, let appliedAt = status.traffic.appliedAt,
            since >= appliedAt
        else {
            blockOnMeasurements(observation(id))
            return false
        }
        return true
    }

    private mutating func blockOnMeasurements(_ run: AnalysisObservation?) {
        guard let run, !run.shortages.isEmpty else {
            return block(on: "Analysis", "each metric is measured once in the step's traffic, or as often as it says")
        }
        block(on: "Samples", run.shortages.joined(separator: "; "))
    }

    /// Begins to measure beside the steps anew.
    mutating func renewBackgroundAnalysis() {
        guard runs.background != nil, let step = status.currentStep else { return }
        endBackgroundAnalysis()
        status.visits += 1
        beginBackgroundAnalysis(at: min(step.index, spec.strategy.steps.count - 1))
    }

    // MARK: Verbs

    /// Measures again what was undecided, failed, or goes on.
    mutating func retryAnalysis() throws(VerbRefusal) {
        guard let step = status.currentStep else { throw refusal(.precondition, "the release is at no step") }
        let isOver = { (run: AnalysisObservation?) in
            [AnalysisPhase.failed, .inconclusive, .error].contains(run?.phase)
        }
        let (isOfStep, isOfBackground) = (isOver(observation(runs.current)), isOver(observation(runs.background)))
        status.pauseConditions.removeAll { $0.reason == .inconclusiveAnalysis || $0.reason == .analysisFailed }
        if isOfBackground { renewBackgroundAnalysis() }
        if step.kind == .analysis && (isOfStep || !isOfBackground || step.state == .failed) {
            endStepAnalysis()
            if status.phase == .paused && status.pauseConditions.isEmpty { enter(advancingPhase, .resumed) }
            return enterStep(step.index)
        }
        if status.phase == .paused && status.pauseConditions.isEmpty {
            enter(advancingPhase, .resumed)
            if step.state == .failed { enterStep(step.index) } else { status.currentStep?.resumeClock(now) }
        }
    }

    /// Goes on although measurements were undecided.
    mutating func acceptInconclusive() {
        let isOfStep = observation(runs.current)?.phase == .inconclusive
        record(.inconclusiveAccepted, .userRequest, status.message)
        removePause(.inconclusiveAnalysis)
        if isOfStep { completeStep() } else { renewBackgroundAnalysis() }
    }
}

extension ReleaseStatus.CurrentStep {
    /// Goes on with a clock that a pause stopped.
    mutating func resumeClock(_ now: Timestamp) {
        if (state == .baking || state == .waiting) && activeSince == nil { activeSince = now }
    }
}
