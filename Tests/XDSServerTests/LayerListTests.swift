import TestSupport
import Testing

@testable import XDSServer

/// Clients whose list of layers becomes another one while their stream lives.
@Suite("Lists of layers that change")
struct LayerListTests {
    /// A scope that many have: a hundred clusters with their endpoints, and a route that names some of them.
    private static func scope(_ texts: [String: String]) -> Layer {
        Layer([
            .cluster: ResourceSet(texts.map { resource(.cluster, $0.key, $0.value) }),
            .endpoint: ResourceSet(texts.keys.map { resource(.endpoint, $0, "1") }),
            .route: set(.route, ["r": texts["c7"] ?? ""]),
        ])
    }

    private static func own(_ index: Int) -> Layer { Layer([.cluster: set(.cluster, ["own-\(index)": "1"])]) }

    private static let texts = Dictionary(uniqueKeysWithValues: (0..<100).map { ("c\($0)", "1") })

    @Test("under a thousand streams, send each only what differs, and find that out once", arguments: bothVariants)
    func thousandStreams(_ variant: Variant) throws {
        let before = Self.scope(Self.texts)
        // In the other scope, one cluster is another, one is gone, one is new, and ninety-eight are as they were.
        var texts = Self.texts
        (texts["c7"], texts["c8"], texts["new"]) = ("2", nil, "1")
        let after = Self.scope(texts)
        let sharing = StreamSharing()
        let names = texts.keys.sorted() + ["c8"]
        for index in 0..<1_000 {
            let own = Self.own(index)
            var session = Session(variant, Snapshot(revision: 1, layers: [before, own]), sharing: sharing)
            try session.want(.cluster, [])
            try session.settle()
            try session.want(.endpoint, names)
            try session.want(.route, ["r"])
            try session.settle()
            #expect(session.machine.ackedRevision == 1)

            session.machine.update(Snapshot(revision: 2, layers: [after, own]))
            let responses = try session.settle()
            switch variant {
            case .delta:
                // A cluster that is sent warms anew, so its endpoints are sent with it.
                #expect(responses.map(\.type) == [.cluster, .endpoint, .route, .cluster, .endpoint])
                #expect(responses.map(\.names) == [["c7", "new"], ["c7", "new"], ["r"], [], []])
                #expect(responses.map(\.removed) == [[], [], [], ["c8"], ["c8"]])
            case .stateOfTheWorld:
                // All clusters every time: first with the one that is gone, and then without.
                #expect(responses.map(\.type) == [.cluster, .endpoint, .route, .cluster])
                #expect(responses[0].names == (Array(texts.keys) + ["c8", "own-\(index)"]).sorted())
                #expect(responses[1].names == ["new"] && responses[2].names == ["r"])
                #expect(responses[3].names == (Array(texts.keys) + ["own-\(index)"]).sorted())
            }
            #expect(session.machine.ackedRevision == 2)
        }
    }

