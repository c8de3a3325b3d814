extension ReleaseRun {
    // MARK: What the rules leave to the release

    /// A release whose rules leave it nothing to split stands still until they do again: its clock stops, no step counts as
    /// in force, and it is not promoted.
    mutating func checkRules() {
        checkUnsplit()
        checkLeftOut()
        if observations.rules.areSplit { return removePause(.nothingToSplit) }
        switch status.phase {
        case .progressing, .promoting, .paused, .waitingApproval:
            addPause(
                .nothingToSplit,
                "no rule of \(spec.service) is left whose requests could be shared by \(spec.stable.version) and "
                    + "\(spec.canary.version)")
        default: break
        }
    }

    /// A step that leaves rules as they are which it is to split is not in force, whatever the proxies acknowledge, until
    /// the rules fit or somebody has acknowledged that it goes on without them.
    private mutating func checkLeftOut() {
        guard !observations.rules.leftOut.isEmpty else {
            status.isExcessAcknowledged = false
            return removePause(.tooManyCopies)
        }
        guard !status.isExcessAcknowledged else { return removePause(.tooManyCopies) }
        switch status.phase {
        case .progressing, .promoting, .paused, .waitingApproval: addPause(.tooManyCopies, leftOutMessage)
        default: break
        }
    }

    var leftOutMessage: String {
        let rules = observations.rules.leftOut
        let what = rules.count == 1 ? "a rule is" : "\(rules.count) rules are"
        return
            "\(what) not split: \(Self.listed(rules, atMost: 2)); make the rules fewer, or promote to go on without them"
    }

    /// Brings what is said of the routes up to date with them: rules come and go, and have other names.
    private mutating func checkUnsplit() {
        guard status.isPaused(for: .unsplitRoutes) else { return }
        if observations.rules.unsplit.isEmpty {
            removePause(.unsplitRoutes)
        } else {
            addPause(.unsplitRoutes, unsplitMessage)
        }
    }

    /// Whether the promotion has to wait until somebody has acknowledged what it moves untested.
    mutating func holdForAcknowledgement() -> Bool {
        guard spec.unsplitAction == .hold, !status.isUnsplitAcknowledged, !observations.rules.unsplit.isEmpty else {
            return false
        }
        addPause(.unsplitRoutes, unsplitMessage)
        return true
    }

    private var unsplitMessage: String {
        "the promotion moves to \(spec.canary.version) at once what the release did not split: "
            + "\(Self.listed(observations.rules.unsplit)); promote to acknowledge it"
    }

    /// For people: the first few, and how many there are beside them.
    static func listed(_ items: [String], atMost count: Int = 5) -> String {
        let shown = items.prefix(count).joined(separator: ", ")
        return items.count > count ? "\(shown) and \(items.count - count) more" : shown
    }

    /// Takes one reason to stand still away; with the last one the release goes on.
    mutating func removePause(_ reason: ReleaseStatus.Reason) {
        guard status.isPaused(for: reason) else { return }
        guard status.pauseConditions.count > 1 else { return leavePause() }
        status.pauseConditions.removeAll { $0.reason == reason }
        let isOfStep = status.pauseConditions.allSatisfy { $0.reason == .pauseStep }
        // What a pause step waited for goes on.
        if isOfStep, status.currentStep?.state == .waiting, status.currentStep?.activeSince == nil {
            status.currentStep?.activeSince = now
        }
        status.reason = status.pauseConditions.last?.reason
        status.message = status.pauseConditions.last?.message ?? ""
        // Reasons come and go, and the event of each is another one.
        status.transitions += 1
        record(.pauseRemoved, about: reason.rawValue, reason)
    }
}
