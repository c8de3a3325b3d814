/// The debts of the server to a client in one type: what the client has yet to be told, beside what changes.
struct Debts {
    /// A response is owed even if there is nothing to say: clients wait for the first one.
    var owesResponse = false
    /// Everything that is wanted is to be sent, whether the client has it or not.
    var resendsAll = false
    var resends = Resends()
    var initialVersions = InitialVersions()
    /// Resources that are gone and that the client still has: it is told when routes that named them are gone, too.
    var pendingRemovals: [String: PendingRemoval] = [:]
    /// Names of resources with a time to live of which the client has to hear again.
    var dueHeartbeats: Set<String> = []

    /// A client waits for this type: it asked for something and has had no answer.
    var isAwaited: Bool { owesResponse || resendsAll || !resends.isEmpty }

    /// Takes what a request demands.
    mutating func add(_ demand: Interest.Demand) {
        owesResponse = owesResponse || demand.isAwaited
        resendsAll = resendsAll || demand.isForAll
        if !demand.names.isEmpty { resends.add(demand.names) }
    }

    /// A client has asked for a name, so what it said it had of it is void.
    mutating func renew(_ name: String) {
        resends.add(name)
        initialVersions.set(nil, of: name)
    }

    /// A client has dropped everything but what it `wants`, so there is nothing to tell it of that.
    mutating func drop(allBut wants: (String) -> Bool) {
        resends.keep(where: wants)
        initialVersions.keep(where: wants)
        if !pendingRemovals.isEmpty { pendingRemovals = pendingRemovals.filter { wants($0.key) } }
    }

    /// Everything was said but removals, and what was claimed of these.
    mutating func clear() {
        (owesResponse, resendsAll) = (false, false)
        resends = Resends()
        if pendingRemovals.isEmpty {
            // Without looking into it: a list that a thousand clients share is never taken apart.
            initialVersions = InitialVersions()
        } else {
            // What is to leave may come back before, and then the client still has it.
            initialVersions.keep { [pendingRemovals] in pendingRemovals[$0] != nil }
        }
    }

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
}

/// Names whose resources are to be sent, whether the client has them or not.
///
/// After a change of many clusters thousands of clients are sent the endpoints of the same ones again, so these names are one set
/// that they share, for as long as nobody has to know which of them this client wants.
struct Resends {
    /// Names that many clients are sent together, and some that this client does not want.
    private(set) var shared: NameSet?
    /// Names of this client alone.
    private(set) var names: Set<String> = []

    var isEmpty: Bool { shared == nil && names.isEmpty }

    mutating func add(_ name: String) { names.insert(name) }

    mutating func add(_ more: Set<String>) { names.formUnion(more) }

    /// Adds names that other clients are sent as well; if there are names already, they become names of this client.
    mutating func add(shared more: NameSet, where wants: (String) -> Bool) {
        if isEmpty { shared = more } else { names.formUnion(more.names.filter(wants)) }
    }

    /// The names, which are this client's own from now on.
    ///
    /// - Parameter wants: whether the client wants a name of those that it shares.
    mutating func expand(where wants: (String) -> Bool) -> Set<String> {
        if let shared = shared.take() { names.formUnion(shared.names.filter(wants)) }
        return names
    }

    mutating func keep(where wants: (String) -> Bool) {
        if shared != nil { _ = expand(where: wants) }
        if !names.isEmpty { names = names.filter(wants) }
    }
}

/// The versions that a client said it had when it came (`initial_resource_versions`), by name. They count until the first response;
/// of removals until these are told.
///
/// A thousand sidecars that come back say the same, so the list stays the bytes that it came in for as long as nobody has to know
/// what it says of a single name.
struct InitialVersions {
    /// The list as the client sent it, perhaps shared with other clients.
    private(set) var list: VersionList?
    private var versions: [String: String] = [:]

    init() {}

    init(_ list: VersionList) { self.list = list.isEmpty ? nil : list }

    var isEmpty: Bool { list == nil && versions.isEmpty }

    /// Whether the list is no longer what the client sent.
    var isExpanded: Bool { !versions.isEmpty }

    /// The versions by name, which are this client's own from now on.
    mutating func expand() -> [String: String] {
        if let list = list.take() { versions = list.versions }
        return versions
    }

    /// - Parameter version: `nil`: the client has no such resource.
    mutating func set(_ version: String?, of name: String) {
        guard !isEmpty, expand()[name] != nil else { return }
        versions[name] = version
    }

    mutating func keep(where isKept: (String) -> Bool) {
        guard !isEmpty else { return }
        versions = expand().filter { isKept($0.key) }
    }

    /// Forgets names that the client has with `version`.
    mutating func remove(_ version: String) {
        guard !isEmpty else { return }
        versions = expand().filter { $0.value != version }
    }
}
