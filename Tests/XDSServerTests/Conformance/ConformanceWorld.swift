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
    static let lasting: [ResourceType: Set<String>] = [.cluster: ["c1", "c2"], .listener: ["l1"], .route: ["r1"]]

    /// State of the world cannot delete a route, so there they stay.
    let deletesRoutes: Bool
    private(set) var contents: [ResourceType: [String: String]] = [:]
    private(set) var snapshot = Snapshot(revision: 0, [:])
    private var sets: [ResourceType: ResourceSet] = [:]
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
        let isLasting = lasting[type]?.contains(name) ?? false
        return XDSServerTests.resource(type, name, content, ttl: isLasting ? .seconds(30) : nil)
    }

    private static func set(_ type: ResourceType, _ contents: [String: String]) -> ResourceSet {
        ResourceSet(contents.map { resource(type, $0.key, $0.value) })
    }

    /// Sets are made in all the ways in which there are sets.
    private mutating func publish(_ random: inout SeededGenerator) {
        revision += 1
        for type in ResourceType.allCases {
            let new = contents[type] ?? [:]
            let old = Dictionary(uniqueKeysWithValues: (sets[type] ?? .empty).resources.map { ($0.name, $0) })
            let changed = new.map { Self.resource(type, $0.key, $0.value) }.filter {
                old[$0.name]?.version != $0.version
            }
            let removed = Set(old.keys).subtracting(new.keys)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: sets[type] = Self.set(type, new)
            case 1:
                let (below, above) = (new.filter { $0.key < "c3" }, new.filter { $0.key >= "c3" })
                sets[type] = ResourceSet(
                    above.map { Self.resource(type, $0.key, $0.value) }, over: Self.set(type, below))
            case 2...5 where changed.isEmpty && removed.isEmpty: break
            default:
                // Only a set without layers can be derived from.
                let own = sets[type].map { $0.updating(set: changed, removing: removed) }
                sets[type] = own?.names == Set(new.keys) ? own : Self.set(type, new)
            }
        }
        snapshot = Snapshot(revision: revision, sets)
    }
}
