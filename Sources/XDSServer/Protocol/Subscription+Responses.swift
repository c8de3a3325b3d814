/// The responses that a subscription makes.
extension Subscription {
    /// The next response, if one is needed; removals of clusters and endpoints wait for ``remove(keeping:revision:nonce:)``.
    func respond(
        _ set: LayeredSet, revision: Int64, nonce: @autoclosure () -> String, sharing cache: ResponseCache
    ) -> DiscoveryResponse? {
        guard !delivery.isInFlight, debts.isAwaited || !delivery.isLastSent(set) else { return nil }
        // Where nothing is said of what is gone, no acceptance will ever follow.
        let isSilent = variant == .stateOfTheWorld ? !type.isFullState : type.isNeverRemoved
        if isSilent { clearNack { set[$0] != nil } }
        // Those that the client says it has it may not be sent.
        if !debts.initialVersions.isEmpty { debts.dueHeartbeats.formUnion(set.expiring.names) }
        delivery.keepReplaced(by: set, where: interest.wants)
        let content =
            variant == .delta
            ? deltaContent(set, cache) : type.isFullState ? fullContent(set, cache) : partialContent(set)
        let isOwed = debts.owesResponse
        delivery.advance(to: set)
        debts.clear()
        // An empty response says nothing in state of the world, except of types where it says that there is nothing.
        guard content.isNeeded || (isOwed && (variant == .delta || type.isFullState)) else { return nil }
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
        guard !delivery.isInFlight, !debts.isAwaited, let known = delivery.lastSent, hasPendingRemovals else {
            return nil
        }
        let released = debts.pendingRemovals.keys.filter { name in kept.allSatisfy { $0[name] == nil } }
        for name in released {
            debts.pendingRemovals[name] = nil
            debts.initialVersions.set(nil, of: name)
        }
        let gone = released.filter(interest.wants).sorted()
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
        debts.dueHeartbeats.formUnion(delivery.lastSent?.expiring.names ?? [])
        debts.dueHeartbeats.formUnion(delivery.kept.keys)
    }

    /// A response that only has the client keep resources with a time to live, when there is nothing else to say.
    func heartbeat(nonce: @autoclosure () -> String) -> DiscoveryResponse? {
        guard !debts.dueHeartbeats.isEmpty, !delivery.isInFlight, !debts.isAwaited, let known = delivery.lastSent else {
            return nil
        }
        // In state of the world who refused some of it refuses it once more, and keeps what it has.
        let held = debts.dueHeartbeats.filter(interest.wants).sorted()
            .compactMap { variant == .delta && delivery.nackedNames.contains($0) ? delivery.kept[$0] : known[$0] }
            .filter { $0.ttl != nil }
        debts.dueHeartbeats = []
        guard !held.isEmpty else { return nil }
        var response = DiscoveryResponse(type: type, version: known.version, nonce: nonce(), resources: .some(held))
        if variant == .delta {
            response.isHeartbeat = true
        } else if type.isFullState {
            // A response without bodies would mean to Envoy's client that there are no listeners or clusters any more, as it
            // sets heartbeats aside and takes what is left for everything there is. So all is sent again.
            response.resources = fullContent(known).resources
        }
        return sent(response, delivery.sentRevision)
    }

    private func sent(_ response: DiscoveryResponse, _ revision: Int64) -> DiscoveryResponse {
        delivery.send(response, of: revision)
        if !debts.dueHeartbeats.isEmpty {
            debts.dueHeartbeats =
                response.isComplete ? [] : debts.dueHeartbeats.subtracting(response.resourceNames)
        }
        return response
    }
}
