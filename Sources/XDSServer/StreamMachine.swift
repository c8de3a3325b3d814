/// One aggregated stream: its subscriptions, and the order in which they are answered. No I/O, no clock: requests and
/// snapshots go in, ``next()`` says what to send.
///
/// Make before break ("Eventual consistency considerations"): clusters, then their endpoints; listeners and routes when
/// those are acknowledged; what is gone is removed last, when nothing that was sent can refer to it any more. Endpoints do
/// not wait for the clusters' acknowledgement, because Envoy acknowledges a cluster when it is warm, for which it needs
/// the endpoints.
///
/// One snapshot at a time is carried out in this order, and then the newest: a client that is slower than the changes are
/// would otherwise never see the end of one. Only endpoints are always the newest.
///
/// A refusal of clusters does not hold routes back: Envoy takes the good resources of a response that it refuses, and a
/// broken cluster must not keep a rollback from a proxy. That a release does not go on over a refusal is decided by
/// who sees ``rejection``.
struct StreamMachine {
    let variant: Variant
    let limits: Limits
    private(set) var subscriptions: [Subscription?] = ResourceType.allCases.map { _ in nil }
    /// The newest.
    private(set) var snapshot: Snapshot?
    /// The one that is carried out.
    private var current: Snapshot?
    /// The last one whose clusters and endpoints are acknowledged, so that listeners and routes may refer to them.
    private var routable: Snapshot?
    private var endpointStage = EndpointStage.unsent
    /// Everything of this revision that the client wants has been acknowledged. 0: nothing yet.
    private(set) var ackedRevision: Int64 = 0
    /// What ``ackedRevision`` was when the snapshot came.
    private var ackedBefore: Int64 = 0
    private var nonces: UInt64 = 0
    private var unknownTypes: Set<String> = []

    /// How far the endpoints of ``current`` are.
    private enum EndpointStage { case unsent, sent, acknowledged }

    /// What a client may want.
    struct Limits: Equatable {
        /// Names of one type.
        var names = 100_000
        /// Bytes of one name, or of the URL of a type.
        var nameLength = 2_048
        /// Types that are not served but asked for.
        var unknownTypes = 64
    }

    init(_ variant: Variant, limits: Limits = Limits()) {
        self.variant = variant
        self.limits = limits
    }

    /// Takes a request.
    ///
    /// - Throws: ``RequestRefusal`` if the stream must end.
    mutating func receive(
        _ request: DiscoveryRequest, sharing table: NameTable = NameTable()
    ) throws(RequestRefusal) {
        try check(request)
        guard let type = ResourceType(typeURL: request.typeURL) else {
            // Not served, so never answered; newer clients ask for types that older servers do not know.
            unknownTypes.insert(request.typeURL)
            guard unknownTypes.count <= limits.unknownTypes else {
                throw RequestRefusal(reason: .tooMuch, detail: "too many unknown resource types")
            }
            return
        }
        var subscription = subscriptions[type.rawValue] ?? Subscription(type, variant)
        subscriptions[type.rawValue] = nil
        let wasInFlight = subscription.isInFlight
        subscription.receive(request, sharing: table)
        if type == .endpoint && wasInFlight && !subscription.isInFlight && endpointStage == .sent {
            endpointStage = .acknowledged
        }
        let count = subscription.names.count
        subscriptions[type.rawValue] = subscription
        guard count <= limits.names else {
            throw RequestRefusal(reason: .tooMuch, detail: "more than \(limits.names) names of \(type.abbreviation)")
        }
        noteProgress()
    }

