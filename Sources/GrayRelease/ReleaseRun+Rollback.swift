extension ReleaseRun {
    /// Turns around. Needs nothing of the canary.
    mutating func beginRollback(
        _ ending: ReleaseStatus.Completion, _ reason: ReleaseStatus.Reason, _ message: String
    ) {
        if reason == .userRequest {
            stopStep(.skipped, .stepSkipped, reason)
        } else {
            stopStep(.failed, .stepFailed, reason, message)
        }
        status.pauseConditions = []
        endAnalyses()
        status.ending = ending
        enter(.rollingBack, .rollbackStarted, reason, message)
    }

    mutating func advanceRollback() -> Bool {
        let needed = spec.strategy.endpointGuard.minReady
        if status.traffic.isEffective || status.isPromoted {
            // Only requests that the canary answers now could be harmed, and a dead canary answers none.
            let isAnswering = (status.traffic.exposesCanary || status.isPromoted) && observations.readyCanary > 0
            if isAnswering && !status.isForced && observations.readyStable < needed {
                block(
                    on: ReleaseStatus.Reason.stableUnhealthy.rawValue,
                    "\(spec.stable.version) has \(observations.readyStable) healthy endpoints and needs \(needed); "
                        + "rollback with force, or promote to full")
                return false
            }
            if status.isPromoted {
                serviceChanges.append(.restore(status.serviceBefore ?? withoutPromotion))
                status.isPromoted = false
                status.serviceBefore = nil
            }
            withdrawTraffic(status.reason, "")
            return false
        }
        // The routes have gone out. Only to say that it is over waits, and not for ever: nothing better can be done.
        if status.traffic.changedAt == nil || confirmTraffic(proceeding: true) { endRollback() }
        return false
    }

    /// For releases that were promoted by a server that did not keep what was before.
    private var withoutPromotion: ServiceStatus {
        let stable = spec.stable.version
        return ServiceStatus(
            stableVersion: stable, promotions: observations.promotions.filter { $0.from != stable })
    }

    private mutating func endRollback() {
        status.completionStatus = status.ending
        var message = status.message
        if !observations.rules.handWeighted.isEmpty {
            if !message.isEmpty { message += "; " }
            message +=
                "by their own weights these send requests to \(spec.canary.version): "
                + Self.listed(observations.rules.handWeighted)
        }
        switch status.ending {
        case .aborted: enter(.aborted, .aborted, status.reason, message)
        case .superseded: enter(.superseded, .superseded, status.reason, message)
        default: enter(.rolledBack, .rolledBack, status.reason, message)
        }
    }

    /// Takes everything off the canary: the release owns no routes afterwards.
    mutating func withdrawTraffic(_ reason: ReleaseStatus.Reason?, _ message: String) {
        status.traffic = ReleaseStatus.Traffic()
        awaitProxies()
        status.traffic.totalProxies = observations.proxies.relevant
        record(.trafficWithdrawn, reason, message)
    }
}
