import TestSupport
@testable import XDSServer

/// Snapshots that follow each other at random, each right in itself: its routes name clusters that it has.
struct RandomWorld {
    let clusterNames = (1...5).map { "c\($0)" }
    let routeNames = (1...3).map { "r\($0)" }
    /// State of the world cannot delete a route, so there they stay.
    let deletesRoutes: Bool
    private(set) var contents: [ResourceType: [String: String]] = [:]
    private(set) var snapshot = Snapshot(revision: 0, [:])
    private var revision: Int64 = 0

    init(for variant: Variant) { deletesRoutes = variant == .delta }

    mutating func next(_ random: inout SeededGenerator) -> Snapshot {
        // Often only endpoints, or only routes.
        let isPartial = random.chance(60) && revision > 0
        if !isPartial {
            let clusters = clusterNames.filter { _ in random.chance(60) }
            contents[.cluster] = versions(clusters, &random)
            contents[.listener] = versions(["l1", "l2"].filter { _ in random.chance(70) }, &random)
        }
        let clusters = contents[.cluster, default: [:]].keys.sorted()
        if !isPartial || random.chance(50) { contents[.endpoint] = versions(clusters, &random) }
        if !isPartial || random.chance(50) {
            contents[.route] = [:]
            for name in routeNames where random.chance(80) || !deletesRoutes {
                contents[.route]?[name] = clusters.filter { _ in random.chance(50) }.joined(separator: ",")
            }
        }
        return make()
    }

    /// The same names, each with a content that it never had.
    mutating func renewed() -> Snapshot {
        for type in [ResourceType.cluster, .endpoint, .listener] {
            contents[type] = contents[type]?.mapValues { _ in "renewed" }
        }
        // A route's content is what it names; a repeated comma is another content with the same names.
        contents[.route] = contents[.route]?.mapValues { $0 + ",," }
        return make()
    }

    private mutating func make() -> Snapshot {
        revision += 1
        snapshot = XDSServerTests.snapshot(revision, contents)
        return snapshot
    }

    private func versions(_ names: [String], _ random: inout SeededGenerator) -> [String: String] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, String(Int.random(in: 0..<2, using: &random))) })
    }
}
