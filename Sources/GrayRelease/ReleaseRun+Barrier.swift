internal import MeshCore

/// When a step's traffic is in force: everybody who can still be sending by older routes has acknowledged it.
///
/// Nothing has to wait for this to be safe, because every proxy is sent clusters and endpoints before the routes that name
/// them. It says when the routes that were decided are what happens.
///
/// It is for the revision of the step. An edit of the rules meanwhile does not move it: who has acknowledged the step has its
/// shares in the rules of that time, and no later rule brings older shares back. Waiting for the edit as well would let whoever
/// edits often keep a step from ever being confirmed.
extension ReleaseRun {
    enum Following: Hashable {
        /// All have acknowledged, or nobody is there.
        case complete
        /// Some may follow yet.
        case awaited
        /// Their time is over, and few enough are left for the release to go on without them.
        case tolerated
        /// Their time is over, and too many are left.
        case missed
    }

    /// Whether the traffic is in force now: the proxies that count have followed. If so it is recorded as applied, if not
    /// ``ReleaseStatus/blockedOn`` says who is waited for.
    ///
    /// - Parameter proceeds: go on without them, however many they are, when their time is over.
    mutating func confirmTraffic(proceeding proceeds: Bool) -> Bool {
        guard !status.traffic.awaitsStamp else { return false }
        if status.traffic.appliedAt != nil { return true }
        adjustWaiting()
        switch following {
        case .complete: break
        case .awaited:
            blockOnProxies()
            return false
        case .missed where !proceeds:
            blockOnProxies()
            noteMissed()
            return false
        case .tolerated, .missed:
            record(.stragglersLeftBehind, about: waitingFor, .waitingForProxies, "went on after \(progress)")
        }
        status.traffic.appliedAt = now
        return true
    }

    /// Goes on without those who are missing, as somebody asks who knows better than their endpoints say.
    ///
    /// - Returns: whether any were missed.
    mutating func leaveStragglers() -> Bool {
        guard status.traffic.isMissed else { return false }
        record(.stragglersLeftBehind, about: waitingFor, .userRequest, "went on after \(progress)")
        status.traffic.appliedAt = now
        return true
    }

    var following: Following {
        let proxies = observations.proxies
        let missing = proxies.relevant - proxies.acked
        if proxies.relevant == 0 {
            // Nobody is known, which says little as long as those who were there may not have found the server again.
            guard proxies.hadAny else { return .complete }
            return proxies.servedSince.map { $0 + ReleaseObservations.proxyGrace <= now } == true ? .complete : .awaited
        }
        if missing <= 0 { return .complete }
        // As long as no server answers, nobody can come back.
        let isLost = proxies.away.contains { $0.cause == .serverLost && $0.until == nil }
        guard !isLost, let deadline = applyDeadline, now >= deadline else { return .awaited }
        return proxies.acked > 0 && missing <= spec.strategy.maxStragglers(of: proxies.relevant) ? .tolerated : .missed
    }

    /// When those who have not followed have had their time.
    var applyDeadline: Timestamp? { status.traffic.waitingSince.map { $0 + spec.strategy.applyTimeout } }

    /// The timeout begins when everybody has had the time to come back from a server that was lost. While that lasts its
    /// beginning lies in the future, so that the status need not be written with every look.
    private mutating func adjustWaiting() {
        guard let since = status.traffic.waitingSince else {
            status.traffic.waitingSince = now
            return
        }
        let graces = observations.proxies.away.filter { $0.cause == .serverLost }.compactMap(\.until)
        if let end = graces.max(), end > now {
            status.traffic.waitingSince = max(since, end)
        } else if since > now {
            // They are all back.
            status.traffic.waitingSince = now
        }
    }

    private mutating func noteMissed() {
        guard status.traffic.missedAt == nil else { return }
        status.traffic.missedAt = now
        record(.applyTimeoutExceeded, about: waitingFor, .waitingForProxies, progress)
    }

