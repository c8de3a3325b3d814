/// One resource type on one stream: what the client wants, what it has, and what is on its way. No I/O, no clock.
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

    // MARK: Interest: what the client wants

    /// The client wants all resources of the type.
    var isWildcard = false
    /// The names that the client wants, beside the wildcard or without it. Streams that want the same share one set
    /// (``NameTable``).
    var names = NameSet()
    /// The client has sent a request of this type.
    var wasAsked = false
    /// State of the world: the client has given names at some time. From then on no names mean nothing, not everything.
    var hadNames = false
    /// State of the world: names that were missing in requests which were ignored otherwise because their nonce was stale. The
    /// client has dropped these resources, and needs them anew if it asks again.
    var dropped: Set<String> = []
    /// State of the world: as ``dropped``, the wildcard.
    var hasDroppedAll = false
    /// How many names were copied so far because more were added to a shared set.
    var copiedNames = 0

    // MARK: Delivery: what the client was sent, and what it thinks of it

    /// The set that was sent last; `nil`: none was.
    var known: LayeredSet?
    /// The nonce of the last response; empty: there was none.
    var lastNonce = ""
    /// The version of the last response.
    var lastVersion = ""
    /// The version of the last response that the client accepted (ACK).
    var ackedVersion = ""
    /// The revision of the snapshot that the last response was made from.
    var sentRevision: Int64 = 0
    /// The last response, until the client has answered it (ACK or NACK).
    var inFlight: DiscoveryResponse?
    /// The client's last NACK, until it accepts a response that replaces what it refused.
    var nack: Nack?
    /// The resources that the client lacks because of NACKs: those that it named, or all of the response if it named none.
    var nackedNames: Set<String> = []

    struct Nack: Equatable {
        var revision: Int64
        var message: String
        /// The version of the refused response.
        var version = ""
        /// The names that the client complained of, as far as it named them; sorted, and at most ``maxNames``.
        var names: [String] = []

        static let maxNames = 20
    }

    // MARK: Debts: what the client has yet to be told

    /// A response is owed even if there is nothing to say: clients wait for the first one.
    var owesResponse = false
    /// Everything that is wanted is to be sent, whether the client has it or not.
    var resendsAll = false
    /// Names whose resources are to be sent, whether the client has them or not.
    var resend: Set<String> {
        _read {
            expandSharedResend()
            yield resendNames
        }
        _modify {
            expandSharedResend()
            yield &resendNames
        }
    }
    /// The names of ``resend`` that are in no ``sharedResend``.
    var resendNames: Set<String> = []
    /// Names of ``resend`` that many clients are sent together, and some that this client does not want. It becomes a part of
    /// ``resendNames`` when somebody asks for single names.
    var sharedResend: NameSet?
    var hasResends: Bool { sharedResend != nil || !resendNames.isEmpty }
    /// The versions that the client said it had when it came (`initial_resource_versions`), by name. They count until the first
    /// response; of ``pendingRemovals`` until these are told.
    var initialVersions: [String: String] {
        _read {
            expandInitialVersions()
            yield expandedInitialVersions
        }
        _modify {
            expandInitialVersions()
            yield &expandedInitialVersions
        }
    }
    /// The list behind ``initialVersions`` as other clients sent it, too; until somebody asks for a single name.
    var sharedInitialVersions: VersionList?
    /// The dictionary behind ``initialVersions`` after that.
    var expandedInitialVersions: [String: String] = [:]
    var hasInitialVersions: Bool { sharedInitialVersions != nil || !expandedInitialVersions.isEmpty }
    /// Resources that are gone and that the client still has: it is told when routes that named them are gone, too.
    var pendingRemovals: [String: PendingRemoval] = [:]
    /// Names of resources with a time to live of which the client has to hear again.
    var dueHeartbeats: Set<String> = []
    /// Resources with a time to live that the last response replaced. If the client refuses it, it goes on with these.
    var replaced: [String: EncodedResource] = [:]
    /// Resources with a time to live with which the client goes on, because it refused what was to replace them.
    var kept: [String: EncodedResource] = [:]

    /// A resource that the client is to remove.
    enum PendingRemoval {
        /// The client was sent it on this stream.
        case sent(EncodedResource)
        /// The client said that it has it; another stream sent it.
        case claimed

        init(_ resource: EncodedResource?) { self = resource.map(PendingRemoval.sent) ?? .claimed }

        var resource: EncodedResource? {
            if case .sent(let resource) = self { resource } else { nil }
        }
    }

    init(_ type: ResourceType, _ variant: Variant) {
        self.type = type
        self.variant = variant
    }

    func expandInitialVersions() {
        if let list = sharedInitialVersions.take() { expandedInitialVersions = list.versions }
    }

    func expandSharedResend() {
        if let sharedResend = sharedResend.take() { resendNames.formUnion(sharedResend.names.filter(canBeResent)) }
    }

    func wants(_ name: String) -> Bool { isWildcard || names.contains(name) }

    /// The names of all resources that the client wants and may have.
    var held: Set<String> {
        isWildcard ? names.names.union(known?.names ?? []).union(initialVersions.keys) : names.names
    }

    /// See ``TypeReport/lacking``.
    var lacking: [String]? { nackedNames.count > TypeReport.maxLacking ? nil : nackedNames.sorted() }

    /// The last response has neither been accepted nor refused.
    var isInFlight: Bool { inFlight != nil }

    // MARK: Sending again

    /// Has the server send a resource again although it did not change. Delta only.
    func markForResend(_ name: String) {
        // What the client said it has when it came is no reason not to send it, nor is that it was not yet told to remove it;
        // but it is still to be told when it is gone.
        if hasInitialVersions && initialVersions[name] != nil { initialVersions[name] = "" }
        if pendingRemovals[name] != nil { pendingRemovals[name] = .claimed }
        if canBeResent(name) { resend.insert(name) }
    }

    /// Has the server send resources again, as it does to other clients.
    func markForResend(_ names: NameSet) {
        if known != nil && !hasInitialVersions && pendingRemovals.isEmpty && !hasResends {
            sharedResend = names
        } else {
            for name in names.names { markForResend(name) }
        }
    }

    func canBeResent(_ name: String) -> Bool {
        guard let known else { return false }
        return names.contains(name) || (isWildcard && known[name] != nil)
    }

    // MARK: Where it stands

    /// A client waits for this type: it asked for something and has had no answer.
    var isAwaited: Bool { owesResponse || resendsAll || hasResends }

    /// Nothing is to be sent, nothing is on its way, and nothing was refused.
    func isSettled(on set: LayeredSet) -> Bool {
        !isInFlight && nack == nil && !isAwaited && pendingRemovals.isEmpty
            && (known.map { $0.hasSameContent(as: set) } ?? false)
    }

    /// Whether ``respond(_:revision:nonce:sharing:)`` has nothing left to say but removals.
    func isUpToDate(with set: LayeredSet) -> Bool { !isInFlight && !isAwaited && isKnown(set) }

    /// Whether it is what was sent last.
    func isKnown(_ set: LayeredSet) -> Bool { known?.isIdentical(to: set) ?? false }

    /// Whether anything has yet to be removed, if it does not come back.
    var hasPendingRemovals: Bool { !pendingRemovals.isEmpty }

    /// Whether something that is in none of the sets has yet to be removed.
    func hasRemovals(to kept: [LayeredSet]) -> Bool {
        pendingRemovals.keys.contains { name in kept.allSatisfy { $0[name] == nil } }
    }
}
