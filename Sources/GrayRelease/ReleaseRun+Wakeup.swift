internal import MeshCore

extension ReleaseRun {
    /// When to look again if no signal comes before: at the next time that is set, and at the latest after a while that
    /// makes up for lost signals. Always later than now.
    var nextWakeup: Timestamp? {
        guard status.phase.isActive else { return nil }
        return dueTimes.filter { $0 > now }.reduce(now + patience) { min($0, $1) }
    }

    /// How long a lost signal may go unnoticed.
    private var patience: Duration {
        if status.traffic.awaitsStamp { return .milliseconds(250) }
        switch status.phase {
        case .pending: return spec.startAt.map { $0 > now } == true ? .seconds(60) : .seconds(2)
        case .progressing, .promoting: return status.currentStep?.state == .baking ? .seconds(5) : waiting
        case .paused, .waitingApproval: return status.traffic.exposesCanary ? .seconds(5) : .seconds(30)
        case .finalizing: return status.traffic.appliedAt == nil ? waiting : .seconds(5)
        default: return waiting
        }
    }

    /// Proxies wake a release when they answer; that one has gone nobody says.
    private var waiting: Duration {
        applyDeadline.map { $0 <= now } == true ? .seconds(2) : .milliseconds(500)
    }

    private var dueTimes: [Timestamp] {
        var times: [Timestamp] = []
        switch status.phase {
        case .pending: times += [spec.startAt, status.currentStep?.deadlineAt].compactMap(\.self)
        case .finalizing:
            times += [applyDeadline, status.traffic.appliedAt.map { $0 + spec.retainStable }].compactMap(\.self)
        case .rollingBack: times += [applyDeadline].compactMap(\.self)
        default:
            guard let step = status.currentStep else { break }
            if status.phase != .paused {
                times += [step.deadlineAt, applyDeadline].compactMap(\.self)
            }
            if let end = end(of: step) { times.append(end) }
        }
        if let end = status.analysis.escalatesAt { times.append(end) }
        if status.frozen != nil { times += observations.freezes.compactMap(\.until) }
        return times
    }

    /// When a step whose clock runs has had its time.
    private func end(of step: ReleaseStatus.CurrentStep) -> Timestamp? {
        guard let since = step.activeSince, step.index < spec.strategy.steps.count else { return nil }
        let planned = spec.strategy.steps[step.index]
        switch planned.action {
        case .pause(let duration): return duration.map { since + ($0 - step.elapsedActive) }
        case .approval(let gate): return gate.timeout.map { since + ($0 - step.elapsedActive) }
        case .checkEndpoints(let check): return since + (check.duration - step.elapsedActive)
        default: break
        }
        return since + (planned.bakeTime - step.elapsedActive)
    }
}
