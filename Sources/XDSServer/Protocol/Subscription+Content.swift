/// The contents of responses: everything, what other clients are sent too, or what this client lacks.
extension Subscription {
    struct Content {
        var resources: DiscoveryResponse.Resources
        var removed: [String] = []
        /// The names of the resources, if they are shared with other clients.
        var names: NameSet?
        /// The client has to be told, even if it does not wait for a response.
        var isNeeded: Bool
    }

    // MARK: Delta

    /// The content of a delta response: what the client lacks, and the names that it is to remove.
    func deltaContent(_ set: LayeredSet, _ cache: ResponseCache) -> Content {
        if isFirst(set) && debts.initialVersions.isEmpty && debts.pendingRemovals.isEmpty && type != .virtualHost {
            let isExact = !interest.isWildcard && interest.names.count == set.count
            // A name that was given up beside a wildcard is still to be answered.
            let unknown =
                isExact ? [] : interest.names.names.union(debts.resends.names).filter { set[$0] == nil }.sorted()
            return Content(
                resources: .everything(set, and: []), removed: unknown, isNeeded: !set.isEmpty || !unknown.isEmpty)
        }
        guard isShareable(set) else {
            let (resources, removed) = changes(set)
            return Content(
                resources: .some(resources), removed: removed, isNeeded: !resources.isEmpty || !removed.isEmpty)
        }
        let initialVersions = debts.initialVersions.list
        // Whoever comes back has mostly all there is.
        if delivery.lastSent == nil, let initialVersions, interest.isExactly(set), set.isExactly(initialVersions) {
            return Content(resources: .some([]), isNeeded: false)
        }
        let shared = cache.entry(key(set)) {
            let (resources, removed) = changes(set)
            // The fingerprint of a list that names something twice does not say which of the two counts.
            let isPrivate = initialVersions.map { $0.count != debts.initialVersions.expand().count } ?? false
            return ResponseCache.Entry(
                resources: resources, removed: removed, pendingRemovals: debts.pendingRemovals, isPrivate: isPrivate)
        }
        debts.pendingRemovals = shared.pendingRemovals
        return Content(
            resources: .some(shared.resources), removed: shared.removed, names: shared.names,
            isNeeded: !shared.resources.isEmpty || !shared.removed.isEmpty)
    }

    /// The resources that the client lacks, and the names that it is to remove now. Those that it is to remove later become
    /// ``Debts/pendingRemovals``.
    private func changes(_ set: LayeredSet) -> (resources: [EncodedResource], removed: [String]) {
        let comparison = comparison(with: set)
        var resources: [EncodedResource] = []
        var removed: [String] = []
        for name in comparison.names {
            guard let resource = set[name] else {
                let (has, isAsked) = (comparison.has(name), comparison.resends.contains(name))
                if type.isNeverRemoved && has && !isAsked { continue }
                if type == .virtualHost && comparison.isSentAnyway(name) && !has {
                    resources.append(EncodedResource(absentVirtualHost: name))
                    continue
                }
                // A client that asks for a name that it had told us of waits for nothing; any other that asks does.
                if has && type.isRemovedLast && (!isAsked || comparison.initialVersions[name] != nil) {
                    debts.pendingRemovals[name] = Debts.PendingRemoval(comparison.known?[name])
                } else if has || comparison.isSentAnyway(name) {
                    removed.append(name)
                    debts.pendingRemovals[name] = nil
                }
                continue
            }
            let old = comparison.known?[name] ?? debts.pendingRemovals[name]?.resource
            debts.pendingRemovals[name] = nil
            if comparison.initialVersions[name] == resource.version { continue }
            if comparison.isSentAnyway(name) || old?.version != resource.version { resources.append(resource) }
        }
        return (resources, removed)
    }

    // MARK: State of the world

