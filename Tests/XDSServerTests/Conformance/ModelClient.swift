@testable import XDSServer

/// The "xDS REST and gRPC protocol" from a client's side, as a model: it says what a client may say, keeps what it is given,
/// and notes every response that the text does not allow. It knows nothing of how the server works.
struct ModelClient {
    let variant: Variant
    /// Whether the client always wants all clusters, so that its routes must never name one that it lacks.
    let wantsAllClusters: Bool
    private(set) var shelves: [ResourceType: ModelShelf] = [:]
    /// Broken rules, in words.
    private(set) var violations: [String] = []
    /// All contents that were ever published, by type and name.
    var published: [ResourceType: [String: Set<String>]] = [:]
    private var nonces: Set<String> = []
    /// Publications and changed subscriptions so far.
    private var events = 0
    private var refusedClusters = false

    init(_ variant: Variant, wantsAllClusters: Bool) {
        self.variant = variant
        self.wantsAllClusters = wantsAllClusters
        for type in ResourceType.allCases where type.isServed(in: variant) { shelves[type] = ModelShelf() }
    }

    subscript(type: ResourceType) -> ModelShelf { shelves[type] ?? ModelShelf() }

    mutating func note(_ contents: [ResourceType: [String: String]]) {
        events += 1
        for type in shelves.keys where (variant == .stateOfTheWorld && !type.isFullState) || type.isNeverRemoved {
            // What has gone can come back as it was, and that it had gone cannot be said.
            let gone = (published[type] ?? [:]).keys.filter { contents[type]?[$0] == nil }
            shelves[type]?.hadGone.formUnion(gone)
        }
        for (type, some) in contents {
            for (name, content) in some { published[type, default: [:]][name, default: []].insert(content) }
        }
    }

    mutating func complain(_ words: String) { violations.append(words) }

    // MARK: Requests

    /// Makes these the names that are wanted, and asks anew for those that were forgotten.
    ///
    /// - Parameter isAnswer: delta: said with the oldest answer that is due.
    mutating func want(
        _ type: ResourceType, wildcard: Bool, _ names: Set<String>, forgetting: Set<String> = [], isAnswer: Bool = false
    ) -> DiscoveryRequest {
        var shelf = self[type]
        let before = shelf
        (shelf.isWildcard, shelf.names) = (wildcard, names)
        events += 1
        defer { shelves[type] = shelf }
        guard variant == .delta else {
            // An empty list says everything only of some types, and only if no name was ever given on the stream.
            let isFirst = !before.isAsked || (before.isWildcard && !before.hadNames)
            if !type.isFullState || !names.isEmpty || !wildcard || !isFirst { shelf.hadNames = true }
            shelf.has = shelf.has.filter { shelf.wants($0.key) }
            return stateOfTheWorld(type, &shelf, nonce: shelf.lastNonce)
        }
        let forgotten = forgetting.intersection(names)
        var subscribe = names.subtracting(before.names).union(forgotten).sorted()
        var unsubscribe = before.names.subtracting(names).sorted()
        if wildcard && (!before.isWildcard || !before.isAsked)
            && !(type.isFullState && names.isEmpty && !before.isAsked)
        {
            subscribe.append("*")
        }
        if !wildcard && before.isWildcard { unsubscribe.append("*") }
        // To want nothing of a type that begins with everything, a client has to say so.
        if type.isFullState && !before.isAsked && !wildcard && names.isEmpty {
            (subscribe, unsubscribe) = (["*"], ["*"])
        }

        let dropped = before.names.subtracting(names).union(forgotten)
        for name in dropped { shelf.has[name] = nil }
        shelf.has = shelf.has.filter { shelf.wants($0.key) }
        shelf.told = shelf.told.filter { shelf.wants($0.key) }
        shelf.pending = shelf.pending.filter(shelf.wants)
        shelf.mustRepeat = shelf.mustRepeat.filter(shelf.wants)
        shelf.pending.formUnion(subscribe.filter { $0 != "*" && shelf.has[$0] == nil })
        // A name that the wildcard covers too: the client cannot know whether it still has it.
        if wildcard { shelf.pending.formUnion(dropped) }
        shelf.owed.formUnion(subscribe)
        if wildcard { shelf.owed.formUnion(dropped) }
        if subscribe.contains("*") {
            shelf.owesAll = true
            if shelf.isOutstanding { shelf.uncertain.formUnion(shelf.sentNames) }
        }
        if !subscribe.isEmpty { shelf.owesResponse = true }
        var nonce = ""
        var complaint: String?
        if isAnswer, let answer = settle(&shelf) { (nonce, complaint) = answer }
        begin(&shelf, type)
        shelf.known = (wildcard, names)
        return DiscoveryRequest(
            typeURL: type.typeURL, nonce: nonce, nack: complaint,
            names: .change(subscribe: NameList(subscribe), unsubscribe: NameList(unsubscribe), initialVersions: [:]))
    }

