/// What one stream knows of one resource type: what the client wants, what it has, and what is on its way. No I/O, no
/// clock.
///
/// What the client has is not kept name by name: it is the last set that was sent, restricted to what the client wants.
/// So a stream costs what it wants, not what the mesh has.
///
/// Sources: "xDS REST and gRPC protocol" (ACK and NACK, resource warming, incremental xDS), and Envoy's behaviour where
/// the text leaves room.
///
/// Collections by glob (`xdstp://…/*`, xRFC TP1) are names like any others, under which there is nothing: Envoy asks for them
/// only if its bootstrap says so, and gRPC has no use for collections (gRFC A47).
final class Subscription {
    let type: ResourceType
    let variant: Variant
    private(set) var isWildcard = false
    /// Wanted by name. Shared with other streams that want the same (``NameTable``).
    private(set) var names = NameSet()
    /// Sent last; with `nil` nothing was.
    private(set) var known: ResourceSet?
    /// The nonce of the last response; empty: there was none.
    private(set) var lastNonce = ""
    private(set) var lastVersion = ""
    private(set) var ackedVersion = ""
    /// The last response, until it is accepted or refused.
    private var inFlight: DiscoveryAnswer?
    /// What was refused, until a response that replaces it is accepted.
    private(set) var rejection: Rejection?

    struct Rejection: Equatable {
        var revision: Int64
        var message: String
        /// Of the refused response.
        var version = ""
        /// The names that the client complained of, as far as it named them; sorted, and at most ``maxNames``.
        var names: [String] = []

        static let maxNames = 20
    }

    /// What of the refused responses the client lacks: the names that it complained of, or all if it named none.
    private var refused: Set<String> = []
    /// The revision of the snapshot that the last response was made from.
    private var sentRevision: Int64 = 0
    /// To be sent whether the client may have them or not.
    private var forced: Set<String> {
        _read {
            lookIntoChildren()
            yield forcedNames
        }
        _modify {
            lookIntoChildren()
            yield &forcedNames
        }
    }
    private var forcedNames: Set<String> = []
    /// Those of them, and others that are not wanted, that many clients are sent again together, as long as nobody had to look
    /// into it.
    private var children: NameSet?
    private var hasForced: Bool { children != nil || !forcedNames.isEmpty }
    /// State of the world: left out by requests that were ignored otherwise.
    private var dropped: Set<String> = []
    /// The same of the wildcard.
    private var hasDroppedAll = false
    /// As ``forced``, for everything wanted.
    private var forcesAll = false
    /// A response is owed even if there is nothing to say: clients wait for the first one.
    private var owesResponse = false
    /// What the client said it has, as long as nobody had to look into it.
    private var offered: VersionList?
    private var lookedAt: [String: String] = [:]
    /// What the client said it has, until the first response, or until it is taken away.
    private var hints: [String: String] {
        _read {
            lookIntoOffer()
            yield lookedAt
        }
        _modify {
            lookIntoOffer()
            yield &lookedAt
        }
    }
    private var hasHints: Bool { offered != nil || !lookedAt.isEmpty }
    private var wasAsked = false
    /// How many names were copied because more were added to them.
    private var copiedNames = 0
    /// State of the world: once names were given, no names means nothing, not everything.
    private var hadNames = false
    /// No longer there, but the client is not told before routes that named it are gone. The resource is not known if a
    /// client that comes back has it from another stream.
    private var leaving: [String: EncodedResource?] = [:]
    /// What lasts only for a while, and the client has to hear of.
    private var due: Set<String> = []
    /// What the last response replaced of what lasts only for a while, and, of what was refused, what the client has instead.
    private var replaced: [String: EncodedResource] = [:]
    private var kept: [String: EncodedResource] = [:]

    init(_ type: ResourceType, _ variant: Variant) {
        self.type = type
        self.variant = variant
    }

    private func lookIntoOffer() {
        if let offer = offered.take() { lookedAt = offer.versions }
    }

    private func lookIntoChildren() {
        if let children = children.take() { forcedNames.formUnion(children.names.filter(canBeForced)) }
    }

