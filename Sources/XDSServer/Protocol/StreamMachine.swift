/// One stream: its subscriptions, and the order in which they are answered. No I/O, no clock: requests and
/// snapshots go in, ``next()`` says what to send.
///
/// Make before break ("Eventual consistency considerations"): clusters, then their endpoints; listeners and routes when
/// those are acknowledged; what is gone is removed last, when nothing that was sent can refer to it any more. Endpoints do
/// not wait for the clusters' acknowledgement, because Envoy acknowledges a cluster when it is warm, for which it needs
/// the endpoints.
///
/// One snapshot at a time is carried out in this order, and then the newest: a client that is slower than the changes are
/// would otherwise never see the end of one. Only endpoints, secrets and runtime values are always the newest.
///
/// A refusal of clusters does not hold routes back: Envoy takes the good resources of a response that it refuses, and a
/// broken cluster must not keep a rollback from a proxy. That a release does not go on over a refusal is decided by
/// who sees ``nack``.
final class StreamMachine {
    let variant: Variant
    /// The one type of the stream; `nil`: it is an aggregated one.
    let only: ResourceType?
    let limits: NameLimits
    /// Whether the client is told how long resources last (``ResponseForm``).
    var takesTTL = false
    private let sharing: StreamSharing
    /// By ``ResourceType/rawValue``.
    private var slots: [Subscription?] = ResourceType.allCases.map { _ in nil }
    /// In the order of the types.
    private(set) var subscriptions: [Subscription] = []
    /// The newest snapshot that there is.
    private(set) var snapshot: Snapshot?
    /// The snapshot that is being carried out.
    private var inProgress: Snapshot?
    /// The last snapshot whose clusters and endpoints are acknowledged, so that listeners and routes may refer to them.
    private var routable: Snapshot?
    private var endpointStage = EndpointStage.unsent
    /// Everything of this revision that the client wants has been acknowledged. 0: nothing yet.
    private(set) var ackedRevision: Int64 = 0
    /// Everything of this revision that the client wants was sent, and accepted or refused. 0: nothing yet.
    private(set) var answeredRevision: Int64 = 0
    /// The revision of the first snapshot that was carried out. 0: none was yet.
    private(set) var firstRevision: Int64 = 0
    private var nonces: UInt64 = 0
    private var unknownTypes: Set<String> = []

    /// How far the endpoints of ``inProgress`` are.
    private enum EndpointStage { case unsent, sent, acknowledged }

    init(
        _ variant: Variant, only: ResourceType? = nil, limits: NameLimits = NameLimits(),
        sharing: StreamSharing = StreamSharing()
    ) {
        self.variant = variant
        self.only = only
        self.limits = limits
        self.sharing = sharing
    }

    private subscript(type: ResourceType) -> Subscription? { slots[type.rawValue] }

    /// Takes a request.
    ///
    /// - Throws: ``RequestRefusal`` if the stream must end.
    func receive(_ request: DiscoveryRequest) throws(RequestRefusal) {
        try check(request)
        guard let type = only ?? ResourceType(typeURL: request.typeURL), type.isServed(in: variant) else {
            // Not served, so never answered; newer clients ask for types that older servers do not know.
            unknownTypes.insert(request.typeURL)
            guard unknownTypes.count <= limits.unknownTypes else {
                throw RequestRefusal(reason: .tooMuch, detail: "too many unknown resource types")
            }
            return
        }
        let subscription = self[type] ?? subscribe(to: type)
        let wasInFlight = subscription.delivery.isInFlight
        subscription.receive(request, sharing: sharing.names)
        if type == .endpoint && wasInFlight && !subscription.delivery.isInFlight && endpointStage == .sent {
            endpointStage = .acknowledged
        }
        let (count, bytes) = subscriptions.reduce((0, 0)) {
            ($0.0 + $1.interest.names.count, $0.1 + $1.interest.names.bytes)
        }
        guard count <= limits.names else {
            throw RequestRefusal(reason: .tooMuch, detail: "the stream asks for more than \(limits.namesRule)")
        }
        guard bytes <= limits.nameBytes else {
            throw RequestRefusal(
                reason: .tooMuch, detail: "the names that the stream asks for have more than \(limits.nameBytesRule)")
        }
        noteProgress()
    }

    private func subscribe(to type: ResourceType) -> Subscription {
        let subscription = Subscription(type, variant)
        slots[type.rawValue] = subscription
        subscriptions = slots.compactMap { $0 }
        return subscription
    }