    /// The first request of a type on a new stream, from a client that may hold some of it from the one before.
    mutating func resume(_ type: ResourceType) -> DiscoveryRequest {
        var shelf = self[type]
        defer { shelves[type] = shelf }
        guard variant == .delta else {
            shelf.hadNames = !type.isFullState || !shelf.isWildcard || !shelf.names.isEmpty
            return stateOfTheWorld(type, &shelf, nonce: "")
        }
        shelf.told = shelf.has.mapValues(\.content)
        shelf.pending = shelf.names.subtracting(shelf.has.keys)
        shelf.owed = shelf.pending
        shelf.known = (shelf.isWildcard, shelf.names)
        begin(&shelf, type)
        return DiscoveryRequest(
            typeURL: type.typeURL,
            names: .change(
                subscribe: NameList((shelf.isWildcard ? ["*"] : []) + shelf.names.sorted()), unsubscribe: [],
                initialVersions: VersionList(shelf.has.mapValues(\.version))))
    }

    /// The stream is lost. What the client holds it keeps.
    mutating func lose() {
        nonces = []
        for type in shelves.keys { shelves[type]?.lose() }
    }

    /// State of the world: the same once more.
    mutating func repeatRequest(_ type: ResourceType) -> DiscoveryRequest {
        var shelf = self[type]
        defer { shelves[type] = shelf }
        return stateOfTheWorld(type, &shelf, nonce: shelf.lastNonce)
    }

    /// The answer to the oldest response of a type that was read.
    mutating func answer(_ type: ResourceType) -> DiscoveryRequest? {
        guard var shelf = shelves[type], let (nonce, complaint) = settle(&shelf) else { return nil }
        defer { shelves[type] = shelf }
        if variant == .stateOfTheWorld {
            return stateOfTheWorld(type, &shelf, nonce: nonce, complaint: complaint, isAnswer: true)
        }
        return DiscoveryRequest(
            typeURL: type.typeURL, nonce: nonce, nack: complaint,
            names: .change(subscribe: [], unsubscribe: [], initialVersions: [:]))
    }

    private func stateOfTheWorld(
        _ type: ResourceType, _ shelf: inout ModelShelf, nonce: String, complaint: String? = nil, isAnswer: Bool = false
    ) -> DiscoveryRequest {
        let isStale = !nonce.isEmpty && nonce != shelf.sentNonce && shelf.isAsked
        if isStale {
            shelf.wasIgnored = true
        } else {
            let isChange = shelf.known != (shelf.isWildcard, shelf.names) || !shelf.isAsked
            shelf.owed.formUnion(shelf.names.subtracting(shelf.known.names))
            // Asked once more without a new response, or after a request that was ignored: whatever is wanted may come.
            if (isChange && type.isFullState) || !shelf.isAsked || !isAnswer || shelf.wasIgnored {
                shelf.owesAll = true
            }
            shelf.wasIgnored = false
            shelf.known = (shelf.isWildcard, shelf.names)
            shelf.told = shelf.told.filter { shelf.wants($0.key) }
            begin(&shelf, type)
        }
        return DiscoveryRequest(
            typeURL: type.typeURL, nonce: nonce, nack: complaint, names: .all(NameList(shelf.list)))
    }

    private func begin(_ shelf: inout ModelShelf, _ type: ResourceType) {
        guard !shelf.isAsked else { return }
        shelf.isAsked = true
        shelf.owesResponse = true
        shelf.owesAll = shelf.owesAll || (variant == .delta && shelf.isWildcard && shelf.has.isEmpty)
        // Of other types there may be nothing to say in state of the world.
        shelf.isFirstOwed = variant == .delta || type.isFullState
    }

    private func settle(_ shelf: inout ModelShelf) -> (nonce: String, complaint: String?)? {
        guard !shelf.unanswered.isEmpty else { return nil }
        let (response, complaint) = shelf.unanswered.removeFirst()
        shelf.lastNonce = response.nonce
        if response.nonce == shelf.sentNonce { shelf.isOutstanding = false }
        if complaint != nil {
            shelf.retry.formUnion(response.mentioned)
            shelf.refused = (response, events)
        } else {
            shelf.retry.subtract(response.mentioned)
            if variant == .stateOfTheWorld && response.type.isFullState { shelf.retry = [] }
        }
        return (response.nonce, complaint)
    }

    // MARK: Responses

