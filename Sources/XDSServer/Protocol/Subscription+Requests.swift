/// The requests that a subscription takes: what a client wants, and what it thinks of what it was sent.
extension Subscription {
    /// Takes a request of this type.
    func receive(_ request: DiscoveryRequest, sharing table: NameTable) {
        let verdict = delivery.takeAnswer(in: request)
        // Whoever refuses to keep resources has yet to be sent them.
        if case .lost(let names) = verdict { debts.resends.add(names.filter(interest.wants)) }
        switch request.names {
        case .all(let names):
            let demand = interest.replace(
                with: names, of: type,
                isStale: verdict == .none && !request.nonce.isEmpty && interest.isStated,
                isRepeated: verdict == .repeated && request.nack == nil, sharing: table)
            debts.add(demand)
            debts.resends.keep(where: interest.wants)
        case .change(let subscribe, let unsubscribe, let initialVersions):
            if !interest.isStated { begin(with: initialVersions, isForAll: subscribe.isEmpty && unsubscribe.isEmpty) }
            if !subscribe.isEmpty { self.subscribe(to: subscribe, sharing: table) }
            if !unsubscribe.isEmpty { self.unsubscribe(from: unsubscribe) }
        }
        interest.isStated = true
        clearNack(unless: interest.wants)
    }

    /// Forgets refusals of resources that are none any more.
    func clearNack(unless isRefused: (String) -> Bool) {
        let removals = delivery.clearNack(unless: isRefused)
        if variant == .delta && !removals.isEmpty { debts.resends.add(removals) }
    }

    // MARK: Delta: a request has what changed, and that counts whatever response it is about

    /// - Parameter isForAll: the first request names nothing, which means everything, as before wildcards had a name.
    private func begin(with initialVersions: VersionList, isForAll: Bool) {
        debts.initialVersions = InitialVersions(initialVersions)
        // That it has been told of no such host is nothing that it has.
        if type == .virtualHost { debts.initialVersions.remove(EncodedResource.absentVersion) }
        if type.isFullState && isForAll { interest.addWildcard() }
        debts.add(Interest.Demand(isForAll: true, isAwaited: true))
    }

    private func subscribe(to wanted: NameList, sharing table: NameTable) {
        debts.owesResponse = true
        if wanted.contains("*") {
            // What it did not want until now it does not have.
            if !interest.isWildcard { delivery.forget(allBut: interest.names.names) }
            interest.addWildcard()
            debts.resendsAll = true
        }
        let names = wanted.withoutWildcard
        interest.add(names, sharing: table)
        // The first request has everything sent anyway.
        guard interest.isStated else { return }
        for name in names.strings { debts.renew(name) }
    }

    private func unsubscribe(from names: NameList) {
        for name in names.strings {
            if name == "*" {
                interest.removeWildcard()
            } else if interest.remove(name) {
                // The client drops it, so what it said of it is void; and if the wildcard still covers it, it must be told again.
                debts.renew(name)
            }
        }
        if !interest.isWildcard { debts.drop(allBut: interest.wants) }
    }
}
