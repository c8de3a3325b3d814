internal import Documents
internal import MeshCore

/// The places where a plan waits for people: approvals, who may give the canary most of the traffic, and freeze windows.
extension ReleaseRun {
    // MARK: Approvals

    private func gate(of step: ReleaseStatus.CurrentStep) -> ApprovalStep? {
        guard step.index < spec.strategy.steps.count,
            case .approval(let gate) = spec.strategy.steps[step.index].action
        else { return nil }
        return gate
    }

    /// Takes what people have decided about the gate that the release is at.
    mutating func advanceApproval() -> Bool {
        guard let step = status.currentStep, step.state == .waiting, let gate = gate(of: step) else {
            // An edit has put another step in its place.
            enter(.progressing, .resumed)
            return true
        }
        if let vote = status.votes.first(where: { !$0.approves }) {
            fail(
                .gateRejected,
                "\(vote.person) rejected \"\(gate.name)\"\(vote.comment.isEmpty ? "" : ": \(vote.comment)")")
            return true
        }
        let count = status.votes.count
        if count >= gate.requiredApprovals {
            guard !isFrozen(.advance) else { return false }
            enter(
                .progressing, .approved, nil,
                "\"\(gate.name)\" by \(status.votes.map(\.person).joined(separator: ", "))")
            completeStep()
            return true
        }
        if let timeout = gate.timeout, step.elapsed(at: now) >= timeout {
            fail(.gateRejected, "nobody decided about \"\(gate.name)\" within \(timeout.text)", gate.onTimeout)
            return true
        }
        let who = gate.roles.isEmpty ? "" : " by \(gate.roles.joined(separator: ", "))"
        block(on: "Approval", "\"\(gate.name)\" has \(count) of \(gate.requiredApprovals) approvals\(who)")
        return false
    }

    mutating func vote(
        approving: Bool, _ expectedStep: Int?, _ comment: String?, by actor: ReleaseActor
    ) throws(VerbRefusal) {
        guard let step = status.currentStep, let gate = gate(of: step), step.state == .waiting else {
            throw refusal(.precondition, "the release is at no approval")
        }
        if let expectedStep, expectedStep != step.index {
            throw refusal(.stepMismatch, "the release is at step \(step.index), not at step \(expectedStep)")
        }
        guard gate.roles.isEmpty || !actor.groups.isDisjoint(with: gate.roles) else {
            throw refusal(.notApprover, "\"\(gate.name)\" asks for somebody of \(gate.roles.joined(separator: ", "))")
        }
        if gate.excludesCreator, status.people.include(actor.person) {
            throw refusal(
                .notApprover,
                "\"\(gate.name)\" asks for somebody who neither wrote nor started the release nor edited its steps")
        }
        guard !status.votes.contains(where: { $0.person == actor.person }) else {
            throw refusal(.notApprover, "\(actor.person) has voted about \"\(gate.name)\" already")
        }
        // One that stands still, or in a freeze window, is not asked for more votes than it needs.
        let isDecided = status.votes.contains { !$0.approves }
        guard !isDecided, !approving || status.votes.count < gate.requiredApprovals else {
            throw refusal(
                .precondition, "\"\(gate.name)\" \(isDecided ? "was rejected" : "has all its approvals") already")
        }
        let vote = ReleaseStatus.Vote(person: actor.person, approves: approving, comment: comment ?? "", at: now)
        status.votes.append(vote)
        record(
            // With the time: an edit voids votes, and then they are given again.
            approving ? .approved : .rejected, about: "\(actor.person) \(now.text)", .userRequest,
            "\(actor.person): \(gate.name)\(vote.comment.isEmpty ? "" : ": \(vote.comment)")")
    }

