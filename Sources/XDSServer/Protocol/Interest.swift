/// The resources of one type that a client wants: all of them (the wildcard), names, both, or nothing.
struct Interest {
    /// The client wants all resources of the type.
    private(set) var isWildcard = false
    /// The names that the client wants, beside the wildcard or without it. Streams that want the same share one set
    /// (``NameTable``).
    private(set) var names = NameSet()
    /// The client has sent a request of this type.
    var isStated = false
    /// State of the world: the client has given names at some time. From then on no names mean nothing, not everything.
    private var hadNames = false
    /// State of the world: names that were missing in requests which were ignored otherwise because their nonce was stale. The
    /// client has dropped these resources, and needs them anew if it asks again.
    private var dropped: Set<String> = []
    /// State of the world: as ``dropped``, the wildcard.
    private var hasDroppedAll = false
    /// How many names were copied so far because more were added to a shared set.
    private var copiedNames = 0

    /// The resources that a request has the server send, whether they changed or not.
    struct Demand: Equatable {
        /// Everything that the client wants.
        var isForAll = false
        /// The client waits for a response even if there is nothing to put into it.
        var isAwaited = false
        var names: Set<String> = []
    }

    func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }

    /// Whether the client wants all of `set`, and nothing that is not in it.
    func isExactly(_ set: LayeredSet) -> Bool {
        isWildcard ? names.count == 0 : names.count == set.count && set.isCovered(by: names)
    }

    // MARK: State of the world: a request has all names

    /// Takes the names of a request.
    ///
    /// - Parameters:
    ///   - isStale: the request answers an older response, so it says what the client wanted then; it will say it again. But
    ///     what it left out it has dropped.
    ///   - isRepeated: the request accepts a response that was accepted already. If the names are the same as before, the client
    ///     asks for the resources once more, as Envoy does for endpoints of a cluster that warms.
    mutating func replace(
        with wanted: NameList, of type: ResourceType, isStale: Bool, isRepeated: Bool, sharing table: NameTable
    ) -> Demand {
        let wantsAll = wanted.contains("*") || (type.isFullState && wanted.isEmpty && !hadNames)
        let after = table.set(of: wanted.withoutWildcard)
        if !wanted.isEmpty { hadNames = true }
        if isStale {
            dropped.formUnion(names.names.subtracting(after.names))
            hasDroppedAll = hasDroppedAll || (isWildcard && !wantsAll)
            return Demand()
        }
        let (before, wasWildcard) = (names, isWildcard)
        isWildcard = wantsAll
        if after != before { names = after }
        var demand = Demand()
        if !isStated {
            demand = Demand(isForAll: true, isAwaited: true)
        } else if type.isFullState {
            let isChange = after != before || wasWildcard != isWildcard || hasDroppedAll
            demand = Demand(isForAll: isChange, isAwaited: isChange)
        } else if isWildcard && (!wasWildcard || hasDroppedAll) {
            demand.isForAll = true
        } else if after != before {
            demand.names = after.names.subtracting(before.names)
        } else if isRepeated {
            demand.isForAll = true
        }
        if !dropped.isEmpty { demand.names.formUnion(dropped.filter(wants)) }
        (dropped, hasDroppedAll) = ([], false)
        return demand
    }

    // MARK: Delta: a request has what changed

    mutating func addWildcard() { isWildcard = true }

    mutating func removeWildcard() { isWildcard = false }

    /// Adds names, of which none is the wildcard.
    mutating func add(_ more: NameList, sharing table: NameTable) {
        guard names.count > 0 else {
            names = table.set(of: more)
            return
        }
        let more = more.strings
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

    /// - Returns: whether the client wanted the name.
    mutating func remove(_ name: String) -> Bool { names.remove(name) }
}