    @Test("are no change for what only moves to another layer, and the version stays", arguments: bothVariants)
    func moving(_ variant: Variant) throws {
        let whole = Self.scope(Self.texts)
        let parts = [true, false].map { isFirst in
            Layer(
                whole.sets.mapValues { set in
                    ResourceSet(set.resources.filter { $0.name.hasSuffix("7") == isFirst })
                })
        }
        let (before, after) = (
            Snapshot(revision: 1, layers: [whole, Self.own(1)]),
            Snapshot(revision: 2, layers: [parts[1], Self.own(1), parts[0]])
        )
        for type in ResourceType.allCases { #expect(before[type].version == after[type].version) }
        var session = try Session.synced(variant, before, endpoints: Self.texts.keys.sorted(), routes: ["r"])
        for (revision, snapshot) in [(2, after), (1, before), (2, after)] as [(Int64, Snapshot)] {
            session.machine.update(snapshot)
            #expect(try session.settle().isEmpty)
            #expect(session.machine.ackedRevision == revision)
            for subscription in session.machine.subscriptions {
                #expect(subscription.isSettled(on: snapshot[subscription.type]))
            }
        }
        // What moves and changes at once is a change of one resource.
        let changed = Layer(parts[1].sets.mapValues { $0.updating(set: [], removing: ["c3"]) })
        let moved = Layer([
            .cluster: set(.cluster, ["c3": "2", "own-1": "1"]), .endpoint: set(.endpoint, ["c3": "1"]),
        ])
        session.machine.update(Snapshot(revision: 3, layers: [moved, changed, parts[0]]))
        let responses = try session.settle()
        #expect(responses.filter { $0.type != .cluster }.map(\.names) == (variant == .delta ? [["c3"]] : []))
        let all = Array(Self.texts.keys) + ["own-1"]
        #expect(responses.first?.names == (variant == .delta ? ["c3"] : all.sorted()))
        #expect(responses.allSatisfy { $0.removed.isEmpty })
    }

    @Test(
        "keep a route behind its cluster, and a cluster before it is removed, over two layers", arguments: bothVariants)
    func order(_ variant: Variant) throws {
        func snapshot(_ revision: Int64, cluster: String, isRouteFirst: Bool) -> Snapshot {
            let routes = Layer([.route: set(.route, ["r": cluster])])
            let clusters = Layer([.cluster: set(.cluster, [cluster: "1"])])
            return Snapshot(revision: revision, layers: isRouteFirst ? [routes, clusters] : [clusters, routes])
        }
        var session = Session(variant, snapshot(1, cluster: "a", isRouteFirst: true))
        try session.want(.cluster, [])
        try session.want(.route, ["r"])
        try session.settle()
        for (revision, cluster) in [(2, "b"), (3, "c"), (4, "d")] as [(Int64, String)] {
            session.machine.update(snapshot(revision, cluster: cluster, isRouteFirst: revision != 3))
            let first = session.responses()
            #expect(first.map(\.type) == [.cluster] && first[0].names.contains(cluster) && first[0].removed.isEmpty)
            try session.ack(first[0])
            let second = session.responses()
            #expect(second.map(\.type) == [.route])
            try session.ack(second[0])
            let third = session.responses()
            #expect(third.map(\.type) == [.cluster])
            #expect(variant == .delta ? third[0].removed.count == 1 : third[0].names == [cluster])
            try session.ack(third[0])
            #expect(session.machine.ackedRevision == revision)
        }
    }

    @Test("A client that comes back to another list with the same resources is sent nothing")
    func reconnection() throws {
        let layers = [Self.scope(Self.texts), Self.own(1)]
        let has = Dictionary(
            uniqueKeysWithValues: Snapshot(revision: 1, layers: layers)[.cluster].resources.map {
                ($0.name, $0.version)
            })
        for list in [
            layers, layers.reversed(), [Layer([.cluster: ResourceSet(layers.flatMap { $0[.cluster].resources })])],
        ] {
            var session = Session(.delta, Snapshot(revision: 2, layers: list))
            try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: [], initialVersions: VersionList(has)))
            let responses = try session.settle()
            #expect(responses.map(\.names) == [[]] && responses.map(\.removed) == [[]])
            // Beside the wildcard it may want what is not there, and is to be told.
            var asking = Session(.delta, Snapshot(revision: 2, layers: list))
            try asking.send(
                .cluster, .change(subscribe: ["*", "none"], unsubscribe: [], initialVersions: VersionList(has)))
            #expect(try asking.settle().map(\.removed) == [["none"]])
        }
        // One thing has changed, and one has gone, while it was away.
        var changed = has
        (changed["c5"], changed["gone"]) = ("other", "1")
        var session = Session(.delta, Snapshot(revision: 2, layers: layers))
        try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: [], initialVersions: VersionList(changed)))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [["c5"], []] && responses.map(\.removed) == [[], ["gone"]])
    }
}