    /// Refuses to go past gates that nobody has opened.
    ///
    /// - Parameter steps: those that would be left behind, the current one included.
    mutating func checkGates(
        in steps: Range<Int>, _ override: ReleaseVerb.Override, by actor: ReleaseActor
    ) throws(VerbRefusal) {
        let closed = steps.clamped(to: spec.strategy.steps.indices).filter { index in
            guard case .approval = spec.strategy.steps[index].action else { return false }
            let isOver = index == status.currentStep?.index && status.currentStep?.state == .completed
            return !isOver
        }
        guard let first = closed.first, case .approval(let gate) = spec.strategy.steps[first].action else { return }
        let what = "step \(first) needs the approval \"\(gate.name)\""
        guard actor.maySkipApproval else {
            throw refusal(.approvalRequired, "\(what), and going past it the right releases.skipApproval")
        }
        guard !status.people.include(actor.person) else {
            throw refusal(
                .approvalRequired,
                "\(what): who wrote or started the release, or edited its steps, cannot go past it alone")
        }
        guard let reason = override.reason, !reason.isEmpty else {
            throw refusal(.approvalRequired, "\(what): going past it needs a reason")
        }
        record(
            .approvalSkipped, about: closed.map(String.init).joined(separator: ","), .userRequest,
            "\(actor.person): \(reason)")
    }

    // MARK: Most of the traffic

    /// Whether the plan stands still before traffic that nobody who may has agreed to.
    mutating func holdForPromotionRight(_ share: TrafficShare, _ matches: [ContentMatch]) -> Bool {
        guard status.people.mayPromote == false else {
            removePause(.promotionGate)
            return false
        }
        guard ReleaseTraffic.isMost(share, matches) else { return false }
        addPause(
            .promotionGate,
            "from here on \(spec.canary.version) gets most of the requests: promote, by somebody who may, lets it go on"
        )
        return true
    }

    mutating func grantPromotion(by actor: ReleaseActor) {
        status.people.mayPromote = true
        record(.promotionGranted, .userRequest, actor.person)
        removePause(.promotionGate)
    }

    // MARK: Freeze windows

    /// Whether a window keeps something from happening now; ``ReleaseStatus/blockedOn`` names it.
    mutating func isFrozen(_ what: Freeze.Blocked) -> Bool {
        guard let freeze = freeze(of: what) else { return false }
        let until = freeze.until.map { "until \($0.text)" } ?? "until somebody ends it"
        status.blockedOn.removeAll { $0.kind == "Freeze" }
        block(on: "Freeze", "\(freeze.name) \(until)")
        if status.frozen == nil { status.frozen = ReleaseStatus.Frozen(since: now, what: what) }
        isHeldByFreeze = true
        return true
    }

    private func freeze(of what: Freeze.Blocked) -> Freeze? {
        // To go back is always possible, whether traffic goes to the canary or to who was it before.
        guard spec.respectsFreezeWindows, status.rollbackOf == nil else { return nil }
        return observations.freezes.first { freeze in
            freeze.blocks.contains(what)
                && !status.overriddenFreezes.contains { $0.name == freeze.name && $0.until == freeze.until }
        }
    }

    /// Gives back the time for which a window kept the release from going on, once none does any more.
    mutating func noticeThaw() {
        guard let frozen = status.frozen, !isHeldByFreeze, freeze(of: frozen.what) == nil else { return }
        status.frozen = nil
        guard let deadline = status.currentStep?.deadlineAt else { return }
        status.currentStep?.deadlineAt = deadline + max(.zero, now - frozen.since)
    }

    /// Refuses what a window keeps from happening, unless it is overridden.
    mutating func checkFreezes(
        _ blocked: [Freeze.Blocked], _ override: ReleaseVerb.Override, by actor: ReleaseActor
    ) throws(VerbRefusal) {
        guard let freeze = blocked.lazy.compactMap(freeze(of:)).first else { return }
        guard override.freezes else {
            throw refusal(
                .frozen,
                "the freeze window \(freeze.name) is in force\(freeze.until.map { " until \($0.text)" } ?? "")")
        }
        status.overriddenFreezes = observations.freezes.map {
            ReleaseStatus.OverriddenFreeze(name: $0.name, until: $0.until)
        }
        record(
            .freezeOverridden, about: "\(freeze.name) \(now.text)", .userRequest,
            "\(actor.person): \(override.reason ?? "")")
    }
}
