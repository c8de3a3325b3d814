/// One resource type on one stream: what the client wants, what it has, and what it has yet to be told. No I/O, no clock.
///
/// Sources: "xDS REST and gRPC protocol" (ACK and NACK, resource warming, incremental xDS), and Envoy's behaviour where
/// the text leaves room.
///
/// Collections by glob (`xdstp://…/*`, xRFC TP1) are names like any others, under which there is nothing: Envoy asks for them
/// only if its bootstrap says so, and gRPC has no use for collections (gRFC A47).
///
/// Its state is changed by its own files only: by what clients say and by what they are told.
final class Subscription {
    let type: ResourceType
    let variant: Variant
    var interest = Interest()
    var delivery: Delivery
    var debts = Debts()

    init(_ type: ResourceType, _ variant: Variant) {
        self.type = type
        self.variant = variant
        delivery = Delivery(isFullState: variant == .stateOfTheWorld && type.isFullState)
    }

    // MARK: Sending again

    /// Has the server send a resource again although it did not change. Delta only.
    func markForResend(_ name: String) {
        // What the client said it has when it came is no reason not to send it, nor is that it was not yet told to remove it;
        // but it is still to be told when it is gone.
        debts.initialVersions.set("", of: name)
        if debts.pendingRemovals[name] != nil { debts.pendingRemovals[name] = .claimed }
        if canBeResent(name) { debts.resends.add(name) }
    }

    /// Has the server send resources again, as it does to other clients.
    func markForResend(_ names: NameSet) {
        if delivery.lastSent != nil && debts.initialVersions.isEmpty && debts.pendingRemovals.isEmpty {
            debts.resends.add(shared: names, where: canBeResent)
        } else {
            for name in names.names { markForResend(name) }
        }
    }

    func canBeResent(_ name: String) -> Bool {
        guard let known = delivery.lastSent else { return false }
        return interest.names.contains(name) || (interest.isWildcard && known[name] != nil)
    }

    /// The names of all resources that the client wants and may have.
    func held() -> Set<String> {
        guard interest.isWildcard else { return interest.names.names }
        return interest.names.names.union(delivery.lastSent?.names ?? []).union(debts.initialVersions.expand().keys)
    }

    // MARK: Where it stands

    /// See ``TypeReport/lacking``.
    var lacking: [String]? {
        let names = delivery.nackedNames
        return names.count > TypeReport.maxLacking ? nil : names.sorted()
    }

    /// Nothing is to be sent, nothing is on its way, and nothing was refused.
    func isSettled(on set: LayeredSet) -> Bool {
        !delivery.isInFlight && delivery.nack == nil && !debts.isAwaited && debts.pendingRemovals.isEmpty
            && (delivery.lastSent.map { $0.hasSameContent(as: set) } ?? false)
    }

    /// Whether ``respond(_:revision:nonce:sharing:)`` has nothing left to say but removals.
    func isUpToDate(with set: LayeredSet) -> Bool {
        !delivery.isInFlight && !debts.isAwaited && delivery.isLastSent(set)
    }

    /// Whether anything has yet to be removed, if it does not come back.
    var hasPendingRemovals: Bool { !debts.pendingRemovals.isEmpty }

    /// Whether something that is in none of the sets has yet to be removed.
    func hasRemovals(to kept: [LayeredSet]) -> Bool {
        debts.pendingRemovals.keys.contains { name in kept.allSatisfy { $0[name] == nil } }
    }
}
