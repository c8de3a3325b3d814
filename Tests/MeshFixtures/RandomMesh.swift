internal import Documents
internal import GrayRelease
package import MeshCore
package import MeshModel
internal import TestSupport

/// A small mesh that changes at random, in ways that meet: services come and go under rules, releases and endpoints.
///
/// It is made of the table of kinds and of what they declare: an object of any kind that the compiler sees something of is written
/// with any of its fields, or deleted, and read as a stored one is. What kinds cannot declare stands in ``RandomSpec``.
package struct RandomMesh {
    package private(set) var state: MeshState
    /// Patterns of pointers to the declared fields that objects have had so far, by kind.
    package private(set) var fields: [Kind: Set<String>] = [:]
    /// The texts of all hosts that objects have named.
    package private(set) var hosts: Set<String> = []
    private var random: RandomDocument<SeededGenerator>

    /// How often each kind is changed; those that are not named, once.
    private static let frequencies: [Kind: Int] = [
        .service: 4, .endpoint: 5, .virtualService: 5, .destinationRule: 3, .release: 5,
    ]

    package init(seed: UInt64) throws {
        random = RandomDocument(SeededGenerator(seed: seed), words: RandomSpec.words)
        state = try MeshDocument.read([:])
    }

    /// Changes one to three things.
    package mutating func step() throws -> MeshChange {
        var change = MeshChange()
        for _ in 0..<number(1...3) {
            state.revision += 1
            change.merge(try write())
        }
        return change
    }

    private mutating func write() throws -> MeshChange {
        let compiled = kinds.all.filter { Self.isSeen($0.specType) }
        let often = compiled.flatMap { [Kind](repeating: $0, count: Self.frequencies[$0] ?? 1) }
        let kind = often[number(0...(often.count - 1))]
        let key = try key(of: kind)
        guard !random.chance(0.3), let spec = spec(kind.specType) else {
            return state.apply([], deleted: [key])
        }
        var object = StoredObject(
            key: key, uid: "", generation: 1, revision: state.revision, metadata: ObjectLabels(),
            createTime: Timestamp(microseconds: Int64(number(0...3))), updateTime: Timestamp(microseconds: 0),
            spec: spec.json, status: [:])
        object.status = status(of: spec)
        hosts.formUnion(RandomSpec.hosts(in: object.spec))
        return state.apply([ObjectInput(object, for: state.mesh)])
    }

    package static func isSeen<K: ResourceKind>(_: K.Type) -> Bool { K.Input.self != Never.self }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random.source) }

    private mutating func pick(_ texts: [String]) throws -> Name {
        try MeshDocument.name(texts[number(0...(texts.count - 1))])
    }

    private mutating func key(of kind: Kind) throws -> ObjectKey {
        let scope = ObjectScope(
            tenant: state.mesh.tenant, mesh: state.mesh.mesh, namespace: try pick(RandomSpec.namespaces),
            service: try pick(RandomSpec.services))
        let name = kind == .cluster ? try pick(["dev"]) : try pick(RandomSpec.services)
        guard let key = scope.key(kind, name) else { throw MeshDocument.Unreadable("\(kind) has another scope") }
        return key
    }

    /// One that is accepted.
    private mutating func spec<K: ResourceKind>(_: K.Type) -> K? {
        let kind = kinds[K.self]
        for _ in 0..<50 {
            let document = RandomSpec.mended(random.object(K.schema), of: kind)
            guard let spec = K.read(document, at: .root, log: ViolationLog()) else { continue }
            fields[kind, default: []].formUnion(DeclaredFields.patterns(in: document, K.schema))
            return spec
        }
        return nil
    }

    /// What the server may have found out about an object.
    private mutating func status(of spec: any ResourceKind) -> JSONValue {
        switch spec {
        case is ServiceSpec where random.chance(0.3):
            return ["stableVersion": "v2", "promotions": [["from": "v1", "at": "2026-01-01T00:00:00Z"]]]
        case let spec as ReleaseSpec:
            let traffic = spec.strategy.traffic(through: number(0...(max(1, spec.strategy.steps.count) - 1)))
            var status = ReleaseStatus()
            status.phase = .progressing
            status.traffic.canaryShare = traffic.share
            status.traffic.matches = traffic.matches
            status.traffic.mirror = traffic.mirror
            return status.json
        default: return [:]
        }
    }
}