    private func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }

    /// All that is wanted and may be there.
    var held: Set<String> {
        isWildcard ? names.names.union(known?.names ?? []).union(hints.keys) : names.names
    }

    /// The last response has neither been accepted nor refused.
    var isInFlight: Bool { inFlight != nil }

    // MARK: Requests

    /// Takes a request of this type.
    func receive(_ request: DiscoveryRequest, sharing table: NameTable) {
        switch request.names {
        case .all(let names): receive(all: names, request, table)
        case .change(let subscribe, let unsubscribe, let has):
            settle(request)
            change(subscribe: subscribe, unsubscribe: unsubscribe, has: has, table)
        }
        wasAsked = true
        forgive(unless: wants)
    }

    /// Takes note of an ACK or NACK.
    ///
    /// - Returns: whether the request is about the last response. An older one is superseded.
    @discardableResult
    private func settle(_ request: DiscoveryRequest) -> Bool {
        guard !request.nonce.isEmpty, request.nonce == lastNonce else { return false }
        guard let answer = inFlight.take() else { return true }
        if answer.isHeartbeat {
            // Whoever refuses one does not have what it was to keep.
            if request.rejection != nil {
                forced.formUnion(answer.names.filter(wants).filter { !refused.contains($0) })
            }
            return true
        }
        defer { replaced = [:] }
        if let message = request.rejection.map(Complaint.readable) {
            let mentioned = answer.names(mentionedIn: message)
            let broken = mentioned.isEmpty ? answer.names : mentioned
            refused.formUnion(broken)
            kept.merge(replaced.filter { broken.contains($0.key) }) { older, _ in older }
            // Of several that it does not name, any may be meant.
            let isKnown = !mentioned.isEmpty || broken.count == 1
            rejection = Rejection(
                revision: sentRevision, message: Complaint.text(message), version: lastVersion,
                names: isKnown ? Array(broken.sorted().prefix(Rejection.maxNames)) : [])
            return true
        }
        ackedVersion = lastVersion
        // A response about something else does not undo a refusal: the client still lacks what it refused.
        let isComplete = answer.isComplete || (variant == .stateOfTheWorld && type.isFullState)
        if isComplete { refused = [] }
        if !refused.isEmpty { refused.subtract(answer.names) }
        if refused.isEmpty { rejection = nil }
        if !kept.isEmpty { kept = kept.filter { refused.contains($0.key) } }
        return true
    }

    /// What is not wanted any more is not refused any more.
    private func forgive(unless isRefused: (String) -> Bool) {
        guard !refused.isEmpty else { return }
        let left = refused.filter(isRefused)
        // If only removals are left, what was wrong is not among them: the client can be told again.
        let isHarmless = left.count < refused.count && left.allSatisfy { known?[$0] == nil }
        if variant == .delta && isHarmless { forced.formUnion(left.subtracting(inFlight?.names ?? [])) }
        refused = left
        if refused.isEmpty { rejection = nil }
    }

    /// State of the world: the request has all names.
    private func receive(all wanted: NameList, _ request: DiscoveryRequest, _ table: NameTable) {
        let wasInFlight = isInFlight
        let isAnswer = settle(request)
        let hasWildcard = wanted.contains("*")
        let wantsAll = hasWildcard || (type.isFullState && wanted.isEmpty && !hadNames)
        let after = table.set(of: hasWildcard ? NameList(wanted.strings.filter { $0 != "*" }) : wanted)
        if !wanted.isEmpty { hadNames = true }
        // A request that answers an older response says what the client wanted then; it will say it again. But what it
        // left out it has dropped, and needs anew if it wants it again.
        if !request.nonce.isEmpty && !isAnswer && wasAsked {
            dropped.formUnion(names.names.subtracting(after.names))
            hasDroppedAll = hasDroppedAll || (isWildcard && !wantsAll)
            return
        }
        let wasWildcard = isWildcard
        let before = names
        isWildcard = wantsAll
        if after != before { names = after }
        if !wasAsked {
            (owesResponse, forcesAll) = (true, true)
        } else if type.isFullState {
            if after != before || wasWildcard != isWildcard || hasDroppedAll {
                (owesResponse, forcesAll) = (true, true)
            }
        } else if isWildcard && (!wasWildcard || hasDroppedAll) {
            forcesAll = true
        } else if after != before {
            forced.formUnion(after.names.subtracting(before.names))
        } else if isAnswer && !wasInFlight && request.rejection == nil {
            // The same once more, although nothing is under way: Envoy asks again for endpoints of a cluster that warms.
            forcesAll = true
        }
        forced.formUnion(dropped)
        if !forced.isEmpty { forced = forced.filter(wants) }
        (dropped, hasDroppedAll) = ([], false)
    }

    /// Delta: the request has what changed, and that counts whatever response the request is about.
    private func change(
        subscribe: NameList, unsubscribe: NameList, has: VersionList, _ table: NameTable
    ) {
        if !wasAsked {
            owesResponse = true
            if !has.isEmpty { offered = has }
            // That it has been told of no such host is nothing that it has.
            if type == .virtualHost { hints = hints.filter { $0.value != EncodedResource.absentVersion } }
            // Nothing at all in the first request means everything, as before wildcards had a name.
            if type.isFullState && subscribe.isEmpty && unsubscribe.isEmpty { isWildcard = true }
            forcesAll = true
        }
        if !subscribe.isEmpty { self.subscribe(subscribe, table) }
        for name in unsubscribe.strings {
            if name == "*" {
                isWildcard = false
            } else if names.remove(name) {
                forced.remove(name)
                // The client drops it, so what it said of it is void.
                hints[name] = nil
                // Still wanted by the wildcard: the client forgets the name and must be told what it is.
                if isWildcard { forced.insert(name) }
            }
        }
        if !isWildcard && !unsubscribe.isEmpty {
            // Whoever does not want it has dropped it.
            forced.formIntersection(names.names)
            leaving = leaving.filter { names.contains($0.key) }
            hints = hints.filter { names.contains($0.key) }
        }
    }

    private func subscribe(_ wanted: NameList, _ table: NameTable) {
        owesResponse = true
        let isWildcardNew = wanted.contains("*")
        if isWildcardNew {
            // What it did not want until now it does not have, unless it is on its way.
            if !isWildcard, let known {
                self.known = known.only(names.names.union(inFlight?.resourceNames ?? []))
            }
            (isWildcard, forcesAll) = (true, true)
        }
        let named = isWildcardNew ? NameList(wanted.strings.filter { $0 != "*" }) : wanted
        if names.count == 0 {
            names = table.set(of: named)
        } else {
            add(named.strings, table)
        }
        // The first request has everything sent anyway.
        guard wasAsked else { return }
        for name in named.strings {
            forced.insert(name)
            // What it said of the name before it asked again is void.
            hints[name] = nil
        }
    }

    private func add(_ more: [String], _ table: NameTable) {
        // Set aside, a set has to be copied when more is added. For a client that adds thousands of names one by one that
        // would be more work than it sends, so it has a set of its own from then on.
        let maxCopied = 20 * StreamMachine.Limits().names
        guard copiedNames < maxCopied else {
            for name in more { names.insert(name) }
            return
        }
        if let known = table.known(names, adding: more) {
            names = known
        } else {
            copiedNames += names.count
            for name in more { names.insert(name) }
            names = table.shared(names)
        }
    }

    /// Has a resource sent again although it did not change. Delta only.
    func force(_ name: String) {
        // What the client said it has when it came is no reason not to send it, nor is that it was not yet told to remove it;
        // but it is still to be told when it is gone.
        if hasHints && hints[name] != nil { hints[name] = "" }
        if leaving.keys.contains(name) { leaving.updateValue(nil, forKey: name) }
        if canBeForced(name) { forced.insert(name) }
    }

    /// As ``force(_:)`` for each of the names, which other clients are sent again too.
    func force(_ names: NameSet) {
        if known != nil && !hasHints && leaving.isEmpty && !hasForced {
            children = names
        } else {
            for name in names.names { force(name) }
        }
    }

    private func canBeForced(_ name: String) -> Bool {
        guard let known else { return false }
        return names.contains(name) || (isWildcard && known[name] != nil)
    }

    // MARK: Responses

    /// A client waits for this type: it asked for something and has had no answer.
    var isUrgent: Bool { owesResponse || forcesAll || hasForced }

    /// Nothing is to be sent, nothing is on its way, and nothing was refused.
    func isSettled(on set: ResourceSet) -> Bool {
        !isInFlight && rejection == nil && !isUrgent && leaving.isEmpty
            && (known.map { $0.hasSameContent(as: set) } ?? false)
    }

    /// Whether ``respond(_:revision:nonce:)`` has nothing left to say but removals.
    func isUpToDate(with set: ResourceSet) -> Bool { !isInFlight && !isUrgent && known === set }

    /// Whether anything has yet to be removed, if it does not come back.
    var hasLeaving: Bool { !leaving.isEmpty }

    /// Whether something that is in none of the sets has yet to be removed.
    func hasRemovals(to kept: [ResourceSet]) -> Bool {
        leaving.keys.contains { name in kept.allSatisfy { $0[name] == nil } }
    }

    /// The next response, if one is needed; removals of clusters and endpoints wait for ``remove(keeping:revision:nonce:)``.
    func respond(
        _ set: ResourceSet, revision: Int64, nonce: @autoclosure () -> String, sharing answers: SharedAnswers
    ) -> DiscoveryAnswer? {
        guard !isInFlight, isUrgent || known !== set else { return nil }
        // Where nothing is said of what is gone, no acceptance will ever follow.
        let isSilent = variant == .stateOfTheWorld ? !type.isFullState : type.isNeverRemoved
        if isSilent { forgive { set[$0] != nil } }
        noteLasting(set)
        let content =
            variant == .delta
            ? deltaContent(set, answers) : type.isFullState ? fullContent(set, answers) : partialContent(set)
        known = set
        (forcedNames, children) = ([], nil)
        forcesAll = false
        // What is to leave may come back before, and then the client still has it.
        if leaving.isEmpty { (offered, lookedAt) = (nil, [:]) }
        if hasHints { hints = hints.filter { leaving.keys.contains($0.key) } }
        let owed = owesResponse
        owesResponse = false
        // An empty response says nothing in state of the world, except of types where it says that there is nothing.
        guard content.isNeeded || (owed && (variant == .delta || type.isFullState)) else { return nil }
        var answer = DiscoveryAnswer(
            type: type, version: set.version, nonce: nonce(), resources: content.resources, removed: content.removed)
        answer.sharedNames = content.names
        return sent(answer, revision)
    }

    /// Tells the client what is in none of the sets, once nothing refers to it any more.
    func remove(
        keeping kept: [ResourceSet], revision: Int64, nonce: @autoclosure () -> String
    ) -> DiscoveryAnswer? {
        // Who has asked is answered first, or would be told of the same names twice.
        guard !isInFlight, !isUrgent, let known, !leaving.isEmpty else { return nil }
        let due = leaving.keys.filter { name in kept.allSatisfy { $0[name] == nil } }
        for name in due { (leaving[name], hints[name]) = (nil, nil) }
        let gone = due.filter(wants).sorted()
        guard !gone.isEmpty else { return nil }
        var answer = DiscoveryAnswer(type: type, version: known.version, nonce: nonce(), resources: .some([]))
        if variant == .delta {
            answer.removed = gone
        } else if type.isFullState {
            answer.resources = fullContent(known).resources
        } else {
            return nil
        }
        return sent(answer, revision)
    }

    /// Time has passed: the client is to be told of what it would forget.
    func beat() {
        due.formUnion(known?.lasting.names ?? [])
        due.formUnion(kept.keys)
    }

    /// Tells the client to keep what lasts only for a while, when there is nothing else to say.
    func heartbeat(nonce: @autoclosure () -> String) -> DiscoveryAnswer? {
        guard !due.isEmpty, !isInFlight, !isUrgent, let known else { return nil }
        // In state of the world who refused some of it refuses it once more, and keeps what it has.
        let held = due.filter(wants).sorted()
            .compactMap { variant == .delta && refused.contains($0) ? kept[$0] : known[$0] }.filter { $0.ttl != nil }
        due = []
        guard !held.isEmpty else { return nil }
        var answer = DiscoveryAnswer(type: type, version: known.version, nonce: nonce(), resources: .some(held))
        if variant == .delta {
            answer.isHeartbeat = true
        } else if type.isFullState {
            // A response without bodies would mean to Envoy's client that there are no listeners or clusters any more, as it
            // sets heartbeats aside and takes what is left for everything there is. So all is sent again.
            answer.resources = fullContent(known).resources
        }
        return sent(answer, sentRevision)
    }

    /// Notes what a client that refuses `set` goes on with, and what it says that it has and may not be sent.
    private func noteLasting(_ set: ResourceSet) {
        if hasHints { due.formUnion(set.lasting.names) }
        guard let known, known.lasting.shortest != nil else { return }
        let old = set.changes(since: known).filter(wants).compactMap { known[$0] }
        replaced = Dictionary(uniqueKeysWithValues: old.filter { $0.ttl != nil }.map { ($0.name, $0) })
    }

    private func sent(_ answer: DiscoveryAnswer, _ revision: Int64) -> DiscoveryAnswer {
        inFlight = answer
        if !due.isEmpty { due = answer.isComplete ? [] : due.subtracting(answer.resourceNames) }
        lastNonce = answer.nonce
        lastVersion = answer.version
        sentRevision = revision
        return answer
    }

    private struct Content {
        var resources: DiscoveryAnswer.Resources
        var removed: [String] = []
        /// Of the resources, if they are shared with other clients.
        var names: NameSet?
        var isNeeded: Bool
    }

    private func deltaContent(_ set: ResourceSet, _ answers: SharedAnswers) -> Content {
        // The first answer to a client that has nothing and wants all there is, the usual case of a connecting proxy: bytes
        // that are assembled once for all of them.
        if forcesAll && known == nil && leaving.isEmpty && !hasHints && type != .virtualHost
            && (isWildcard || set.isCovered(by: names))
        {
            let isExact = !isWildcard && names.count == set.count
            // A name that was given up beside a wildcard is still to be answered.
            let asked = forced.isEmpty ? names.names : names.names.union(forced)
            let unknown = isExact ? [] : asked.filter { set[$0] == nil }.sorted()
            return Content(
                resources: .everything(set, and: []), removed: unknown, isNeeded: !set.isEmpty || !unknown.isEmpty)
        }
        guard isShareable(set) else {
            let (resources, removed) = changes(set)
            return Content(
                resources: .some(resources), removed: removed, isNeeded: !resources.isEmpty || !removed.isEmpty)
        }
        let answer = answers.answer(key(set)) {
            let (resources, removed) = changes(set)
            return SharedAnswers.Answer(resources: resources, removed: removed, leaving: leaving)
        }
        leaving = answer.leaving
        return Content(
            resources: .some(answer.resources), removed: answer.removed, names: answer.names,
            isNeeded: !answer.resources.isEmpty || !answer.removed.isEmpty)
    }

    /// Whether an answer from `set` depends on nothing but its ``key(_:)``, and is worth being looked up.
    private func isShareable(_ set: ResourceSet) -> Bool {
        guard forcedNames.isEmpty, refused.isEmpty, leaving.isEmpty, lookedAt.isEmpty else { return false }
        guard let known else { return offered != nil }
        return !forcesAll && offered == nil
            && (children?.count ?? 0) + set.changes(since: known).count >= SharedAnswers.minimum
    }

    private func key(_ set: ResourceSet) -> SharedAnswers.Key {
        SharedAnswers.Key(
            type: type, isWildcard: isWildcard, names: names.fingerprint, forced: children?.fingerprint ?? .init(),
            has: offered?.fingerprint ?? .init(), known: known?.id ?? 0, set: set.id)
    }

    /// What the client lacks, and what it is to remove; notes in ``leaving`` what it is to remove later.
    private func changes(_ set: ResourceSet) -> (resources: [EncodedResource], removed: [String]) {
        var resources: [EncodedResource] = []
        var removed: [String] = []
        for name in withRefused(candidates(set), set).sorted() {
            let isForced = forced.contains(name) || refused.contains(name) || (forcesAll && wants(name))
            let had = hints[name] != nil || known?[name] != nil
            guard let resource = set[name] else {
                if type.isNeverRemoved && had && !forced.contains(name) { continue }
                if type == .virtualHost && isForced && !had {
                    resources.append(EncodedResource(absentVirtualHost: name))
                    continue
                }
                // A client that asks for a name that it had told us of waits for nothing; any other that asks does.
                if had && type.isRemovedLast && (!forced.contains(name) || hints[name] != nil) {
                    leaving.updateValue(known?[name], forKey: name)
                } else if had || isForced {
                    removed.append(name)
                    leaving[name] = nil
                }
                continue
            }
            let old = known?[name] ?? leaving[name].flatMap { $0 }
            leaving[name] = nil
            if hints[name] == resource.version { continue }
            if isForced || old?.version != resource.version { resources.append(resource) }
        }
        return (resources, removed)
    }

    /// Everything wanted, every time.
    private func fullContent(_ set: ResourceSet, _ answers: SharedAnswers? = nil) -> Content {
        var isNeeded = isUrgent
        if let answers, isShareable(set) {
            let answer = answers.answer(key(set)) {
                let isChange = hasChanged(set)
                return SharedAnswers.Answer(leaving: leaving, isChange: isChange)
            }
            leaving = answer.leaving
            isNeeded = isNeeded || answer.isChange
        } else if hasChanged(set) {
            isNeeded = true
        }
        for name in Array(leaving.keys) where set[name] != nil || !wants(name) { leaving[name] = nil }
        let lingering = leaving.values.compactMap { $0 }.sorted { $0.name < $1.name }
        if isWildcard { return Content(resources: .everything(set, and: lingering), isNeeded: isNeeded) }
        return Content(
            resources: .some(names.names.sorted().compactMap { set[$0] } + lingering), isNeeded: isNeeded)
    }

    /// Whether anything that is wanted differs from what was sent last; notes in ``leaving`` what is to be left out later.
    private func hasChanged(_ set: ResourceSet) -> Bool {
        var isChange = false
        for name in known.map({ set.changes(since: $0) }) ?? [] where wants(name) {
            let old = known?[name] ?? leaving[name].flatMap { $0 }
            if set[name] == nil, type.isRemovedLast, let old {
                leaving[name] = old
            } else if set[name]?.version != old?.version {
                isChange = true
            }
        }
        return isChange
    }

    /// What changed of what is wanted; what is left out stays as it is.
    private func partialContent(_ set: ResourceSet) -> Content {
        // The first answer to a client that wants all there is shares its bytes with all others of its kind.
        if known == nil && forcesAll && refused.isEmpty && (isWildcard || set.isCovered(by: names)) {
            return Content(resources: .everything(set, and: []), isNeeded: !set.isEmpty)
        }
        let resources = withRefused(candidates(set), set).sorted().compactMap { name -> EncodedResource? in
            guard let resource = set[name] else { return nil }
            let isForced = forcesAll || forced.contains(name) || refused.contains(name)
            return isForced || known?[name]?.version != resource.version ? resource : nil
        }
        return Content(resources: .some(resources), isNeeded: !resources.isEmpty)
    }

    /// What was refused together is tried again together, when some of it has changed: the client may lack all of it.
    private func withRefused(_ candidates: Set<String>, _ set: ResourceSet) -> Set<String> {
        let isRetry = refused.contains {
            candidates.contains($0) && (forcesAll || forced.contains($0) || known?[$0]?.version != set[$0]?.version)
        }
        return isRetry ? candidates.union(refused) : candidates.subtracting(refused)
    }

    /// Names that a response may have to say something about.
    private func candidates(_ set: ResourceSet) -> Set<String> {
        var candidates = forced.union(hints.keys.filter(wants))
        if forcesAll || known == nil {
            candidates.formUnion(names.names)
            if isWildcard { candidates.formUnion(set.names) }
        }
        if let known { candidates.formUnion(set.changes(since: known).filter(wants)) }
        return candidates
    }
}