    private func check(_ request: DiscoveryRequest) throws(RequestRefusal) {
        guard !request.typeURL.isEmpty else { throw RequestRefusal(reason: .invalid, detail: "type_url is empty") }
        guard request.typeURL.utf8.count <= limits.nameLength else {
            throw RequestRefusal(reason: .tooMuch, detail: "type_url is longer than \(limits.nameLength) bytes")
        }
        let lists: [[String]] =
            switch request.names {
            case .all(let names): [names]
            case .change(let subscribe, let unsubscribe, let has): [subscribe, unsubscribe, Array(has.keys)]
            }
        guard lists.allSatisfy({ $0.count <= limits.names }) else {
            throw RequestRefusal(reason: .tooMuch, detail: "more than \(limits.names) names in one request")
        }
        guard lists.allSatisfy({ $0.allSatisfy { $0.utf8.count <= limits.nameLength } }) else {
            throw RequestRefusal(reason: .tooMuch, detail: "a resource name is longer than \(limits.nameLength) bytes")
        }
    }

    /// Takes a newer snapshot. Of those between the one that is being carried out and this one nothing is ever sent.
    mutating func update(_ snapshot: Snapshot) { self.snapshot = snapshot }

    /// The next response to send, if there is one now. Ask again after sending it, and after every request and snapshot.
    mutating func next() -> DiscoveryAnswer? {
        guard let snapshot else { return nil }
        while true {
            let current = begin(snapshot)
            if let answer = step(current, endpoints: snapshot) { return answer }
            noteProgress()
            guard current !== snapshot, isCarriedOut(current) else { return nil }
        }
    }

    /// - Returns: what is to be carried out now: what was, until it is done, or until only its routes are left and there are
    ///   newer ones; so a rollback does not come behind what it undoes.
    private mutating func begin(_ newest: Snapshot) -> Snapshot {
        guard let current else {
            self.current = newest
            return newest
        }
        guard current !== newest else { return current }
        if isCarriedOut(current) {
            endpointStage = .unsent
        } else if !differsInRoutesOnly(newest, from: current) {
            return current
        }
        self.current = newest
        return newest
    }

    /// All of it is acknowledged or refused.
    private func isCarriedOut(_ current: Snapshot) -> Bool {
        let isUpToDate = [ResourceType.cluster, .listener, .route].allSatisfy { type in
            subscriptions[type.rawValue]?.isUpToDate(with: current[type]) ?? true
        }
        return isUpToDate && !mustRoutesWait && (!hasRemovals(current) || areRoutesRefused)
    }

    /// Whether what was done of `current` holds for `newest` too.
    private func differsInRoutesOnly(_ newest: Snapshot, from current: Snapshot) -> Bool {
        guard newest[.cluster].hasSameContent(as: current[.cluster]), !hasRemovals(current) else { return false }
        // What is on its way is acknowledged first, or no revision ever would be.
        if isUnderWay(.listener) || isUnderWay(.route) { return false }
        guard let endpoints = subscriptions[ResourceType.endpoint.rawValue] else { return true }
        // To wait for yet another acknowledgement could mean to wait for ever.
        let wouldWaitAgain = endpoints.isInFlight && endpointStage == .acknowledged
        return endpoints.known?.hasSameContent(as: newest[.endpoint]) == true && !endpoints.isUrgent && !wouldWaitAgain
    }

    private var mustRoutesWait: Bool {
        let wantsEndpoints = subscriptions[ResourceType.endpoint.rawValue] != nil
        return isUnderWay(.cluster) || (wantsEndpoints && endpointStage != .acknowledged)
    }

    private mutating func step(_ current: Snapshot, endpoints newest: Snapshot) -> DiscoveryAnswer? {
        if let answer = respond(.cluster, current) { return answer }
        // Before newer endpoints, so that endpoints that never rest do not keep it off.
        if let answer = nextRemoval(current) { return answer }
        if let answer = nextEndpoints(newest) { return answer }
        if !mustRoutesWait { routable = current }
        for type in [ResourceType.listener, .route] {
            // A client that waits for a first answer gets one, from what its clusters are up to.
            guard !mustRoutesWait || subscriptions[type.rawValue]?.isUrgent == true else { continue }
            if let answer = respond(type, routable ?? current) { return answer }
        }
        return nextRemoval(current)
    }

