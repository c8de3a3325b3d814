/// What one stream knows of one resource type: what the client wants, what it has, and what is on its way. No I/O, no
/// clock.
///
/// What the client has is not kept name by name: it is the last set that was sent, restricted to what the client wants.
/// So a stream costs what it wants, not what the mesh has.
///
/// Sources: "xDS REST and gRPC protocol" (ACK and NACK, resource warming, incremental xDS), and Envoy's behaviour where
/// the text leaves room.
struct Subscription {
    let type: ResourceType
    let variant: Variant
    private(set) var isWildcard = false
    /// Wanted by name. Strings are shared with other streams that want the same (``NameTable``).
    var names: Set<String> = []
    /// Sent last; with `nil` nothing was.
    private(set) var known: ResourceSet?
    /// The nonce of the last response; empty: there was none.
    private(set) var lastNonce = ""
    private(set) var lastVersion = ""
    private(set) var ackedVersion = ""
    /// The last response has neither been accepted nor refused.
    private(set) var isInFlight = false
    /// Why the last response was refused, until one is accepted.
    private(set) var rejection: Rejection?

    struct Rejection: Equatable {
        var revision: Int64
        var message: String
    }

    /// The revision of the snapshot that the last response was made from.
    private var sentRevision: Int64 = 0
    /// To be sent whether the client may have them or not.
    private var forced: Set<String> = []
    /// As ``forced``, for everything wanted.
    private var forcesAll = false
    /// A response is owed even if there is nothing to say: clients wait for the first one.
    private var owesResponse = false
    /// What the client said it has, until the first response.
    private var hints: [String: String] = [:]
    private var wasAsked = false
    /// State of the world: once names were given, no names means nothing, not everything.
    private var hadNames = false
    /// No longer there, but the client is not told before routes that named it are gone.
    private var leaving: [String: EncodedResource] = [:]

    init(_ type: ResourceType, _ variant: Variant) {
        self.type = type
        self.variant = variant
    }

