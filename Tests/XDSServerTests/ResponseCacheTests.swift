import TestSupport
import Testing

@testable import XDSServer

/// Sidecars of one mesh, each with something of its own, which share what they can.
@Suite("Answers that streams share")
struct ResponseCacheTests {
    @Test("A client is told the same whether it shares answers with others, of either variant, or not")
    func sharing() async throws {
        for seed in 0..<5 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var mesh = Mesh(&random)
            let sharing = StreamSharing()
            var sidecars = try bothVariants.flatMap { variant in
                try (0..<6).map { try Sidecar($0, variant, mesh, sharing) }
            }
            for _ in 0..<40 {
                // Other tests wait for this thread.
                await Task.yield()
                if random.chance(70) { mesh.change(&random) }
                for index in sidecars.indices.shuffled(using: &random) where random.chance(70) {
                    if random.chance(10) { sidecars[index].changeOwn() }
                    if random.chance(20) {
                        try sidecars[index].reconnect(mesh, sharing, &random)
                    } else {
                        sidecars[index].update(mesh)
                    }
                    try sidecars[index].settle(refusals: 5, &random)
                }
            }
            // So that what was refused comes again.
            mesh.changeAll()
            for index in sidecars.indices {
                sidecars[index].changeOwn()
                sidecars[index].update(mesh)
                try sidecars[index].settle(refusals: 0, &random)
                try sidecars[index].checkAll(of: mesh)
            }
        }
    }
}

/// What all sidecars have in common.
private struct Mesh {
    private(set) var revision: Int64 = 1
    private(set) var clusters: ResourceSet
    private(set) var endpoints: ResourceSet
    static let names = (0..<40).map { "c\($0)" }

    init(_ random: inout SeededGenerator) {
        clusters = ResourceSet(Self.names.map { resource(.cluster, $0, "0") })
        endpoints = ResourceSet(Self.names.map { resource(.endpoint, $0, "0") })
    }

    /// So much that answers are shared.
    mutating func change(_ random: inout SeededGenerator) {
        revision += 1
        func some(_ type: ResourceType) -> [EncodedResource] {
            Self.names.filter { _ in random.chance(70) }.map {
                resource(type, $0, "\(Int.random(in: 0...9, using: &random))")
            }
        }
        let removed = Self.names.filter { _ in random.chance(5) }
        clusters = clusters.updating(set: some(.cluster), removing: removed)
        if random.chance(30) { endpoints = endpoints.updating(set: some(.endpoint), removing: removed) }
    }

    mutating func changeAll() {
        revision += 1
        clusters = clusters.updating(set: Self.names.map { resource(.cluster, $0, "last") }, removing: [])
        endpoints = endpoints.updating(set: Self.names.map { resource(.endpoint, $0, "last") }, removing: [])
    }
}

/// Two clients that do the same: one shares answers, and one has all made for itself.
private struct Sidecar {
    private let variant: Variant
    private let number: Int
    private var own = 0
    private var snapshot: Snapshot
    private var sharing: Session
    private var alone: Session
    private var held: [ResourceType: [String: String]] = [:]

    init(_ number: Int, _ variant: Variant, _ mesh: Mesh, _ table: StreamSharing) throws {
        self.number = number
        self.variant = variant
        snapshot = Self.snapshot(number, 0, mesh)
        sharing = Session(variant, snapshot, sharing: table)
        alone = Session(variant, snapshot)
        try subscribe()
    }

    /// Most have a cluster of the same name beside the mesh's, one hides one of those, and two have nothing.
    private static func snapshot(_ number: Int, _ own: Int, _ mesh: Mesh) -> Snapshot {
        let own = ResourceSet([resource(.cluster, number == 0 ? "c3" : "inbound", "\(number) \(own)")])
        let layers = [number == 1 || number == 5 ? .empty : own, mesh.clusters]
        return Snapshot(
            revision: mesh.revision, layers: layers.map { Layer([.cluster: $0]) } + [Layer([.endpoint: mesh.endpoints])]
        )
    }

    /// What it wants of clusters; most want all.
    private var clusters: [String] { number < 4 ? [] : Mesh.names + ["inbound", "none"] }

    mutating func changeOwn() { own += 1 }

    mutating func update(_ mesh: Mesh) {
        snapshot = Self.snapshot(number, own, mesh)
        sharing.machine.update(snapshot)
        alone.machine.update(snapshot)
    }

    private mutating func subscribe() throws {
        for session in [\Sidecar.sharing, \.alone] {
            try self[keyPath: session].want(.cluster, clusters)
            try self[keyPath: session].want(.endpoint, Mesh.names)
        }
    }

    /// Comes back and says what it has; in delta now and then something twice.
    mutating func reconnect(_ mesh: Mesh, _ table: StreamSharing, _ random: inout SeededGenerator) throws {
        snapshot = Self.snapshot(number, own, mesh)
        sharing = Session(variant, snapshot, sharing: table)
        alone = Session(variant, snapshot)
        guard variant == .delta else { return try subscribe() }
        for type in [ResourceType.cluster, .endpoint] {
            var list = (held[type] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            if random.chance(10), let first = list.first { list.insert((first.0, "wrong"), at: 0) }
            let names = DiscoveryRequest.Names.change(
                subscribe: NameList(type == .cluster ? clusters : Mesh.names), unsubscribe: [],
                initialVersions: versions(list))
            for session in [\Sidecar.sharing, \.alone] { try self[keyPath: session].send(type, names) }
        }
    }

    private func versions(_ list: [(String, String)]) -> VersionList {
        var bytes: [UInt8] = []
        var places: [VersionList.Place] = []
        for (name, version) in list {
            let (start, middle) = (bytes.count, bytes.count + name.utf8.count)
            bytes += Array(name.utf8) + Array(version.utf8)
            places.append((start..<middle, middle..<bytes.count))
        }
        return VersionList(in: bytes, places)
    }

    /// Takes what there is until there is no more, and answers.
    mutating func settle(refusals: Int, _ random: inout SeededGenerator) throws {
        // Bounded: a server that repeats itself must fail a test, not hang it.
        for _ in 0..<1_000 {
            let responses = sharing.responses()
            let others = alone.responses()
            #expect(responses == others)
            try #require(responses.map { $0.resources.map(\.version) } == others.map { $0.resources.map(\.version) })
            if responses.isEmpty { return }
            for response in responses {
                let error = !response.names.isEmpty && random.chance(refusals) ? "no" : nil
                if error == nil { take(response) }
                try sharing.ack(response, error: error)
                try alone.ack(response, error: error)
            }
        }
        Issue.record("the server does not come to rest")
    }

    private mutating func take(_ response: Response) {
        if variant == .stateOfTheWorld && response.type == .cluster { held[.cluster] = [:] }
        for (name, version) in response.resources { held[response.type, default: [:]][name] = version }
        for name in response.removed { held[response.type]?[name] = nil }
    }

    /// In state of the world nothing is said of endpoints that are gone.
    func checkAll(of mesh: Mesh) throws {
        let clusters = snapshot[.cluster].resources.map { ($0.name, $0.version) }
        #expect(held[.cluster] == Dictionary(uniqueKeysWithValues: clusters))
        for resource in mesh.endpoints.resources { #expect(held[.endpoint]?[resource.name] == resource.version) }
    }
}
