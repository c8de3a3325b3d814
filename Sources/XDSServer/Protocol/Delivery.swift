/// The resources of one type that a client was sent, and what it thinks of them.
///
/// They are not kept name by name: they are the list of layers that was sent last, restricted to what the client wants, and less
/// what it refused.
struct Delivery {
    /// State of the world, of types where a response has everything that is wanted: what it leaves out is gone.
    let isFullState: Bool
    /// The set that was sent last; `nil`: none was.
    private(set) var lastSent: LayeredSet?
    /// The nonce of the last response; empty: there was none.
    private(set) var lastNonce = ""
    /// The version of the last response.
    private(set) var lastVersion = ""
    /// The version of the last response that the client accepted (ACK).
    private(set) var ackedVersion = ""
    /// The revision of the snapshot that the last response was made from.
    private(set) var sentRevision: Int64 = 0
    /// The last response, until the client has answered it (ACK or NACK).
    private(set) var inFlight: DiscoveryResponse?
    /// The client's last NACK, until it accepts a response that replaces what it refused.
    private(set) var nack: Nack?
    /// The resources that the client lacks because of NACKs: those that it named, or all of the response if it named none.
    private(set) var nackedNames: Set<String> = []
    /// Resources with a time to live that the last response replaced. If the client refuses it, it goes on with these.
    private var replaced: [String: EncodedResource] = [:]
    /// Resources with a time to live with which the client goes on, because it refused what was to replace them.
    private(set) var kept: [String: EncodedResource] = [:]

    struct Nack: Equatable {
        var revision: Int64
        var message: String
        /// The version of the refused response.
        var version = ""
        /// The names that the client complained of, as far as it named them; sorted, and at most ``maxNames``.
        var names: [String] = []

        static let maxNames = 20
    }

    init(isFullState: Bool) { self.isFullState = isFullState }

    /// The last response has neither been accepted nor refused.
    var isInFlight: Bool { inFlight != nil }

    /// Whether `set` is what was sent last.
    func isLastSent(_ set: LayeredSet) -> Bool { lastSent?.isIdentical(to: set) ?? false }

    // MARK: Sending

    /// Has `set` be what the client knows, as far as it wants it; the response that says so is made of it.
    mutating func advance(to set: LayeredSet) { lastSent = set }

    /// Keeps the resources with a time to live with which a client goes on if it refuses `set`.
    mutating func keepReplaced(by set: LayeredSet, where wants: (String) -> Bool) {
        guard let lastSent, lastSent.expiring.shortestTTL != nil else { return }
        // What it refused it does not have.
        let old = set.changedNames(since: lastSent).filter { wants($0) && !nackedNames.contains($0) }.compactMap {
            lastSent[$0]
        }
        replaced = Dictionary(uniqueKeysWithValues: old.filter { $0.ttl != nil }.map { ($0.name, $0) })
    }

    /// Has `response` be on its way.
    mutating func send(_ response: DiscoveryResponse, of revision: Int64) {
        inFlight = response
        lastNonce = response.nonce
        lastVersion = response.version
        sentRevision = revision
    }

    /// Forgets what the client has dropped: everything but `names` and what is on its way.
    mutating func forget(allBut names: Set<String>) {
        lastSent = lastSent.map { $0.only(names.union(inFlight?.resourceNames ?? [])) }
    }

    // MARK: What the client says

    /// The verdict of a request on the responses that were sent before it.
    enum Verdict: Equatable {
        /// Nothing: it is about none, or about one that a later one has superseded.
        case none
        /// The last response was answered already: the client asks once more.
        case repeated
        case accepted
        case refused
        /// The client does not have these resources, which it was only to keep.
        case lost(Set<String>)
    }

    /// Takes what a request says as an ACK or NACK.
    mutating func takeAnswer(in request: DiscoveryRequest) -> Verdict {
        guard !request.nonce.isEmpty, request.nonce == lastNonce else { return .none }
        guard let response = inFlight.take() else { return .repeated }
        if response.isHeartbeat {
            return request.nack == nil ? .accepted : .lost(response.names.subtracting(nackedNames))
        }
        defer { replaced = [:] }
        if let message = request.nack.map(NackMessage.readable) {
            refuse(response, message)
            return .refused
        }
        accept(response)
        return .accepted
    }

    private mutating func refuse(_ response: DiscoveryResponse, _ message: String) {
        let mentioned = response.names(mentionedIn: message)
        let broken = mentioned.isEmpty ? response.names : mentioned
        nackedNames.formUnion(broken)
        kept.merge(replaced.filter { broken.contains($0.key) }) { older, _ in older }
        // Of several that it does not name, any may be meant.
        let isKnown = !mentioned.isEmpty || broken.count == 1
        nack = Nack(
            revision: sentRevision, message: NackMessage.text(message), version: lastVersion,
            names: isKnown ? Array(broken.sorted().prefix(Nack.maxNames)) : [])
    }

    private mutating func accept(_ response: DiscoveryResponse) {
        ackedVersion = lastVersion
        // A response about something else does not undo a refusal: the client still lacks what it refused.
        if isFullState || response.isComplete { nackedNames = [] }
        if !nackedNames.isEmpty { nackedNames.subtract(response.names) }
        if nackedNames.isEmpty { nack = nil }
        if !kept.isEmpty { kept = kept.filter { nackedNames.contains($0.key) } }
    }

    /// Forgets refusals of resources that are none any more, because the client does not want them, or they are gone.
    ///
    /// - Returns: the names of the other refused resources if these are only removals. What was wrong is not among them then, so
    ///   the client can be told again.
    mutating func clearNack(unless isRefused: (String) -> Bool) -> Set<String> {
        guard !nackedNames.isEmpty else { return [] }
        let left = nackedNames.filter(isRefused)
        let areRemovals = left.count < nackedNames.count && left.allSatisfy { lastSent?[$0] == nil }
        nackedNames = left
        if left.isEmpty { nack = nil }
        return areRemovals ? left.subtracting(inFlight?.names ?? []) : []
    }
}
