/// What clients are told.
extension Subscription {
    /// The next response, if one is needed; removals of clusters and endpoints wait for ``remove(keeping:revision:nonce:)``.
    func respond(
        _ set: LayeredSet, revision: Int64, nonce: @autoclosure () -> String, sharing answers: SharedAnswers
    ) -> DiscoveryAnswer? {
        guard !isInFlight, isUrgent || !isKnown(set) else { return nil }
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
        keeping kept: [LayeredSet], revision: Int64, nonce: @autoclosure () -> String
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
    private func noteLasting(_ set: LayeredSet) {
        if hasHints { due.formUnion(set.lasting.names) }
        guard let known, known.lasting.shortest != nil else { return }
        // What it refused it does not have.
        let old = set.changes(since: known).filter { wants($0) && !refused.contains($0) }.compactMap { known[$0] }
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

    private func deltaContent(_ set: LayeredSet, _ answers: SharedAnswers) -> Content {
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
        // Whoever comes back has mostly all there is.
        if known == nil, let offered, wantsJust(set), set.isAll(of: offered) {
            return Content(resources: .some([]), isNeeded: false)
        }
        let offer = offered?.count ?? 0
        let answer = answers.answer(key(set)) {
            let (resources, removed) = changes(set)
            // The fingerprint of a list that names something twice does not say which of the two counts.
            let isPrivate = known == nil && hints.count != offer
            return SharedAnswers.Answer(
                resources: resources, removed: removed, leaving: leaving, isPrivate: isPrivate)
        }
        leaving = answer.leaving
        return Content(
            resources: .some(answer.resources), removed: answer.removed, names: answer.names,
            isNeeded: !answer.resources.isEmpty || !answer.removed.isEmpty)
    }

    /// Whether the client wants all that there is, and nothing that there is not.
    private func wantsJust(_ set: LayeredSet) -> Bool {
        isWildcard ? names.count == 0 : names.count == set.count && set.isCovered(by: names)
    }

    /// Whether an answer from `set` depends on nothing but its ``key(_:)``, and is worth being looked up.
    private func isShareable(_ set: LayeredSet) -> Bool {
        guard forcedNames.isEmpty, refused.isEmpty, leaving.isEmpty, lookedAt.isEmpty else { return false }
        guard let known else { return offered != nil }
        return !forcesAll && offered == nil
            && (children?.count ?? 0) + set.changes(since: known).count >= SharedAnswers.minimum
    }

    private func key(_ set: LayeredSet) -> SharedAnswers.Key {
        var key = SharedAnswers.Key(
            variant: variant, type: type, isWildcard: isWildcard, names: names.fingerprint,
            forced: children?.fingerprint ?? .init(), has: .init(), isFirst: known == nil, old: [], new: [])
        if let known {
            (key.old, key.new) = set.difference(from: known, and: children)
        } else if let offered {
            (key.has, key.new) = set.remainder(of: offered, and: names)
        }
        return key
    }

    /// What the client lacks, and what it is to remove; notes in ``leaving`` what it is to remove later.
    private func changes(_ set: LayeredSet) -> (resources: [EncodedResource], removed: [String]) {
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
    private func fullContent(_ set: LayeredSet, _ answers: SharedAnswers? = nil) -> Content {
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
    private func hasChanged(_ set: LayeredSet) -> Bool {
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
    private func partialContent(_ set: LayeredSet) -> Content {
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
    private func withRefused(_ candidates: Set<String>, _ set: LayeredSet) -> Set<String> {
        let isRetry = refused.contains {
            candidates.contains($0) && (forcesAll || forced.contains($0) || known?[$0]?.version != set[$0]?.version)
        }
        return isRetry ? candidates.union(refused) : candidates.subtracting(refused)
    }

    /// Names that a response may have to say something about.
    private func candidates(_ set: LayeredSet) -> Set<String> {
        var candidates = forced
        let hints = hints
        // What a client that comes back says that it has is mostly what there is. Nothing is to be said of that, and to leave it
        // out here is much less work than to go through all of it in order.
        func isRight(_ name: String, _ resource: EncodedResource?) -> Bool {
            guard leaving.isEmpty, !hints.isEmpty, let version = resource?.version else { return false }
            return hints[name] == version
        }
        for name in hints.keys where wants(name) && !isRight(name, set[name]) { candidates.insert(name) }
        if forcesAll || known == nil {
            for name in names.names where !isRight(name, set[name]) { candidates.insert(name) }
            if isWildcard { candidates.formUnion(set.names { !isRight($0.name, $0) }) }
        }
        if let known { candidates.formUnion(set.changes(since: known).filter(wants)) }
        return candidates
    }
}