    private mutating func nextEndpoints(_ newest: Snapshot) -> DiscoveryAnswer? {
        guard let subscription = subscriptions[ResourceType.endpoint.rawValue], !subscription.isInFlight else {
            return nil
        }
        let concernsRoutes = endpointStage != .acknowledged || subscription.isUrgent
        let answer = respond(.endpoint, newest)
        if concernsRoutes { endpointStage = answer == nil ? .acknowledged : .sent }
        return answer
    }

    private func isUnderWay(_ type: ResourceType) -> Bool { subscriptions[type.rawValue]?.isInFlight ?? false }

    private mutating func respond(_ type: ResourceType, _ snapshot: Snapshot) -> DiscoveryAnswer? {
        let set = snapshot[type]
        let nonce = nonces + 1
        let answer = subscriptions[type.rawValue]?.respond(set, revision: snapshot.revision, nonce: String(nonce))
        guard let answer else { return nil }
        nonces = nonce
        if type == .cluster { forceEndpoints(of: answer) }
        return answer
    }

    /// A cluster that is sent warms anew and waits for its endpoints, also if those did not change (envoy issue 13009).
    /// State of the world repeats what did not change, and that does not warm anew; there Envoy asks for what it needs.
    private mutating func forceEndpoints(of answer: DiscoveryAnswer) {
        guard variant == .delta, let endpoints = subscriptions[ResourceType.endpoint.rawValue] else { return }
        guard endpoints.known != nil else { return }
        let names: [String] =
            switch answer.resources {
            case .some(let resources): resources.map(\.name)
            case .everything: Array(endpoints.names.names)
            }
        for name in names { subscriptions[ResourceType.endpoint.rawValue]?.force(name) }
    }

    /// Removals of clusters, and then endpoints, when what may refer to them is acknowledged.
    private mutating func nextRemoval(_ current: Snapshot) -> DiscoveryAnswer? {
        let isQuiet = [ResourceType.cluster, .listener, .route].allSatisfy { type in
            subscriptions[type.rawValue]?.isUpToDate(with: current[type]) ?? true
        }
        guard isQuiet && !areRoutesRefused else { return nil }
        for type in [ResourceType.cluster, .endpoint] {
            let nonce = nonces + 1
            let kept = kept(type, current)
            let answer = subscriptions[type.rawValue]?.remove(
                keeping: kept, revision: current.revision, nonce: String(nonce))
            if let answer {
                nonces = nonce
                return answer
            }
        }
        return nil
    }

    /// The client goes on with routes that may need what they referred to.
    private var areRoutesRefused: Bool {
        subscriptions.contains { $0.map { $0.type.refersToClusters && $0.rejection != nil } ?? false }
    }

    /// What is to stay: also what has come back in a newer snapshot.
    private func kept(_ type: ResourceType, _ current: Snapshot) -> [ResourceSet] {
        [current[type]] + (snapshot.map { [$0[type]] } ?? [])
    }

    private func hasRemovals(_ current: Snapshot) -> Bool {
        [ResourceType.cluster, .endpoint].contains {
            subscriptions[$0.rawValue]?.hasRemovals(to: kept($0, current)) ?? false
        }
    }

    private mutating func noteProgress() {
        guard let current, subscriptions.contains(where: { $0 != nil }), !mustRoutesWait else { return }
        let isSettled = ResourceType.allCases.allSatisfy { type in
            guard let subscription = subscriptions[type.rawValue] else { return true }
            // Endpoints are of a later snapshot, perhaps, and always on their way; those of this one are acknowledged.
            if type == .endpoint { return subscription.rejection == nil && !subscription.isUrgent }
            return subscription.isSettled(on: current[type])
        }
        if isSettled && !hasRemovals(current) { ackedRevision = current.revision }
    }

    /// What was refused last and has not been replaced since.
    var rejection: Subscription.Rejection? {
        subscriptions.compactMap { $0?.rejection }.max { $0.revision < $1.revision }
    }
}
