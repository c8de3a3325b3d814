/// The requests that a subscription takes: what a client wants, and what it thinks of what it was sent.
extension Subscription {
    /// Takes a request of this type.
    func receive(_ request: DiscoveryRequest, sharing table: NameTable) {
        switch request.names {
        case .all(let names): receive(all: names, request, table)
        case .change(let subscribe, let unsubscribe, let has):
            settle(request)
            change(subscribe: subscribe, unsubscribe: unsubscribe, has: has, table)
        }
        wasAsked = true
        clearNack(unless: wants)
    }

    /// Takes note of an ACK or NACK.
    ///
    /// - Returns: whether the request is about the last response. An older one is superseded.
    @discardableResult
    private func settle(_ request: DiscoveryRequest) -> Bool {
        guard !request.nonce.isEmpty, request.nonce == lastNonce else { return false }
        guard let response = inFlight.take() else { return true }
        if response.isHeartbeat {
            // Whoever refuses one does not have what it was to keep.
            if request.nack != nil {
                resend.formUnion(response.names.filter(wants).filter { !nackedNames.contains($0) })
            }
            return true
        }
        defer { replaced = [:] }
        if let message = request.nack.map(Complaint.readable) {
            let mentioned = response.names(mentionedIn: message)
            let broken = mentioned.isEmpty ? response.names : mentioned
            nackedNames.formUnion(broken)
            kept.merge(replaced.filter { broken.contains($0.key) }) { older, _ in older }
            // Of several that it does not name, any may be meant.
            let isKnown = !mentioned.isEmpty || broken.count == 1
            nack = Nack(
                revision: sentRevision, message: Complaint.text(message), version: lastVersion,
                names: isKnown ? Array(broken.sorted().prefix(Nack.maxNames)) : [])
            return true
        }
        ackedVersion = lastVersion
        // A response about something else does not undo a refusal: the client still lacks what it refused.
        let isComplete = response.isComplete || (variant == .stateOfTheWorld && type.isFullState)
        if isComplete { nackedNames = [] }
        if !nackedNames.isEmpty { nackedNames.subtract(response.names) }
        if nackedNames.isEmpty { nack = nil }
        if !kept.isEmpty { kept = kept.filter { nackedNames.contains($0.key) } }
        return true
    }

    /// Forgets refusals of resources that the client does not want any more.
    func clearNack(unless isRefused: (String) -> Bool) {
        guard !nackedNames.isEmpty else { return }
        let left = nackedNames.filter(isRefused)
        // If only removals are left, what was wrong is not among them: the client can be told again.
        let isHarmless = left.count < nackedNames.count && left.allSatisfy { known?[$0] == nil }
        if variant == .delta && isHarmless { resend.formUnion(left.subtracting(inFlight?.names ?? [])) }
        nackedNames = left
        if nackedNames.isEmpty { nack = nil }
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
            (owesResponse, resendsAll) = (true, true)
        } else if type.isFullState {
            if after != before || wasWildcard != isWildcard || hasDroppedAll {
                (owesResponse, resendsAll) = (true, true)
            }
        } else if isWildcard && (!wasWildcard || hasDroppedAll) {
            resendsAll = true
        } else if after != before {
            resend.formUnion(after.names.subtracting(before.names))
        } else if isAnswer && !wasInFlight && request.nack == nil {
            // The same once more, although nothing is under way: Envoy asks again for endpoints of a cluster that warms.
            resendsAll = true
        }
        resend.formUnion(dropped)
        if !resend.isEmpty { resend = resend.filter(wants) }
        (dropped, hasDroppedAll) = ([], false)
    }

    /// Delta: the request has what changed, and that counts whatever response the request is about.
    private func change(
        subscribe: NameList, unsubscribe: NameList, has: VersionList, _ table: NameTable
    ) {
        if !wasAsked {
            owesResponse = true
            if !has.isEmpty { sharedInitialVersions = has }
            // That it has been told of no such host is nothing that it has.
            if type == .virtualHost {
                initialVersions = initialVersions.filter { $0.value != EncodedResource.absentVersion }
            }
            // Nothing at all in the first request means everything, as before wildcards had a name.
            if type.isFullState && subscribe.isEmpty && unsubscribe.isEmpty { isWildcard = true }
            resendsAll = true
        }
        if !subscribe.isEmpty { self.subscribe(subscribe, table) }
        for name in unsubscribe.strings {
            if name == "*" {
                isWildcard = false
            } else if names.remove(name) {
                resend.remove(name)
                // The client drops it, so what it said of it is void.
                initialVersions[name] = nil
                // Still wanted by the wildcard: the client forgets the name and must be told what it is.
                if isWildcard { resend.insert(name) }
            }
        }
        if !isWildcard && !unsubscribe.isEmpty {
            // Whoever does not want it has dropped it.
            resend.formIntersection(names.names)
            pendingRemovals = pendingRemovals.filter { names.contains($0.key) }
            initialVersions = initialVersions.filter { names.contains($0.key) }
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
            (isWildcard, resendsAll) = (true, true)
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
            resend.insert(name)
            // What it said of the name before it asked again is void.
            initialVersions[name] = nil
        }
    }

    private func add(_ more: [String], _ table: NameTable) {
        // Set aside, a set has to be copied when more is added. For a client that adds thousands of names one by one that
        // would be more work than it sends, so it has a set of its own from then on.
        let maxCopied = 2_000_000
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
}
