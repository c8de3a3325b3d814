/// A comparison, name by name, of the resources of one type that there are with those that a client wants and has.
///
/// It is made when a response cannot be taken as a whole or from another client, and belongs to that client alone.
struct Comparison {
    let interest: Interest
    /// The set that was sent last; `nil`: none was.
    let known: LayeredSet?
    /// The set that there is now.
    let set: LayeredSet
    /// Names whose resources are to be sent, whether the client has them or not.
    let resends: Set<String>
    /// Everything that the client wants is to be sent, whether it has it or not.
    let resendsAll: Bool
    /// The versions that the client says it has, by name.
    let initialVersions: [String: String]
    /// Names of resources that the client lacks because it refused them.
    let nacked: Set<String>
    /// Some of the resources that are gone have yet to be removed.
    let hasPendingRemovals: Bool

    /// The names that a response may have to say something about, in order.
    ///
    /// All that was refused is among them if some of it has changed, and none of it if not: what was refused together is tried again
    /// together, since the client may lack all of it.
    var names: [String] {
        let candidates = candidates
        let isRetry = nacked.contains { candidates.contains($0) && (isDemanded($0) || hasChanged($0)) }
        return (isRetry ? candidates.union(nacked) : candidates.subtracting(nacked)).sorted()
    }

    /// Whether the client is to be sent a resource even if it has it.
    func isSentAnyway(_ name: String) -> Bool { isDemanded(name) || nacked.contains(name) }

    /// Whether the client was sent the resource, or says that it has it.
    func has(_ name: String) -> Bool { initialVersions[name] != nil || known?[name] != nil }

    func hasChanged(_ name: String) -> Bool { known?[name]?.version != set[name]?.version }

    private func isDemanded(_ name: String) -> Bool {
        resends.contains(name) || (resendsAll && interest.wants(name))
    }

    private var candidates: Set<String> {
        var candidates = resends
        for name in initialVersions.keys where interest.wants(name) && !isRight(name, set[name]) {
            candidates.insert(name)
        }
        if resendsAll || known == nil {
            for name in interest.names.names where !isRight(name, set[name]) { candidates.insert(name) }
            if interest.isWildcard { candidates.formUnion(set.names { !isRight($0.name, $0) }) }
        }
        if let known { candidates.formUnion(set.changedNames(since: known).filter(interest.wants)) }
        return candidates
    }

    /// Whether the client says that it has the resource as it is. What a client that comes back says is mostly right, nothing is to be
    /// said of that, and to leave it out here is much less work than to go through all of it in order.
    private func isRight(_ name: String, _ resource: EncodedResource?) -> Bool {
        guard !hasPendingRemovals, !initialVersions.isEmpty, let version = resource?.version else { return false }
        return initialVersions[name] == version
    }
}