    /// The server sends a response, knowing all that was requested so far. What the text allows it to say, and when.
    mutating func sent(_ response: Received) {
        checkForm(response)
        guard var shelf = shelves[response.type] else { return }
        let type = response.type
        if shelf.isOutstanding { complain("\(type) before the answer to the response before") }
        for item in response.items {
            if !shelf.isKnownToWant(item.name) { complain("\(type) \(item.name), which nobody asked for") }
        }
        if response.isHeartbeat {
            if shelf.isFirstOwed || !shelf.owed.isDisjoint(with: response.mentioned) {
                complain("\(type) is asked for and gets a heartbeat")
            }
            (shelf.sentNonce, shelf.sentNames, shelf.isOutstanding) = (response.nonce, [], true)
            shelves[type] = shelf
            return
        }
        for name in response.removed {
            // To say everything anew is to say too what is not there: "Removed resources for missing resources can be
            // ignored" (discovery.proto).
            let isAnswer = shelf.owed.contains(name) || shelf.owesAll
            let mayHave = shelf.told[name] != nil || shelf.uncertain.contains(name)
            if !mayHave && !isAnswer && !shelf.retry.contains(name) {
                complain("\(type) \(name) is removed, which the client neither had nor asked for")
            }
        }
        checkNeed(response, shelf)
        if type == .route || type == .virtualHost { checkClusters(response) }

        if variant == .stateOfTheWorld && type.isFullState { shelf.told = [:] }
        for item in response.items { shelf.told[item.name] = .some(item.content) }
        for name in response.removed { shelf.told[name] = nil }
        shelf.mustRepeat.subtract(response.mentioned)
        (shelf.sentNonce, shelf.sentNames, shelf.isOutstanding) = (response.nonce, response.mentioned, true)
        (shelf.owesAll, shelf.owesResponse, shelf.isFirstOwed) = (false, false, false)
        // What has to come again and is not there comes when it is.
        shelf.owed = variant == .delta ? shelf.mustRepeat : shelf.owed.subtracting(response.mentioned)
        shelves[type] = shelf
        if variant == .delta { demandChildren(of: response) }
    }

    /// What holds of a response by itself.
    mutating func checkForm(_ response: Received) {
        let type = response.type
        if !self[type].isAsked { complain("\(type), for which nobody asked") }
        if response.nonce.isEmpty || !nonces.insert(response.nonce).inserted {
            complain("nonce \(response.nonce) again")
        }
        if response.hasDuplicates { complain("\(type) names something twice: \(response)") }
        if variant == .stateOfTheWorld && !response.removed.isEmpty { complain("removal in state of the world") }
        for item in response.items {
            guard let content = item.content else {
                if type != .virtualHost && !response.isHeartbeat { complain("\(type) \(item.name) has no body") }
                continue
            }
            if published[type]?[item.name]?.contains(content) != true { complain("\(type) \(item.name) was never so") }
        }
    }

    /// "The management server should only send updates when the resources have changed."
    private mutating func checkNeed(_ response: Received, _ shelf: ModelShelf) {
        let type = response.type
        if let refused = shelf.refused, refused.events == events, shelf.owed.isEmpty, !shelf.owesAll,
            refused.response.items == response.items, refused.response.removed == response.removed
        {
            complain("\(type) was refused and comes again: \(response)")
        }
        let isNew = response.items.map {
            shelf.told[$0.name] != .some($0.content) || shelf.retry.contains($0.name) || shelf.hadGone.contains($0.name)
        }
        if variant == .stateOfTheWorld && type.isFullState {
            let isLess = !Set(shelf.told.keys).isSubset(of: response.mentioned)
            if !isNew.contains(true) && !isLess && !shelf.owesAll && shelf.owed.isEmpty && shelf.retry.isEmpty {
                complain("\(type) without a change: \(response)")
            }
            return
        }
        for (item, isNew) in zip(response.items, isNew)
        where !isNew && !shelf.owesAll && !shelf.owed.contains(item.name) {
            complain("\(type) \(item.name) again, unchanged")
        }
        if response.mentioned.isEmpty && !shelf.owesResponse { complain("\(type) says nothing") }
    }

    /// Make before break: whatever a route names has been sent, and not been taken away.
    private mutating func checkClusters(_ response: Received) {
        guard wantsAllClusters else { return }
        let clusters = Set(self[.cluster].told.keys)
        for item in response.items {
            let missing = Received.clusters(in: item.content).subtracting(clusters)
            if !missing.isEmpty { complain("\(item.name) names \(missing), of which the client has not heard") }
        }
    }

    /// Envoy's clusters warm anew when they are sent and wait for endpoints; its route configurations lose their virtual
    /// hosts.
    private mutating func demandChildren(of response: Received) {
        let parents = Set(response.items.map(\.name))
        switch response.type {
        case .cluster: demand(.endpoint) { parents.contains($0) }
        case .route: demand(.virtualHost) { parents.contains(String($0.split(separator: "/").first ?? "")) }
        default: break
        }
    }

