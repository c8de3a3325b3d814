/// One aggregated stream: its subscriptions, and the order in which they are answered. No I/O, no clock: requests and
/// snapshots go in, ``next()`` says what to send.
///
/// Make before break ("Eventual consistency considerations"): clusters, then their endpoints; listeners and routes when
/// those are acknowledged; what is gone is removed last, when nothing that was sent can refer to it any more. Endpoints do
/// not wait for the clusters' acknowledgement, because Envoy acknowledges a cluster when it is warm, for which it needs
/// the endpoints.
///
/// A refusal of clusters does not hold routes back: Envoy takes the good resources of a response that it refuses, and a
/// broken cluster must not keep a rollback from a proxy. That a release does not go on over a refusal is decided by
/// who sees ``rejection``.
struct StreamMachine {
    let variant: Variant
    let limits: Limits
    private(set) var subscriptions: [Subscription?] = ResourceType.allCases.map { _ in nil }
    private(set) var snapshot: Snapshot?
    /// Everything of this revision that the client wants has been acknowledged. 0: nothing yet.
    private(set) var ackedRevision: Int64 = 0
    /// What ``ackedRevision`` was when the snapshot came.
    private var ackedBefore: Int64 = 0
    private var nonces: UInt64 = 0
    private var unknownTypes: Set<String> = []

    /// What a client may want.
    struct Limits: Equatable {
        /// Names of one type.
        var names = 100_000
        /// Bytes of one name.
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
    mutating func receive(_ request: DiscoveryRequest, sharing table: NameTable? = nil) throws(RequestRefusal) {
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
        subscription.receive(request)
        if let table { subscription.names = table.shared(subscription.names) }
        let count = subscription.names.count
        subscriptions[type.rawValue] = subscription
        guard count <= limits.names else {
            throw RequestRefusal(reason: .tooMuch, detail: "more than \(limits.names) names of \(type.abbreviation)")
        }
        noteProgress()
    }

    private func check(_ request: DiscoveryRequest) throws(RequestRefusal) {
        guard !request.typeURL.isEmpty else { throw RequestRefusal(reason: .invalid, detail: "type_url is empty") }
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

    /// Takes a newer snapshot; what was not sent of the one before never will be.
    mutating func update(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        ackedBefore = ackedRevision
        noteProgress()
    }

    /// The next response to send, if there is one now. Ask again after sending it, and after every request and snapshot.
    mutating func next() -> DiscoveryAnswer? {
        guard let snapshot else { return nil }
        let mustWait = isUnderWay(.cluster) || isUnderWay(.endpoint)
        for type in ResourceType.allCases {
            guard let subscription = subscriptions[type.rawValue] else { continue }
            if type.refersToClusters && mustWait && !subscription.isUrgent { continue }
            if let answer = respond(type, snapshot) { return answer }
        }
        let answer = nextRemoval(snapshot)
        noteProgress()
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
    private mutating func forceEndpoints(of answer: DiscoveryAnswer) {
        guard subscriptions[ResourceType.endpoint.rawValue]?.known != nil else { return }
        let names: [String] =
            switch answer.resources {
            case .some(let resources): resources.map(\.name)
            // State of the world repeats what did not change, and that does not warm anew; Envoy asks for what it needs.
            case .everything: variant == .delta ? Array(subscriptions[ResourceType.endpoint.rawValue]?.names ?? []) : []
            }
        for name in names { subscriptions[ResourceType.endpoint.rawValue]?.force(name) }
    }

    /// Removals of clusters and endpoints, when everything else is acknowledged.
    private mutating func nextRemoval(_ snapshot: Snapshot) -> DiscoveryAnswer? {
        let isQuiet = ResourceType.allCases.allSatisfy { type in
            guard let subscription = subscriptions[type.rawValue] else { return true }
            let isRefused = type.refersToClusters && subscription.rejection != nil
            return subscription.isUpToDate(with: snapshot[type]) && !isRefused
        }
        guard isQuiet else { return nil }
        for type in [ResourceType.cluster, .endpoint] where subscriptions[type.rawValue]?.hasRemovals == true {
            let nonce = nonces + 1
            let answer = subscriptions[type.rawValue]?.remove(
                snapshot[type], revision: snapshot.revision, nonce: String(nonce))
            if let answer {
                nonces = nonce
                return answer
            }
        }
        return nil
    }

    private mutating func noteProgress() {
        guard let snapshot, subscriptions.contains(where: { $0 != nil }) else { return }
        let isSettled = ResourceType.allCases.allSatisfy { type in
            subscriptions[type.rawValue].map { $0.isSettled(on: snapshot[type]) } ?? true
        }
        if isSettled {
            ackedRevision = snapshot.revision
        } else if ackedRevision == snapshot.revision {
            // A client subscribes type by type; it had all of what it wanted, and now it wants more.
            ackedRevision = ackedBefore
        }
    }

    /// What was refused last and has not been replaced since.
    var rejection: Subscription.Rejection? {
        subscriptions.compactMap { $0?.rejection }.max { $0.revision < $1.revision }
    }
}