    private func check(_ request: DiscoveryRequest) throws(RequestRefusal) {
        if let only {
            guard request.typeURL.isEmpty || request.typeURL == only.typeURL else {
                throw RequestRefusal(reason: .invalid, detail: "type_url is not \(only.typeURL)")
            }
        } else if request.typeURL.isEmpty {
            throw RequestRefusal(reason: .invalid, detail: "type_url is empty")
        }
        guard request.typeURL.utf8.count <= limits.nameLength else {
            throw RequestRefusal(reason: .tooMuch, detail: "type_url is longer than \(limits.nameLength) bytes")
        }
        switch request.names {
        case .all(let names): try check(names.count, longest: names.longest)
        case .change(let subscribe, let unsubscribe, let initialVersions):
            try check(subscribe.count, longest: subscribe.longest)
            try check(unsubscribe.count, longest: unsubscribe.longest)
            try check(initialVersions.count, longest: initialVersions.longest)
        }
    }

    private func check(_ count: Int, longest: Int) throws(RequestRefusal) {
        guard count <= limits.names else {
            throw RequestRefusal(reason: .tooMuch, detail: "the request has more than \(limits.namesRule)")
        }
        guard longest <= limits.nameLength else {
            throw RequestRefusal(reason: .tooMuch, detail: "a resource name is longer than \(limits.nameLength) bytes")
        }
    }

    /// Takes a newer snapshot. Of those between the one that is being carried out and this one nothing is ever sent.
    func update(_ snapshot: Snapshot) { self.snapshot = snapshot }

    /// Takes note that time has passed. A third of the shortest time to live in the snapshot is a good time.
    func beat() {
        guard takesTTL else { return }
        for subscription in subscriptions { subscription.beat() }
    }

    /// The next response to send, if there is one now. Ask again after sending it, and after every request, snapshot and beat.
    func next() -> DiscoveryResponse? {
        guard let snapshot else { return nil }
        while true {
            let current = begin(snapshot)
            if let response = step(current, endpoints: snapshot) { return response }
            noteProgress()
            guard current !== snapshot, isCarriedOut(current) else { return nil }
        }
    }

    /// - Returns: what is to be carried out now: what was, until it is done, or until only its routes are left and there are
    ///   newer ones; so a rollback does not come behind what it undoes.
    private func begin(_ newest: Snapshot) -> Snapshot {
        guard let current = inProgress else {
            inProgress = newest
            firstRevision = newest.revision
            return newest
        }
        guard current !== newest else { return current }
        if isCarriedOut(current) {
            endpointStage = .unsent
        } else if !differsInRoutesOnly(newest, from: current) {
            return current
        }
        inProgress = newest
        return newest
    }

    /// All of it is acknowledged or refused.
    private func isCarriedOut(_ current: Snapshot) -> Bool {
        isQuiet(current) && !mustRoutesWait && (!hasRemovals(current) || areRoutesRefused)
    }

    /// Clusters and what refers to them have been sent and answered.
    private func isQuiet(_ current: Snapshot) -> Bool {
        isUpToDate(.cluster, current) && ResourceType.referringToClusters.allSatisfy { isUpToDate($0, current) }
    }

    private func isUpToDate(_ type: ResourceType, _ current: Snapshot) -> Bool {
        self[type]?.isUpToDate(with: current[type]) ?? true
    }

    /// Whether what was done of `current` holds for `newest` too.
    private func differsInRoutesOnly(_ newest: Snapshot, from current: Snapshot) -> Bool {
        guard newest[.cluster].hasSameContent(as: current[.cluster]), !hasRemovals(current) else { return false }
        // What is on its way is acknowledged first, or no revision ever would be.
        if ResourceType.referringToClusters.contains(where: isInFlight) { return false }
        guard let endpoints = self[.endpoint] else { return true }
        // To wait for yet another acknowledgement could mean to wait for ever.
        let wouldWaitAgain = endpoints.delivery.isInFlight && endpointStage == .acknowledged
        return endpoints.delivery.lastSent?.hasSameContent(as: newest[.endpoint]) == true && !endpoints.debts.isAwaited
            && !wouldWaitAgain
    }

    private var mustRoutesWait: Bool {
        let wantsEndpoints = self[.endpoint] != nil
        return isInFlight(.cluster) || (wantsEndpoints && endpointStage != .acknowledged)
    }

    private func step(_ current: Snapshot, endpoints newest: Snapshot) -> DiscoveryResponse? {
        if let response = respond(.cluster, current) { return response }
        // Before newer endpoints, so that endpoints that never rest do not keep it off.
        if let response = nextRemoval(current) { return response }
        if let response = nextEndpoints(newest) { return response }
        if !mustRoutesWait { routable = current }
        for type in ResourceType.referringToClusters {
            // A client that waits for a first response gets one, from what its clusters are up to.
            guard !mustRoutesWait || self[type]?.debts.isAwaited == true else { continue }
            if let response = respond(type, routable ?? current) { return response }
        }
        for type in ResourceType.independent {
            if let response = respond(type, newest) { return response }
        }
        return nextRemoval(current) ?? nextHeartbeat()
    }