    private mutating func demand(_ type: ResourceType, _ isChild: (String) -> Bool) {
        guard var shelf = shelves[type], shelf.isAsked else { return }
        let children = shelf.names.union(shelf.isWildcard ? Array(shelf.told.keys) : []).filter(isChild)
        shelf.mustRepeat.formUnion(children)
        shelf.owed.formUnion(children)
        shelves[type] = shelf
    }

    // MARK: What the client makes of it

    /// Takes a response, or refuses it with a complaint.
    mutating func read(_ response: Received, complaint: String? = nil) {
        guard var shelf = shelves[response.type] else { return }
        shelf.beaten.formUnion(response.items.map(\.name))
        if response.isHeartbeat {
            // "…and version matching the most recently sent version can be used to update the TTL."
            for item in response.items where shelf.wants(item.name) {
                let isForgotten = shelf.has[item.name] == nil && shelf.pending.contains(item.name)
                if shelf.has[item.name]?.version != item.version && !isForgotten {
                    complain("\(response.type) \(item.name) is to be kept, and is not what the client has")
                }
            }
        } else if complaint == nil {
            if variant == .stateOfTheWorld && response.type.isFullState { shelf.has = [:] }
            for item in response.items where shelf.wants(item.name) {
                shelf.has[item.name] = item.content == nil ? nil : .init(version: item.version, content: item.content)
            }
            for name in response.removed { shelf.has[name] = nil }
            shelf.renewed.formUnion(response.mentioned)
        } else if response.type == .cluster {
            refusedClusters = true
        }
        shelf.pending.subtract(response.mentioned)
        shelf.unanswered.append((response, complaint))
        shelves[response.type] = shelf
        checkRoutes()
    }

    /// Nothing that the client goes by names a cluster that it was told to remove.
    private mutating func checkRoutes() {
        guard wantsAllClusters, !refusedClusters else { return }
        let clusters = Set(self[.cluster].has.keys)
        for type in [ResourceType.route, .virtualHost] {
            // In state of the world a server cannot know what routes a client brings along from another stream.
            for (name, held) in self[type].has where variant == .delta || self[type].renewed.contains(name) {
                let missing = Received.clusters(in: held.content).subtracting(clusters)
                if !missing.isEmpty { complain("\(type) \(name) is in use and its \(missing) is gone") }
            }
        }
    }

    // MARK: Time

    /// What lasts for a while only may be sent again in state of the world, and something said of it in delta.
    mutating func beat() {
        events += 1
        for type in shelves.keys { shelves[type]?.beaten = [] }
        guard variant == .stateOfTheWorld else { return }
        for (type, names) in ConformanceWorld.expiring {
            if type.isFullState { shelves[type]?.owesAll = true } else { shelves[type]?.owed.formUnion(names) }
        }
    }

    /// All that lasts for a while and that the client holds was heard of since the last beat.
    mutating func checkBeat(_ contents: [ResourceType: [String: String]]) {
        for (type, names) in ConformanceWorld.expiring where self[type].isAsked {
            let held = names.filter { self[type].has[$0] != nil && contents[type]?[$0] != nil }
            let missing = held.subtracting(self[type].beaten)
            if !missing.isEmpty { complain("\(type) \(missing) would be forgotten") }
        }
    }

    // MARK: Rest

    /// Compares what the client holds with what there is, when the server has nothing more to say.
    mutating func checkRest(_ contents: [ResourceType: [String: String]]) {
        for type in ResourceType.allCases {
            guard let shelf = shelves[type], shelf.isAsked else { continue }
            let all = contents[type] ?? [:]
            if let difference = difference(type, all) { complain(difference) }
            if variant == .delta && !shelf.pending.isEmpty { complain("\(type): no word of \(shelf.pending)") }
            let missing = shelf.mustRepeat.intersection(all.keys)
            if !missing.isEmpty { complain("\(type): \(missing) had to come again") }
            if shelf.isFirstOwed { complain("\(type): the first request was not answered") }
        }
    }

    /// - Returns: how what is held differs from what is wanted of `all`; `nil` if it does not.
    func difference(_ type: ResourceType, _ all: [String: String]) -> String? {
        let shelf = self[type]
        var has = shelf.has.mapValues { $0.content ?? "" }
        // Deletion of these cannot be said, or is not; clients drop them with what named them.
        if (variant == .stateOfTheWorld && !type.isFullState) || type.isNeverRemoved {
            has = has.filter { all[$0.key] != nil }
        }
        let expected = all.filter { shelf.wants($0.key) }
        return has == expected ? nil : "\(type): has \(has), wants \(expected)"
    }
}