    private var waitingFor: String { status.currentStep?.state.rawValue ?? "" }

    private var progress: String {
        let proxies = observations.proxies
        let revision = status.traffic.configRevision.map { "revision \($0)" } ?? "the traffic"
        return "\(proxies.acked) of \(proxies.relevant) proxies had acknowledged \(revision)"
    }

    private mutating func blockOnProxies() {
        let proxies = observations.proxies
        let revision = status.traffic.configRevision.map { "revision \($0)" } ?? "the traffic"
        let connected = proxies.relevant - proxies.away.reduce(0) { $0 + $1.count }
        if connected > 0 {
            var text = "\(proxies.acked) of \(proxies.relevant) proxies have acknowledged \(revision)"
            if let deadline = applyDeadline, now < deadline { text += "; the others have until \(deadline.text)" }
            if status.traffic.isMissed { text += "; promote goes on without the others" }
            block(on: "Proxies", text)
        }
        let deadline = applyDeadline.flatMap { $0 > now ? $0 : nil }
        for away in proxies.away {
            block(on: "ProxiesAway", away.description(until: deadline, isMissed: status.traffic.isMissed))
        }
        if proxies.relevant == 0 {
            let end = proxies.servedSince.map { "until \(($0 + ReleaseObservations.proxyGrace).text)" }
            block(
                on: "ProxiesAway",
                "0 proxies are known, and those that were there may come back \(end ?? "when a server answers")")
        }
    }

    /// The ``ReleaseStatus/Condition`` of the traffic.
    var trafficApplied: (isTrue: Bool, reason: String, message: String) {
        guard status.traffic.changedAt != nil else { return (false, "NotSent", "") }
        guard !status.traffic.awaitsStamp else { return (false, "WaitingForProxies", "") }
        switch following {
        case .complete:
            let isAll = observations.rules.leftOut.isEmpty || !status.traffic.isEffective
            return isAll
                ? (true, "Acknowledged", "") : (false, ReleaseStatus.Reason.tooManyCopies.rawValue, leftOutMessage)
        case .awaited:
            let isAway = observations.proxies.relevant == 0 || !observations.proxies.away.isEmpty
            return (false, isAway ? "ProxiesAway" : "WaitingForProxies", "")
        case .tolerated, .missed:
            let names = observations.proxies.missing
            let count = observations.proxies.relevant - observations.proxies.acked
            let more = count > names.count ? " and \(count - names.count) more" : ""
            return (false, "Stragglers", "not acknowledged by \(names.joined(separator: ", "))\(more)")
        }
    }
}

extension ReleaseStrategy {
    /// How many of those who count may be left behind: ``maxStragglers``, or the greater of one and one in a hundred.
    package func maxStragglers(of relevant: Int) -> Int { maxStragglers ?? max(1, relevant / 100) }
}

extension ReleaseObservations.Away {
    /// For people: how many, since when, and what ends it.
    fileprivate func description(until deadline: Timestamp?, isMissed: Bool) -> String {
        let who = "\(count) \(count == 1 ? "proxy is" : "proxies are") away since \(since.text)"
        let earlier = "earlier if their endpoints are deleted or they say goodbye"
        if isMissed {
            return
                "\(who), longer than applyTimeout: until they are back, their endpoints are deleted or they say goodbye; "
                + "promote goes on without them"
        }
        switch cause {
        case .streamEnded:
            return "\(who), as their streams ended: \(until.map { "until \($0.text)" } ?? "not for long"), \(earlier)"
        case .serverLost:
            let end = until.map { "until \($0.text)" } ?? "from when a server answers, for a minute"
            return "\(who), as their server was lost: they may come back \(end); \(earlier)"
        case .stillRegistered:
            let end = deadline.map { "until \($0.text) (applyTimeout)" } ?? "until applyTimeout"
            return "\(who), and ready endpoints name them: \(end), \(earlier)"
        }
    }
}
