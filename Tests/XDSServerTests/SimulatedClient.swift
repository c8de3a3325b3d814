@testable import XDSServer

/// A client that does what Envoy does, in its own time: it keeps what it was sent and answers later, in order, or not at
/// all for a while. Its routes name clusters, so it sees when it is given a route before its clusters.
struct SimulatedClient {
    /// What of a type the client has and wants.
    struct Shelf {
        /// `nil`: everything.
        var wanted: Set<String>?
        var has: [String: EncodedResource] = [:]
        /// Sent and not taken away, whether accepted or not.
        var heard: Set<String> = []
        /// Taken or refused already; the server has yet to be told.
        var unanswered: [(answer: DiscoveryAnswer, isRefused: Bool)] = []
        /// Of the last response that was answered.
        var lastNonce = ""
        var refusals = 0
    }

    let variant: Variant
    var machine: StreamMachine
    var shelves: [ResourceType: Shelf] = [:]
    /// Broken rules, in words.
    var violations: [String] = []
    /// Sent by the server and not read by the client.
    private var wire: [DiscoveryAnswer] = []
    private var snapshot: Snapshot?

    init(_ variant: Variant) {
        self.variant = variant
        machine = StreamMachine(variant)
        for type in ResourceType.allCases { shelves[type] = Shelf(wanted: type.isFullState ? nil : []) }
    }

    // MARK: The server's side

    mutating func publish(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        machine.update(snapshot)
    }

    /// Whether the server waits for the client.
    var isBusy: Bool { !wire.isEmpty || shelves.values.contains { !$0.unanswered.isEmpty } }

    /// Has the server send at most `count` responses; they are on the wire then.
    mutating func send(_ count: Int) {
        for _ in 0..<count {
            guard let answer = machine.next() else { return }
            note(answer)
            wire.append(answer)
        }
    }

    private mutating func note(_ answer: DiscoveryAnswer) {
        guard var shelf = shelves[answer.type] else { return }
        if !shelf.unanswered.isEmpty || wire.contains(where: { $0.type == answer.type }) {
            violations.append("a second \(answer.type) before the answer to the first")
        }
        let response = Response(answer)
        if response.hasDuplicates { violations.append("\(answer.type) twice in one response: \(response.names)") }
        if answer.type == .route { checkClusters(of: answer) }
        if variant == .stateOfTheWorld && answer.type.isFullState { shelf.heard = [] }
        shelf.heard.formUnion(response.names)
        shelf.heard.subtract(answer.removed)
        shelves[answer.type] = shelf
    }

    /// Make before break: whatever a route names has been sent, and not been taken away.
    private mutating func checkClusters(of answer: DiscoveryAnswer) {
        guard let clusters = shelves[.cluster] else { return }
        for route in Self.sent(answer) {
            let missing = Self.clusters(of: route).subtracting(clusters.heard)
            if !missing.isEmpty {
                violations.append("route \(route.name) names \(missing), of which the client has not heard")
            }
        }
    }

    // MARK: The client's side

    /// Reads the oldest response, and takes or refuses what is in it.
    mutating func read(refuses: Bool) {
        guard !wire.isEmpty else { return }
        let answer = wire.removeFirst()
        guard var shelf = shelves[answer.type] else { return }
        if refuses { shelf.refusals += 1 } else { apply(answer, to: &shelf) }
        shelf.unanswered.append((answer, refuses))
        shelves[answer.type] = shelf
        checkRoutes()
    }

    /// Acknowledges the oldest response of a type that was read, or complains of it.
    mutating func answer(_ type: ResourceType) {
        guard var shelf = shelves[type], !shelf.unanswered.isEmpty else { return }
        let (answer, isRefused) = shelf.unanswered.removeFirst()
        shelf.lastNonce = answer.nonce
        shelves[type] = shelf
        let names: DiscoveryRequest.Names =
            variant == .delta ? .change(subscribe: [], unsubscribe: [], has: [:]) : .all(list(shelf))
        send(type, names, nonce: answer.nonce, isRefused ? "cannot use this" : nil)
    }

    private func apply(_ answer: DiscoveryAnswer, to shelf: inout Shelf) {
        let sent = Self.sent(answer)
        if variant == .stateOfTheWorld && answer.type.isFullState { shelf.has = [:] }
        for resource in sent where shelf.wanted?.contains(resource.name) ?? true { shelf.has[resource.name] = resource }
        for name in answer.removed { shelf.has[name] = nil }
    }

    /// What the client goes by never names a cluster that it was told to remove.
    private mutating func checkRoutes() {
        guard let clusters = shelves[.cluster], let routes = shelves[.route], clusters.refusals == 0 else { return }
        for route in routes.has.values {
            let missing = Self.clusters(of: route).subtracting(clusters.has.keys)
            if !missing.isEmpty { violations.append("route \(route.name) is in use and its \(missing) is gone") }
        }
    }

    /// Wants these names of endpoints or routes, and none else.
    mutating func want(_ type: ResourceType, _ names: Set<String>) {
        guard var shelf = shelves[type] else { return }
        let before = shelf.wanted ?? []
        shelf.wanted = names
        shelf.has = shelf.has.filter { names.contains($0.key) }
        shelves[type] = shelf
        if variant == .delta {
            let change = (
                subscribe: names.subtracting(before).sorted(), unsubscribe: before.subtracting(names).sorted()
            )
            send(type, .change(subscribe: change.subscribe, unsubscribe: change.unsubscribe, has: [:]), nonce: "", nil)
        } else {
            send(type, .all(list(shelf)), nonce: shelf.lastNonce, nil)
        }
    }

    /// Loses the stream and opens another one, on which it says again what it wants and, in delta, what it has. In state of
    /// the world, where that cannot be said, the client begins anew.
    mutating func reconnect() {
        machine = StreamMachine(variant)
        wire = []
        if let snapshot { machine.update(snapshot) }
        for type in ResourceType.allCases {
            guard var shelf = shelves[type] else { continue }
            if variant == .stateOfTheWorld { shelf.has = [:] }
            (shelf.unanswered, shelf.lastNonce) = ([], "")
            shelf.heard = Set(shelf.has.keys)
            shelves[type] = shelf
            let names: DiscoveryRequest.Names =
                variant == .delta
                ? .change(
                    subscribe: shelf.wanted?.sorted() ?? ["*"], unsubscribe: [], has: shelf.has.mapValues(\.version))
                : .all(list(shelf))
            // Envoy asks for named types only if it wants one.
            if shelf.wanted?.isEmpty != true { send(type, names, nonce: "", nil) }
        }
    }

    private mutating func send(_ type: ResourceType, _ names: DiscoveryRequest.Names, nonce: String, _ error: String?) {
        let request = DiscoveryRequest(typeURL: type.typeURL, nonce: nonce, rejection: error, names: names)
        do { try machine.receive(request) } catch { violations.append("refused: \(error.detail)") }
    }

    private func list(_ shelf: Shelf) -> [String] { shelf.wanted?.sorted() ?? [] }

    // MARK: Contents

    static func sent(_ answer: DiscoveryAnswer) -> [EncodedResource] {
        switch answer.resources {
        case .everything(let set, let lingering): set.resources + lingering
        case .some(let resources): resources
        }
    }

    /// The clusters that a route made by ``resource(_:_:_:)`` names: its content, a list.
    static func clusters(of route: EncodedResource) -> Set<String> {
        let text = String(decoding: route.body, as: UTF8.self)
        guard let content = text.split(separator: "=", maxSplits: 1).dropFirst().first else { return [] }
        return Set(content.split(separator: ",").map(String.init))
    }
}
