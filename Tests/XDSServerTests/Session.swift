@testable import XDSServer

/// A resource whose content is `text`; the server does not look inside.
func resource(_ type: ResourceType, _ name: String, _ text: String = "", ttl: Duration? = nil) -> EncodedResource {
    EncodedResource(type, name: name, body: Array("\(name)=\(text)".utf8), ttl: ttl)
}

/// `["a": "1"]`: one resource of that name and content.
func set(_ type: ResourceType, _ contents: [String: String]) -> ResourceSet {
    ResourceSet(contents.map { resource(type, $0.key, $0.value) })
}

func snapshot(
    _ revision: Int64, owner: String? = nil, _ contents: [ResourceType: [String: String]]
) -> Snapshot {
    Snapshot(
        revision: revision, owner: owner,
        Dictionary(uniqueKeysWithValues: contents.map { ($0.key, set($0.key, $0.value)) }))
}

extension Snapshot {
    /// The very same sets of some types at another revision.
    func same(at revision: Int64, _ types: [ResourceType] = ResourceType.allCases) -> Snapshot {
        let layers = types.flatMap { type in self[type].layers.map { Layer([type: $0]) } }
        return Snapshot(revision: revision, layers: layers)
    }
}

/// Publications that have one view each.
extension SnapshotStore {
    private final class One: SnapshotPublication {
        let snapshot: Snapshot
        init(_ snapshot: Snapshot) { self.snapshot = snapshot }

        func snapshot(of view: ViewID, after previous: Snapshot?) -> Snapshot? { snapshot }
    }

    func publish(_ snapshots: [ViewID: Snapshot]) {
        for (view, snapshot) in snapshots { publish(One(snapshot), as: view.source) }
    }
}

/// A response as a client sees it.
struct Response: Equatable {
    var type: ResourceType
    var nonce: String
    /// Name and content hash, in the order of the response.
    var resources: [(name: String, version: String)]
    var removed: [String]
    var isHeartbeat: Bool

    init(_ answer: DiscoveryResponse) {
        type = answer.type
        nonce = answer.nonce
        removed = answer.removed
        isHeartbeat = answer.isHeartbeat
        let sent =
            switch answer.resources {
            case .everything(let set, let lingering): set.resources + lingering
            case .some(let some): some
            }
        resources = sent.map { ($0.name, $0.version) }
    }

    var names: [String] { resources.map(\.name).sorted() }
    var hasDuplicates: Bool { Set(names).count < names.count || !Set(names).isDisjoint(with: removed) }

    static func == (a: Self, b: Self) -> Bool {
        a.type == b.type && a.nonce == b.nonce && a.removed == b.removed && a.names == b.names
    }
}

/// A client of one stream, of either variant: says what it wants, and gets what the server has to say.
struct Session {
    var machine: StreamMachine
    let variant: Variant
    private var wanted: [ResourceType: [String]] = [:]
    private var lastNonce: [ResourceType: String] = [:]

    /// - Parameter sharing: with other streams.
    init(_ variant: Variant, _ snapshot: Snapshot? = nil, sharing: StreamSharing = StreamSharing()) {
        self.variant = variant
        machine = StreamMachine(variant, sharing: sharing)
        if let snapshot { machine.update(snapshot) }
    }

    /// Everything that the server sends now; a type at most once before its acknowledgement.
    mutating func responses() -> [Response] {
        var responses: [Response] = []
        while let answer = machine.next() {
            responses.append(Response(answer))
            lastNonce[answer.type] = answer.nonce
        }
        return responses
    }

    /// Makes `names` what is wanted, in the words of the variant.
    mutating func want(_ type: ResourceType, _ names: [String]) throws {
        let before = wanted[type]
        wanted[type] = names
        switch variant {
        case .stateOfTheWorld: try send(type, .all(NameList(names)), nonce: lastNonce[type] ?? "")
        case .delta:
            let old = Set(before ?? [])
            let more = names.filter { !old.contains($0) }
            let less = old.subtracting(names).sorted()
            try send(type, .change(subscribe: NameList(more), unsubscribe: NameList(less), initialVersions: [:]))
        }
    }

    mutating func ack(_ response: Response, error: String? = nil) throws {
        let names: DiscoveryRequest.Names =
            variant == .delta
            ? .change(subscribe: [], unsubscribe: [], initialVersions: [:])
            : .all(NameList(wanted[response.type] ?? []))
        try send(response.type, names, nonce: response.nonce, error: error)
    }

    mutating func nack(_ response: Response, _ text: String = "no") throws { try ack(response, error: text) }

    /// Accepts what the server sends now, except of one type.
    mutating func answerAll(refusing type: ResourceType) throws {
        for response in responses() { try ack(response, error: response.type == type ? "no" : nil) }
    }

    mutating func send(
        _ type: ResourceType, _ names: DiscoveryRequest.Names, nonce: String = "", error: String? = nil
    ) throws {
        try machine.receive(DiscoveryRequest(typeURL: type.typeURL, nonce: nonce, nack: error, names: names))
    }

    /// Takes and acknowledges until the server has nothing more to say.
    @discardableResult
    mutating func settle() throws -> [Response] {
        var all: [Response] = []
        // Bounded: a server that repeats itself must fail a test, not hang it.
        for _ in 0..<1_000 {
            let responses = responses()
            if responses.isEmpty { return all }
            all += responses
            for response in responses { try ack(response) }
        }
        return all
    }

    /// A client like Envoy: everything of clusters and listeners, endpoints and routes by name; all acknowledged.
    static func synced(
        _ variant: Variant, _ snapshot: Snapshot, endpoints: [String] = [], routes: [String] = []
    ) throws -> Session {
        var session = Session(variant, snapshot)
        try session.want(.cluster, [])
        try session.settle()
        if !endpoints.isEmpty { try session.want(.endpoint, endpoints) }
        try session.settle()
        try session.want(.listener, [])
        if !routes.isEmpty { try session.want(.route, routes) }
        try session.settle()
        return session
    }
}

let bothVariants: [Variant] = [.stateOfTheWorld, .delta]
