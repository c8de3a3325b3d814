extension ReleaseRun {
    // MARK: What the rules leave to the release

    /// A release whose rules leave it nothing to split stands still until they do again: its clock stops, no step counts as
    /// in force, and it is not promoted.
    mutating func checkRules() {
        if observations.rules.unsplit.isEmpty { removePause(.unsplitRoutes) }
        if observations.rules.areSplit { return removePause(.nothingToSplit) }
        switch status.phase {
        case .progressing, .promoting, .paused:
            addPause(
                .nothingToSplit,
                "no rule of \(spec.service) is left whose requests could be shared by \(spec.stable.version) and "
                    + "\(spec.canary.version)")
        default: break
        }
    }

    /// Whether the promotion has to wait until somebody has acknowledged what it moves untested.
    mutating func awaitsAcknowledgement() -> Bool {
        let routes = observations.rules.unsplit
        guard spec.unsplitAction == .hold, !status.isUnsplitAcknowledged, !routes.isEmpty else { return false }
        addPause(
            .unsplitRoutes,
            "the promotion moves to \(spec.canary.version) at once what the release did not split: "
                + "\(Self.listed(routes)); promote to acknowledge it")
        return true
    }

    /// For people: the first few, and how many there are beside them.
    static func listed(_ items: [String]) -> String {
        let shown = items.prefix(5).joined(separator: ", ")
        return items.count > 5 ? "\(shown) and \(items.count - 5) more" : shown
    }

    /// Takes one reason to stand still away; with the last one the release goes on.
    private mutating func removePause(_ reason: ReleaseStatus.Reason) {
        guard status.isPaused(for: reason) else { return }
        guard status.pauseConditions.count > 1 else { return leavePause() }
        status.pauseConditions.removeAll { $0.reason == reason }
        let isOfStep = status.pauseConditions.allSatisfy { $0.reason == .pauseStep }
        // What a pause step waited for goes on.
        if isOfStep, status.currentStep?.state == .waiting, status.currentStep?.activeSince == nil {
            status.currentStep?.activeSince = now
        }
        status.reason = status.pauseConditions.last?.reason
        status.message = ""
        // Reasons come and go, and the event of each is another one.
        status.transitions += 1
        note(.pauseRemoved, about: reason.rawValue, reason)
    }
}
