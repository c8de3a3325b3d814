import TestSupport

@testable import XDSServer

/// Snapshots that follow each other at random, each right in itself: what names clusters names those that it has.
struct ConformanceWorld {
    /// All names that there may be.
    static let names: [ResourceType: [String]] = [
        .cluster: (1...5).map { "c\($0)" }, .endpoint: (1...5).map { "c\($0)" }, .listener: ["l1", "l2"],
        .scopedRoute: ["s1", "s2"], .route: ["r1", "r2", "r3"], .virtualHost: ["r1/a", "r1/b", "r2/a"],
        .extensionConfig: ["e1", "e2"], .secret: ["k1", "k2"], .runtime: ["t1"],
    ]

    /// Those of them that last only for a while.
    static let expiring: [ResourceType: Set<String>] = [.cluster: ["c1", "c2"], .listener: ["l1"], .route: ["r1"]]

    /// State of the world cannot delete a route, so there they stay.
    let deletesRoutes: Bool
    private(set) var contents: [ResourceType: [String: String]] = [:]
    private(set) var snapshot = Snapshot(revision: 0, [:])
    /// Of each type what each layer has.
    private var layers: [ResourceType: [ResourceSet]] = [:]
    private var revision: Int64 = 0
    private var renewals = 0

    init(for variant: Variant) { deletesRoutes = variant == .delta }

    /// Often only of one type, as endpoints change by themselves, or of all.
    mutating func next(_ random: inout SeededGenerator) {
        let isPartial = random.chance(60) && revision > 0
        let one = ResourceType.allCases.randomElement(using: &random)
        for type in ResourceType.allCases where !isPartial || type == one || type == .route || type == .virtualHost {
            contents[type] = next(type, &random)
        }
        publish(&random)
    }

    private func next(_ type: ResourceType, _ random: inout SeededGenerator) -> [String: String] {
        let clusters = contents[.cluster, default: [:]].keys.sorted()
        var next: [String: String] = [:]
        for name in Self.names[type] ?? [] {
            let isRoute = type == .route || type == .virtualHost
            guard random.chance(70) || (isRoute && !deletesRoutes) else { continue }
            next[name] =
                isRoute
                ? clusters.filter { _ in random.chance(40) }.joined(separator: ",")
                : String(Int.random(in: 0..<2, using: &random))
        }
        return next
    }

    /// The same names, each with a content that it never had.
    mutating func renew(_ random: inout SeededGenerator) {
        renewals += 1
        for type in ResourceType.allCases {
            let isRoute = type == .route || type == .virtualHost
            // A route's content is what it names; more commas are another content with the same names.
            let commas = String(repeating: ",", count: renewals + 1)
            contents[type] = contents[type]?.mapValues { isRoute ? $0 + commas : "renewed \(renewals)" }
        }
        publish(&random)
    }

    /// The same contents in other sets, as of a later revision.
    mutating func repeatItself(_ random: inout SeededGenerator) { publish(&random) }

    /// The same, as another server has it.
    var elsewhere: Snapshot {
        let pairs = contents.map { type, contents in (type, Self.set(type, contents)) }
        return Snapshot(revision: revision, Dictionary(uniqueKeysWithValues: pairs))
    }

    private static func resource(_ type: ResourceType, _ name: String, _ content: String) -> EncodedResource {
        let isLasting = expiring[type]?.contains(name) ?? false
        return XDSServerTests.resource(type, name, content, ttl: isLasting ? .seconds(30) : nil)
    }

    private static func set(_ type: ResourceType, _ contents: [String: String]) -> ResourceSet {
        ResourceSet(contents.map { resource(type, $0.key, $0.value) })
    }

    private static let maxLayers = 3

    /// Layers are made in all the ways in which there are layers, and resources move between them.
    private mutating func publish(_ random: inout SeededGenerator) {
        revision += 1
        for type in ResourceType.allCases {
            let new = contents[type] ?? [:]
            let sets = layers[type] ?? []
            let old = Dictionary(uniqueKeysWithValues: LayeredSet(sets).resources.map { ($0.name, $0) })
            let changed = new.map { Self.resource(type, $0.key, $0.value) }.filter {
                old[$0.name]?.version != $0.version
            }
            let removed = Set(old.keys).subtracting(new.keys)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: layers[type] = [Self.set(type, new)]
            case 1: layers[type] = Self.split(type, new, &random)
            case 2: layers[type]?.shuffle(using: &random)
            default: break
            }
            if LayeredSet(layers[type] ?? []).hasSameContent(as: LayeredSet([Self.set(type, new)])) { continue }
            layers[type] = Self.derive(sets.isEmpty ? [.empty] : sets, changed, removed, &random)
        }
        let list = (0..<Self.maxLayers).map { index in
            Layer(layers.compactMapValues { index < $0.count ? $0[index] : nil })
        }
        snapshot = Snapshot(revision: revision, layers: list, after: random.chance(50) ? snapshot : nil)
    }

    private static func split(
        _ type: ResourceType, _ contents: [String: String], _ random: inout SeededGenerator
    ) -> [ResourceSet] {
        var parts = [[String: String]](repeating: [:], count: maxLayers)
        for (name, content) in contents { parts[Int.random(in: 0..<maxLayers, using: &random)][name] = content }
        return parts.map { set(type, $0) }
    }

    /// What there is changes where it is, and what is new comes into any layer.
    private static func derive(
        _ sets: [ResourceSet], _ changed: [EncodedResource], _ removed: Set<String>, _ random: inout SeededGenerator
    ) -> [ResourceSet] {
        let places = changed.map { resource in
            sets.firstIndex { $0[resource.name] != nil } ?? Int.random(in: 0..<sets.count, using: &random)
        }
        return sets.enumerated().map { index, set in
            let set = (set, zip(changed, places).filter { $0.1 == index }.map(\.0), removed.filter { set[$0] != nil })
            return set.1.isEmpty && set.2.isEmpty ? set.0 : set.0.updating(set: set.1, removing: set.2)
        }
    }
}
