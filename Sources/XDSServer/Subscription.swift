/// What one stream knows of one resource type: what the client wants, what it has, and what is on its way. No I/O, no
/// clock.
///
/// What the client has is not kept name by name: it is the list of layers that was sent last, restricted to what the client
/// wants. So a stream costs what it wants, not what the mesh has, and of a change only the layers that are other ones.
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
    var isWildcard = false
    /// Wanted by name. Shared with other streams that want the same (``NameTable``).
    var names = NameSet()
    /// Sent last; with `nil` nothing was.
    var known: LayeredSet?
    /// The nonce of the last response; empty: there was none.
    var lastNonce = ""
    var lastVersion = ""
    var ackedVersion = ""
    /// The last response, until it is accepted or refused.
    var inFlight: DiscoveryAnswer?
    /// What was refused, until a response that replaces it is accepted.
    var rejection: Rejection?

    struct Rejection: Equatable {
        var revision: Int64
        var message: String
        /// Of the refused response.
        var version = ""
        /// The names that the client complained of, as far as it named them; sorted, and at most ``maxNames``.
        var names: [String] = []

        static let maxNames = 20
    }

    /// What of the refused responses the client lacks: the names that it complained of, or all if it named none.
    var refused: Set<String> = []
    /// The revision of the snapshot that the last response was made from.
    var sentRevision: Int64 = 0
    /// To be sent whether the client may have them or not.
    var forced: Set<String> {
        _read {
            lookIntoChildren()
            yield forcedNames
        }
        _modify {
            lookIntoChildren()
            yield &forcedNames
        }
    }
    var forcedNames: Set<String> = []
    /// Those of them, and others that are not wanted, that many clients are sent again together, as long as nobody had to look
    /// into it.
    var children: NameSet?
    var hasForced: Bool { children != nil || !forcedNames.isEmpty }
    /// State of the world: left out by requests that were ignored otherwise.
    var dropped: Set<String> = []
    /// The same of the wildcard.
    var hasDroppedAll = false
    /// As ``forced``, for everything wanted.
    var forcesAll = false
    /// A response is owed even if there is nothing to say: clients wait for the first one.
    var owesResponse = false
    /// What the client said it has, as long as nobody had to look into it.
    var offered: VersionList?
    var lookedAt: [String: String] = [:]
    /// What the client said it has, until the first response, or until it is taken away.
    var hints: [String: String] {
        _read {
            lookIntoOffer()
            yield lookedAt
        }
        _modify {
            lookIntoOffer()
            yield &lookedAt
        }
    }
    var hasHints: Bool { offered != nil || !lookedAt.isEmpty }
    var wasAsked = false
    /// How many names were copied because more were added to them.
    var copiedNames = 0
    /// State of the world: once names were given, no names means nothing, not everything.
    var hadNames = false
    /// No longer there, but the client is not told before routes that named it are gone. The resource is not known if a
    /// client that comes back has it from another stream.
    var leaving: [String: EncodedResource?] = [:]
    /// What lasts only for a while, and the client has to hear of.
    var due: Set<String> = []
    /// What the last response replaced of what lasts only for a while, and, of what was refused, what the client has instead.
    var replaced: [String: EncodedResource] = [:]
    var kept: [String: EncodedResource] = [:]

    init(_ type: ResourceType, _ variant: Variant) {
        self.type = type
        self.variant = variant
    }

    func lookIntoOffer() {
        if let offer = offered.take() { lookedAt = offer.versions }
    }

    func lookIntoChildren() {
        if let children = children.take() { forcedNames.formUnion(children.names.filter(canBeForced)) }
    }

    func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }

    /// All that is wanted and may be there.
    var held: Set<String> {
        isWildcard ? names.names.union(known?.names ?? []).union(hints.keys) : names.names
    }

    /// See ``TypeReport/lacking``.
    var lacking: [String]? { refused.count > TypeReport.maxLacking ? nil : refused.sorted() }

    /// The last response has neither been accepted nor refused.
    var isInFlight: Bool { inFlight != nil }

    // MARK: To be sent again

    /// Has a resource sent again although it did not change. Delta only.
    func force(_ name: String) {
        // What the client said it has when it came is no reason not to send it, nor is that it was not yet told to remove it;
        // but it is still to be told when it is gone.
        if hasHints && hints[name] != nil { hints[name] = "" }
        if leaving.keys.contains(name) { leaving.updateValue(nil, forKey: name) }
        if canBeForced(name) { forced.insert(name) }
    }

    /// As ``force(_:)`` for each of the names, which other clients are sent again too.
    func force(_ names: NameSet) {
        if known != nil && !hasHints && leaving.isEmpty && !hasForced {
            children = names
        } else {
            for name in names.names { force(name) }
        }
    }

    func canBeForced(_ name: String) -> Bool {
        guard let known else { return false }
        return names.contains(name) || (isWildcard && known[name] != nil)
    }

    // MARK: Where it stands

    /// A client waits for this type: it asked for something and has had no answer.
    var isUrgent: Bool { owesResponse || forcesAll || hasForced }

    /// Nothing is to be sent, nothing is on its way, and nothing was refused.
    func isSettled(on set: LayeredSet) -> Bool {
        !isInFlight && rejection == nil && !isUrgent && leaving.isEmpty
            && (known.map { $0.hasSameContent(as: set) } ?? false)
    }

    /// Whether ``respond(_:revision:nonce:sharing:)`` has nothing left to say but removals.
    func isUpToDate(with set: LayeredSet) -> Bool { !isInFlight && !isUrgent && isKnown(set) }

    /// Whether it is what was sent last.
    func isKnown(_ set: LayeredSet) -> Bool { known?.isIdentical(to: set) ?? false }

    /// Whether anything has yet to be removed, if it does not come back.
    var hasLeaving: Bool { !leaving.isEmpty }

    /// Whether something that is in none of the sets has yet to be removed.
    func hasRemovals(to kept: [LayeredSet]) -> Bool {
        leaving.keys.contains { name in kept.allSatisfy { $0[name] == nil } }
    }
}
