/// The responses that a subscription makes.
extension Subscription {
    /// The next response, if one is needed; removals of clusters and endpoints wait for ``remove(keeping:revision:nonce:)``.
    func respond(
        _ set: LayeredSet, revision: Int64, nonce: @autoclosure () -> String, sharing cache: ResponseCache
    ) -> DiscoveryResponse? {
        guard !isInFlight, isAwaited || !isKnown(set) else { return nil }
        // Where nothing is said of what is gone, no acceptance will ever follow.
        let isSilent = variant == .stateOfTheWorld ? !type.isFullState : type.isNeverRemoved
        if isSilent { clearNack { set[$0] != nil } }
        noteLasting(set)
        let content =
            variant == .delta
            ? deltaContent(set, cache) : type.isFullState ? fullContent(set, cache) : partialContent(set)
        known = set
        (resendNames, sharedResend) = ([], nil)
        resendsAll = false
        // What is to leave may come back before, and then the client still has it.
        if pendingRemovals.isEmpty { (sharedInitialVersions, expandedInitialVersions) = (nil, [:]) }
        if hasInitialVersions { initialVersions = initialVersions.filter { pendingRemovals[$0.key] != nil } }
        let owed = owesResponse
        owesResponse = false
        // An empty response says nothing in state of the world, except of types where it says that there is nothing.
        guard content.isNeeded || (owed && (variant == .delta || type.isFullState)) else { return nil }
        var response = DiscoveryResponse(
            type: type, version: set.version, nonce: nonce(), resources: content.resources, removed: content.removed)
        response.sharedNames = content.names
        return sent(response, revision)
    }

    /// A response that removes what is in none of the sets, once nothing refers to it any more.
    func remove(
        keeping kept: [LayeredSet], revision: Int64, nonce: @autoclosure () -> String
    ) -> DiscoveryResponse? {
        // Who has asked is answered first, or would be told of the same names twice.
        guard !isInFlight, !isAwaited, let known, !pendingRemovals.isEmpty else { return nil }
        let released = pendingRemovals.keys.filter { name in kept.allSatisfy { $0[name] == nil } }
        for name in released { (pendingRemovals[name], initialVersions[name]) = (nil, nil) }
        let gone = released.filter(wants).sorted()
        guard !gone.isEmpty else { return nil }
        var response = DiscoveryResponse(type: type, version: known.version, nonce: nonce(), resources: .some([]))
        if variant == .delta {
            response.removed = gone
        } else if type.isFullState {
            response.resources = fullContent(known).resources
        } else {
            return nil
        }
        return sent(response, revision)
    }

    /// Notes that time has passed: resources with a time to live are due.
    func beat() {
        dueHeartbeats.formUnion(known?.lasting.names ?? [])
        dueHeartbeats.formUnion(kept.keys)
    }

    /// A response that only has the client keep resources with a time to live, when there is nothing else to say.
    func heartbeat(nonce: @autoclosure () -> String) -> DiscoveryResponse? {
        guard !dueHeartbeats.isEmpty, !isInFlight, !isAwaited, let known else { return nil }
        // In state of the world who refused some of it refuses it once more, and keeps what it has.
        let held = dueHeartbeats.filter(wants).sorted()
            .compactMap { variant == .delta && nackedNames.contains($0) ? kept[$0] : known[$0] }.filter {
                $0.ttl != nil
            }
        dueHeartbeats = []
        guard !held.isEmpty else { return nil }
        var response = DiscoveryResponse(type: type, version: known.version, nonce: nonce(), resources: .some(held))
        if variant == .delta {
            response.isHeartbeat = true
        } else if type.isFullState {
            // A response without bodies would mean to Envoy's client that there are no listeners or clusters any more, as it
            // sets heartbeats aside and takes what is left for everything there is. So all is sent again.
            response.resources = fullContent(known).resources
        }
        return sent(response, sentRevision)
    }

    /// Notes the resources with a time to live that a client which refuses `set` goes on with, and those that it says it has and
    /// may not be sent.
    private func noteLasting(_ set: LayeredSet) {
        if hasInitialVersions { dueHeartbeats.formUnion(set.lasting.names) }
        guard let known, known.lasting.shortest != nil else { return }
        // What it refused it does not have.
        let old = set.changes(since: known).filter { wants($0) && !nackedNames.contains($0) }.compactMap { known[$0] }
        replaced = Dictionary(uniqueKeysWithValues: old.filter { $0.ttl != nil }.map { ($0.name, $0) })
    }