    private func nextEndpoints(_ newest: Snapshot) -> DiscoveryResponse? {
        guard let subscription = self[.endpoint], !subscription.delivery.isInFlight else {
            return nil
        }
        let concernsRoutes = endpointStage != .acknowledged || subscription.debts.isAwaited
        let response = respond(.endpoint, newest)
        if concernsRoutes { endpointStage = response == nil ? .acknowledged : .sent }
        return response
    }

    private func isInFlight(_ type: ResourceType) -> Bool { self[type]?.delivery.isInFlight ?? false }

    private func respond(_ type: ResourceType, _ snapshot: Snapshot) -> DiscoveryResponse? {
        let set = snapshot[type]
        let nonce = nonces + 1
        let response = self[type]?
            .respond(set, revision: snapshot.revision, nonce: String(nonce), sharing: sharing.responses)
        guard let response else { return nil }
        nonces = nonce
        resendDependents(of: response)
        return response
    }

    /// Has resources sent again that did not change, because the one that they belong to is sent.
    private func resendDependents(of response: DiscoveryResponse) {
        guard variant == .delta else { return }
        switch response.type {
        // A cluster that is sent warms anew and waits for its endpoints (envoy issue 13009). State of the world repeats
        // clusters that did not change, and that does not warm them anew; there Envoy asks for what it needs.
        case .cluster:
            guard let endpoints = self[.endpoint] else { break }
            if let names = response.sharedNames {
                endpoints.markForResend(names)
            } else {
                for name in response.resourceNames { endpoints.markForResend(name) }
            }
        // "Updates to the route configuration entry … require all virtual hosts to be sent again" (Envoy's VHDS).
        case .route:
            guard let virtualHosts = self[.virtualHost] else { break }
            let routes = response.resourceNames
            for name in virtualHosts.held() {
                // `<route configuration>/<host>`, and a host has no slash.
                let isChild = name.lastIndex(of: "/").map { routes.contains(String(name[..<$0])) } ?? false
                if isChild { virtualHosts.markForResend(name) }
            }
        default: break
        }
    }

    /// Removals of clusters, and then endpoints, when what may refer to them is acknowledged.
    private func nextRemoval(_ current: Snapshot) -> DiscoveryResponse? {
        guard isQuiet(current) && !areRoutesRefused else { return nil }
        for type in ResourceType.removedLast {
            guard let subscription = self[type], subscription.hasPendingRemovals else { continue }
            let nonce = nonces + 1
            let response = subscription.remove(
                keeping: kept(type, current), revision: current.revision, nonce: String(nonce))
            if let response {
                nonces = nonce
                return response
            }
        }
        return nil
    }

    private func nextHeartbeat() -> DiscoveryResponse? {
        guard takesTTL else { return nil }
        for subscription in subscriptions {
            guard let response = subscription.heartbeat(nonce: String(nonces + 1)) else { continue }
            nonces += 1
            return response
        }
        return nil
    }

    /// The client goes on with routes that may need what they referred to.
    private var areRoutesRefused: Bool {
        ResourceType.referringToClusters.contains { self[$0]?.delivery.nack != nil }
    }

    /// The sets whose resources are to stay: the newest has those that have come back.
    private func kept(_ type: ResourceType, _ current: Snapshot) -> [LayeredSet] {
        [current[type]] + (snapshot.map { [$0[type]] } ?? [])
    }

    private func hasRemovals(_ current: Snapshot) -> Bool {
        ResourceType.removedLast.contains {
            guard let subscription = self[$0], subscription.hasPendingRemovals else { return false }
            return subscription.hasRemovals(to: kept($0, current))
        }
    }

    private func noteProgress() {
        guard let current = inProgress, !subscriptions.isEmpty, !mustRoutesWait else { return }
        if isCarriedOut(current) { answeredRevision = current.revision }
        let isSettled = subscriptions.allSatisfy { subscription in
            let type = subscription.type
            // Endpoints are of a later snapshot, perhaps, and always on their way; those of this one are acknowledged.
            if type == .endpoint { return subscription.delivery.nack == nil && !subscription.debts.isAwaited }
            if subscription.isSettled(on: current[type]) { return true }
            guard ResourceType.independent.contains(type), let snapshot else { return false }
            return subscription.isSettled(on: snapshot[type])
        }
        if isSettled && !hasRemovals(current) { ackedRevision = current.revision }
    }

    /// The last NACK of any type, if what it refused has not been replaced since.
    var nack: Delivery.Nack? {
        var newest: Delivery.Nack?
        for subscription in subscriptions {
            guard let nack = subscription.delivery.nack, nack.revision >= newest?.revision ?? .min else {
                continue
            }
            newest = nack
        }
        return newest
    }
}