    /// The content of a response that has everything that is wanted, every time.
    func fullContent(_ set: LayeredSet, _ cache: ResponseCache? = nil) -> Content {
        var isNeeded = debts.isAwaited
        if let cache, isShareable(set) {
            let shared = cache.entry(key(set)) {
                let isChange = hasChanged(set)
                return ResponseCache.Entry(pendingRemovals: debts.pendingRemovals, isChange: isChange)
            }
            debts.pendingRemovals = shared.pendingRemovals
            isNeeded = isNeeded || shared.isChange
        } else if hasChanged(set) {
            isNeeded = true
        }
        if !debts.pendingRemovals.isEmpty {
            debts.pendingRemovals = debts.pendingRemovals.filter { set[$0.key] == nil && interest.wants($0.key) }
        }
        let lingering = debts.pendingRemovals.values.compactMap(\.resource).sorted { $0.name < $1.name }
        if interest.isWildcard { return Content(resources: .everything(set, and: lingering), isNeeded: isNeeded) }
        let wanted = interest.names.names.sorted().compactMap { set[$0] }
        return Content(resources: .some(wanted + lingering), isNeeded: isNeeded)
    }

    /// Whether anything that is wanted differs from what was sent last. What is to be left out later becomes a part of
    /// ``Debts/pendingRemovals``.
    private func hasChanged(_ set: LayeredSet) -> Bool {
        guard let known = delivery.lastSent else { return false }
        var isChange = false
        for name in set.changedNames(since: known) where interest.wants(name) {
            let old = known[name] ?? debts.pendingRemovals[name]?.resource
            if set[name] == nil, type.isRemovedLast, let old {
                debts.pendingRemovals[name] = .sent(old)
            } else if set[name]?.version != old?.version {
                isChange = true
            }
        }
        return isChange
    }

    /// The content of a response that has what changed of what is wanted: what it leaves out stays as it is.
    func partialContent(_ set: LayeredSet) -> Content {
        if isFirst(set) && delivery.nackedNames.isEmpty {
            return Content(resources: .everything(set, and: []), isNeeded: !set.isEmpty)
        }
        let comparison = comparison(with: set)
        let resources = comparison.names.compactMap { name in
            comparison.isSentAnyway(name) || comparison.hasChanged(name) ? set[name] : nil
        }
        return Content(resources: .some(resources), isNeeded: !resources.isEmpty)
    }

    // MARK: What is shared, and what is not

    /// Whether the client has nothing and wants all there is, as a proxy mostly does that connects: it is sent bytes that are
    /// assembled once for all of them.
    private func isFirst(_ set: LayeredSet) -> Bool {
        debts.resendsAll && delivery.lastSent == nil && (interest.isWildcard || set.isCovered(by: interest.names))
    }

    /// Whether a response from `set` depends on nothing but its ``key(_:)``, and is worth being looked up.
    private func isShareable(_ set: LayeredSet) -> Bool {
        guard debts.resends.names.isEmpty, delivery.nackedNames.isEmpty, debts.pendingRemovals.isEmpty,
            !debts.initialVersions.isExpanded
        else { return false }
        guard let known = delivery.lastSent else { return debts.initialVersions.list != nil }
        return !debts.resendsAll && debts.initialVersions.isEmpty
            && (debts.resends.shared?.count ?? 0) + set.changedNames(since: known).count >= ResponseCache.minimum
    }

    private func key(_ set: LayeredSet) -> ResponseCache.Key {
        let known = delivery.lastSent
        let shared = debts.resends.shared
        var key = ResponseCache.Key(
            variant: variant, type: type, isWildcard: interest.isWildcard, names: interest.names.fingerprint,
            resend: shared?.fingerprint ?? .init(), has: .init(), isFirst: known == nil, old: [], new: [])
        if let known {
            (key.old, key.new) = set.difference(from: known, and: shared)
        } else if let initialVersions = debts.initialVersions.list {
            (key.has, key.new) = set.remainder(of: initialVersions, and: interest.names)
        }
        return key
    }

    private func comparison(with set: LayeredSet) -> Comparison {
        Comparison(
            interest: interest, known: delivery.lastSent, set: set,
            resends: debts.resends.expand(where: canBeResent), resendsAll: debts.resendsAll,
            initialVersions: debts.initialVersions.expand(), nacked: delivery.nackedNames,
            hasPendingRemovals: !debts.pendingRemovals.isEmpty)
    }
}