    private func sent(_ response: DiscoveryResponse, _ revision: Int64) -> DiscoveryResponse {
        inFlight = response
        if !dueHeartbeats.isEmpty {
            dueHeartbeats = response.isComplete ? [] : dueHeartbeats.subtracting(response.resourceNames)
        }
        lastNonce = response.nonce
        lastVersion = response.version
        sentRevision = revision
        return response
    }

    private struct Content {
        var resources: DiscoveryResponse.Resources
        var removed: [String] = []
        /// The names of the resources, if they are shared with other clients.
        var names: NameSet?
        var isNeeded: Bool
    }

    private func deltaContent(_ set: LayeredSet, _ cache: ResponseCache) -> Content {
        // The first answer to a client that has nothing and wants all there is, the usual case of a connecting proxy: bytes
        // that are assembled once for all of them.
        if resendsAll && known == nil && pendingRemovals.isEmpty && !hasInitialVersions && type != .virtualHost
            && (isWildcard || set.isCovered(by: names))
        {
            let isExact = !isWildcard && names.count == set.count
            // A name that was given up beside a wildcard is still to be answered.
            let asked = resend.isEmpty ? names.names : names.names.union(resend)
            let unknown = isExact ? [] : asked.filter { set[$0] == nil }.sorted()
            return Content(
                resources: .everything(set, and: []), removed: unknown, isNeeded: !set.isEmpty || !unknown.isEmpty)
        }
        guard isShareable(set) else {
            let (resources, removed) = changes(set)
            return Content(
                resources: .some(resources), removed: removed, isNeeded: !resources.isEmpty || !removed.isEmpty)
        }
        // Whoever comes back has mostly all there is.
        if known == nil, let sharedInitialVersions, wantsJust(set), set.isAll(of: sharedInitialVersions) {
            return Content(resources: .some([]), isNeeded: false)
        }
        let count = sharedInitialVersions?.count ?? 0
        let shared = cache.entry(key(set)) {
            let (resources, removed) = changes(set)
            // The fingerprint of a list that names something twice does not say which of the two counts.
            let isPrivate = known == nil && initialVersions.count != count
            return ResponseCache.Entry(
                resources: resources, removed: removed, pendingRemovals: pendingRemovals, isPrivate: isPrivate)
        }
        pendingRemovals = shared.pendingRemovals
        return Content(
            resources: .some(shared.resources), removed: shared.removed, names: shared.names,
            isNeeded: !shared.resources.isEmpty || !shared.removed.isEmpty)
    }

    /// Whether the client wants all that there is, and nothing that there is not.
    private func wantsJust(_ set: LayeredSet) -> Bool {
        isWildcard ? names.count == 0 : names.count == set.count && set.isCovered(by: names)
    }

    /// Whether a response from `set` depends on nothing but its ``key(_:)``, and is worth being looked up.
    private func isShareable(_ set: LayeredSet) -> Bool {
        guard resendNames.isEmpty, nackedNames.isEmpty, pendingRemovals.isEmpty, expandedInitialVersions.isEmpty else {
            return false
        }
        guard let known else { return sharedInitialVersions != nil }
        return !resendsAll && sharedInitialVersions == nil
            && (sharedResend?.count ?? 0) + set.changes(since: known).count >= ResponseCache.minimum
    }

    private func key(_ set: LayeredSet) -> ResponseCache.Key {
        var key = ResponseCache.Key(
            variant: variant, type: type, isWildcard: isWildcard, names: names.fingerprint,
            resend: sharedResend?.fingerprint ?? .init(), has: .init(), isFirst: known == nil, old: [], new: [])
        if let known {
            (key.old, key.new) = set.difference(from: known, and: sharedResend)
        } else if let sharedInitialVersions {
            (key.has, key.new) = set.remainder(of: sharedInitialVersions, and: names)
        }
        return key
    }

    /// The resources that the client lacks, and the names that it is to remove. Those that it is to remove later go into
    /// ``pendingRemovals``.
    private func changes(_ set: LayeredSet) -> (resources: [EncodedResource], removed: [String]) {
        var resources: [EncodedResource] = []
        var removed: [String] = []
        for name in withNacked(candidates(set), set).sorted() {
            let isResend = resend.contains(name) || nackedNames.contains(name) || (resendsAll && wants(name))
            let had = initialVersions[name] != nil || known?[name] != nil
            guard let resource = set[name] else {
                if type.isNeverRemoved && had && !resend.contains(name) { continue }
                if type == .virtualHost && isResend && !had {
                    resources.append(EncodedResource(absentVirtualHost: name))
                    continue
                }
                // A client that asks for a name that it had told us of waits for nothing; any other that asks does.
                if had && type.isRemovedLast && (!resend.contains(name) || initialVersions[name] != nil) {
                    pendingRemovals[name] = PendingRemoval(known?[name])
                } else if had || isResend {
                    removed.append(name)
                    pendingRemovals[name] = nil
                }
                continue
            }
            let old = known?[name] ?? pendingRemovals[name]?.resource
            pendingRemovals[name] = nil
            if initialVersions[name] == resource.version { continue }
            if isResend || old?.version != resource.version { resources.append(resource) }
        }
        return (resources, removed)
    }