    private func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }

    // MARK: Requests

    /// Takes a request of this type.
    mutating func receive(_ request: DiscoveryRequest) {
        switch request.names {
        case .all(let names): receive(all: names, request)
        case .change(let subscribe, let unsubscribe, let has):
            settle(request)
            change(subscribe: subscribe, unsubscribe: unsubscribe, has: has)
        }
        wasAsked = true
    }

    /// Takes note of an ACK or NACK.
    ///
    /// - Returns: whether the request is about the last response. An older one is superseded.
    @discardableResult
    private mutating func settle(_ request: DiscoveryRequest) -> Bool {
        guard !request.nonce.isEmpty, request.nonce == lastNonce else { return false }
        guard isInFlight else { return true }
        isInFlight = false
        if let message = request.rejection {
            rejection = Rejection(revision: sentRevision, message: message)
        } else {
            rejection = nil
            ackedVersion = lastVersion
        }
        return true
    }

    /// State of the world: the request has all names.
    private mutating func receive(all wanted: [String], _ request: DiscoveryRequest) {
        let wasInFlight = isInFlight
        let isAnswer = settle(request)
        // A request that answers an older response says what the client wanted then; it will say it again.
        if !request.nonce.isEmpty && !isAnswer && wasAsked { return }
        let wasWildcard = isWildcard
        let before = names
        let after = Set(wanted.filter { $0 != "*" })
        if !after.isEmpty { hadNames = true }
        isWildcard = wanted.contains("*") || (type.isFullState && wanted.isEmpty && !hadNames)
        if after != before { names = after }
        if !wasAsked {
            (owesResponse, forcesAll) = (true, true)
        } else if type.isFullState {
            if after != before || wasWildcard != isWildcard { (owesResponse, forcesAll) = (true, true) }
        } else if after != before {
            forced.formUnion(after.subtracting(before))
        } else if isAnswer && !wasInFlight && request.rejection == nil {
            // The same once more, although nothing is under way: Envoy asks again for endpoints of a cluster that warms.
            forcesAll = true
        }
        forced.formIntersection(after)
    }

    /// Delta: the request has what changed, and that counts whatever response the request is about.
    private mutating func change(subscribe: [String], unsubscribe: [String], has: [String: String]) {
        if !wasAsked {
            owesResponse = true
            hints = has
            // Nothing at all in the first request means everything, as before wildcards had a name.
            if type.isFullState && subscribe.isEmpty && unsubscribe.isEmpty { isWildcard = true }
            forcesAll = true
        }
        for name in subscribe {
            if name == "*" {
                isWildcard = true
                forcesAll = true
            } else {
                names.insert(name)
                forced.insert(name)
            }
            owesResponse = true
        }
        for name in unsubscribe {
            if name == "*" {
                isWildcard = false
            } else if names.remove(name) != nil {
                forced.remove(name)
                // Still wanted by the wildcard: the client forgets the name and must be told what it is.
                if isWildcard { forced.insert(name) }
            }
        }
        if !isWildcard { forced.formIntersection(names) }
    }

    /// Has a resource sent again although it did not change.
    mutating func force(_ name: String) {
        if known != nil && wants(name) { forced.insert(name) }
    }

    // MARK: Responses

    /// A client waits for this type: it asked for something and has had no answer.
    var isUrgent: Bool { owesResponse || forcesAll || !forced.isEmpty }

    /// Nothing is to be sent, nothing is on its way, and nothing was refused.
    func isSettled(on set: ResourceSet) -> Bool {
        !isInFlight && rejection == nil && !isUrgent && leaving.isEmpty && (known.map { $0.hasSameContent(as: set) } ?? false)
    }

    /// Whether ``respond(_:revision:nonce:)`` has nothing left to say but removals.
    func isUpToDate(with set: ResourceSet) -> Bool { !isInFlight && !isUrgent && known === set }

    var hasRemovals: Bool { !leaving.isEmpty }

    /// The next response, if one is needed; removals of clusters and endpoints wait for ``remove(_:nonce:)``.
    mutating func respond(_ set: ResourceSet, revision: Int64, nonce: @autoclosure () -> String) -> DiscoveryAnswer? {
        guard !isInFlight, isUrgent || known !== set else { return nil }
        let (resources, removed, isNeeded) =
            variant == .delta ? deltaContent(set) : type.isFullState ? fullContent(set) : partialContent(set)
        known = set
        forced = []
        forcesAll = false
        hints = [:]
        let owed = owesResponse
        owesResponse = false
        // An empty response says nothing in state of the world, except of types where it says that there is nothing.
        guard isNeeded || (owed && (variant == .delta || type.isFullState)) else { return nil }
        return sent(DiscoveryAnswer(type: type, version: set.version, nonce: nonce(), resources: resources, removed: removed), revision)
    }

    /// Tells the client what has gone, once nothing refers to it any more.
    mutating func remove(_ set: ResourceSet, revision: Int64, nonce: @autoclosure () -> String) -> DiscoveryAnswer? {
        guard !isInFlight, !leaving.isEmpty else { return nil }
        let gone = leaving.keys.filter { set[$0] == nil && wants($0) }.sorted()
        leaving = [:]
        guard !gone.isEmpty else { return nil }
        var answer = DiscoveryAnswer(type: type, version: set.version, nonce: nonce(), resources: .some([]))
        if variant == .delta {
            answer.removed = gone
        } else if type.isFullState {
            answer.resources = fullContent(set).resources
        } else {
            return nil
        }
        return sent(answer, revision)
    }

    private mutating func sent(_ answer: DiscoveryAnswer, _ revision: Int64) -> DiscoveryAnswer {
        isInFlight = true
        lastNonce = answer.nonce
        lastVersion = answer.version
        sentRevision = revision
        return answer
    }

    private typealias Content = (resources: DiscoveryAnswer.Resources, removed: [String], isNeeded: Bool)

    private mutating func deltaContent(_ set: ResourceSet) -> Content {
        if forcesAll && isWildcard && hints.isEmpty && known == nil && leaving.isEmpty {
            let unknown = names.filter { set[$0] == nil }.sorted()
            return (.everything(set, and: []), unknown, !set.isEmpty || !unknown.isEmpty)
        }
        var resources: [EncodedResource] = []
        var removed: [String] = []
        for name in candidates(set).sorted() {
            let isForced = forced.contains(name) || (forcesAll && wants(name))
            guard let resource = set[name] else {
                if let old = known?[name], defersRemovals, !isForced {
                    leaving[name] = old
                } else if known?[name] != nil || isForced || hints[name] != nil {
                    removed.append(name)
                }
                continue
            }
            leaving[name] = nil
            if hints[name] == resource.version { continue }
            if isForced || known?[name]?.version != resource.version { resources.append(resource) }
        }
        return (.some(resources), removed, !resources.isEmpty || !removed.isEmpty)
    }

    /// Everything wanted, every time.
    private mutating func fullContent(_ set: ResourceSet) -> Content {
        let changed = known.map { set.changes(since: $0) } ?? []
        let concerned = changed.filter(wants)
        for name in concerned where set[name] == nil && defersRemovals {
            if let old = known?[name] { leaving[name] = old }
        }
        for name in Array(leaving.keys) where set[name] != nil || !wants(name) { leaving[name] = nil }
        let isNeeded = isUrgent || concerned.contains { set[$0]?.version != known?[$0]?.version }
        let lingering = leaving.values.sorted { $0.name < $1.name }
        if isWildcard { return (.everything(set, and: lingering), [], isNeeded) }
        return (.some(names.sorted().compactMap { set[$0] } + lingering), [], isNeeded)
    }

    /// What changed of what is wanted; what is left out stays as it is.
    private func partialContent(_ set: ResourceSet) -> Content {
        let resources = candidates(set).sorted().compactMap { name -> EncodedResource? in
            guard let resource = set[name] else { return nil }
            let isForced = forcesAll || forced.contains(name)
            return isForced || known?[name]?.version != resource.version ? resource : nil
        }
        return (.some(resources), [], !resources.isEmpty)
    }

    private var defersRemovals: Bool { !type.refersToClusters }

    /// Names that a response may have to say something about.
    private func candidates(_ set: ResourceSet) -> Set<String> {
        var candidates = forced.union(hints.keys.filter(wants))
        if forcesAll || known == nil {
            candidates.formUnion(names)
            if isWildcard { candidates.formUnion(set.names) }
        }
        if let known { candidates.formUnion(set.changes(since: known).filter(wants)) }
        return candidates
    }
}
