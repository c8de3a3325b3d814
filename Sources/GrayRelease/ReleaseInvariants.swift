internal import MeshCore

/// Invariants of every stored release, whatever happened to it.
package enum ReleaseInvariants {
    /// - Returns: a sentence for each law that is broken.
    package static func violations(of status: ReleaseStatus, spec: ReleaseSpec) -> [String] {
        var broken: [String] = []
        func require(_ holds: Bool, _ law: String) {
            if !holds { broken.append(law) }
        }
        let traffic = status.traffic
        let phase = status.phase
        let sum = traffic.canaryShare.basisPoints + traffic.canaryShare.complement.basisPoints
        require(sum == 10_000, "shares add up to all")
        if phase.isTerminal {
            require(!status.ownsTraffic, "a release that has ended owns no routes")
            require([.none, .all].contains(traffic.canaryShare), "a release that has ended has decided all traffic")
            require(traffic.matches.isEmpty && traffic.mirror == nil, "a release that has ended matches nothing")
            require(status.pauseConditions.isEmpty, "a release that has ended is not paused")
            require(status.currentStep?.activeSince == nil, "a release that has ended has no running clock")
        }
        require((phase == .succeeded) == (phase.isTerminal && status.isPromoted), "promoted means succeeded")
        switch phase {
        case .draft: require(!traffic.isEffective && status.attempt == 0, "a draft has done nothing")
        case .succeeded:
            require([.promoted, .fastPromoted].contains(status.completionStatus), "success is a promotion")
            require(traffic.canaryShare == .all, "success gives all traffic to the canary")
        case .rolledBack: require(status.completionStatus == .rolledBack, "rolled back says so")
        case .aborted: require(status.completionStatus == .aborted, "aborted says so")
        case .superseded: require(status.completionStatus == .superseded, "superseded says so")
        case .waitingApproval:
            require(status.currentStep?.isAtGate == true, "a release that waits for people is at a gate")
        case .finalizing: require(status.isPromoted && traffic.canaryShare == .all, "finalizing follows the promotion")
        case .paused: require(!status.pauseConditions.isEmpty, "a pause has a reason")
        case .progressing, .promoting:
            require(status.currentStep != nil, "an advancing release has a step")
            require(!status.isPromoted, "an advancing release is not promoted")
        case .pending: require(!traffic.isEffective, "a pending release has no traffic")
        case .rollingBack:
            require([.rolledBack, .aborted, .superseded].contains(status.ending), "a rollback has an ending")
        case .failed: break
        }
        if phase != .paused { require(status.pauseConditions.isEmpty, "only a paused release has pause conditions") }
        if let step = status.currentStep {
            require((0...spec.strategy.steps.count).contains(step.index), "the step is one of the plan's")
            require(step.elapsedActive >= .zero, "no clock runs backwards")
            let isTimed = step.state == .baking || step.state == .waiting || step.kind == .checkEndpoints
            require(isTimed || step.activeSince == nil, "only a baking or waiting step has a running clock")
        }
        return broken
    }
}