    /// The content of a response that has everything that is wanted, every time.
    private func fullContent(_ set: LayeredSet, _ cache: ResponseCache? = nil) -> Content {
        var isNeeded = isAwaited
        if let cache, isShareable(set) {
            let shared = cache.entry(key(set)) {
                let isChange = hasChanged(set)
                return ResponseCache.Entry(pendingRemovals: pendingRemovals, isChange: isChange)
            }
            pendingRemovals = shared.pendingRemovals
            isNeeded = isNeeded || shared.isChange
        } else if hasChanged(set) {
            isNeeded = true
        }
        for name in Array(pendingRemovals.keys) where set[name] != nil || !wants(name) { pendingRemovals[name] = nil }
        let lingering = pendingRemovals.values.compactMap(\.resource).sorted { $0.name < $1.name }
        if isWildcard { return Content(resources: .everything(set, and: lingering), isNeeded: isNeeded) }
        return Content(
            resources: .some(names.names.sorted().compactMap { set[$0] } + lingering), isNeeded: isNeeded)
    }

    /// Whether anything that is wanted differs from what was sent last. What is to be left out later goes into
    /// ``pendingRemovals``.
    private func hasChanged(_ set: LayeredSet) -> Bool {
        var isChange = false
        for name in known.map({ set.changes(since: $0) }) ?? [] where wants(name) {
            let old = known?[name] ?? pendingRemovals[name]?.resource
            if set[name] == nil, type.isRemovedLast, let old {
                pendingRemovals[name] = .sent(old)
            } else if set[name]?.version != old?.version {
                isChange = true
            }
        }
        return isChange
    }

    /// The content of a response that has what changed of what is wanted: what it leaves out stays as it is.
    private func partialContent(_ set: LayeredSet) -> Content {
        // The first answer to a client that wants all there is shares its bytes with all others of its kind.
        if known == nil && resendsAll && nackedNames.isEmpty && (isWildcard || set.isCovered(by: names)) {
            return Content(resources: .everything(set, and: []), isNeeded: !set.isEmpty)
        }
        let resources = withNacked(candidates(set), set).sorted().compactMap { name -> EncodedResource? in
            guard let resource = set[name] else { return nil }
            let isResend = resendsAll || resend.contains(name) || nackedNames.contains(name)
            return isResend || known?[name]?.version != resource.version ? resource : nil
        }
        return Content(resources: .some(resources), isNeeded: !resources.isEmpty)
    }

    /// The candidates, with all that was refused if some of it has changed, and without if not: what was refused together is
    /// tried again together, since the client may lack all of it.
    private func withNacked(_ candidates: Set<String>, _ set: LayeredSet) -> Set<String> {
        let isRetry = nackedNames.contains {
            candidates.contains($0) && (resendsAll || resend.contains($0) || known?[$0]?.version != set[$0]?.version)
        }
        return isRetry ? candidates.union(nackedNames) : candidates.subtracting(nackedNames)
    }

    /// Names that a response may have to say something about.
    private func candidates(_ set: LayeredSet) -> Set<String> {
        var candidates = resend
        let initialVersions = initialVersions
        // What a client that comes back says that it has is mostly what there is. Nothing is to be said of that, and to leave it
        // out here is much less work than to go through all of it in order.
        func isRight(_ name: String, _ resource: EncodedResource?) -> Bool {
            guard pendingRemovals.isEmpty, !initialVersions.isEmpty, let version = resource?.version else {
                return false
            }
            return initialVersions[name] == version
        }
        for name in initialVersions.keys where wants(name) && !isRight(name, set[name]) { candidates.insert(name) }
        if resendsAll || known == nil {
            for name in names.names where !isRight(name, set[name]) { candidates.insert(name) }
            if isWildcard { candidates.formUnion(set.names { !isRight($0.name, $0) }) }
        }
        if let known { candidates.formUnion(set.changes(since: known).filter(wants)) }
        return candidates
    }
}
