import Testing

@testable import XDSServer

/// Make before break on one aggregated stream.
@Suite("The order in which types are pushed")
struct PushOrderTests {
    private let before = snapshot(
        1, [.cluster: ["old": "1"], .endpoint: ["old": "1"], .listener: ["l": "1"], .route: ["r": "old"]])
    private let after = snapshot(
        2, [.cluster: ["new": "1"], .endpoint: ["new": "1"], .listener: ["l": "1"], .route: ["r": "new"]])

    @Test("Clusters, their endpoints, routes when those are acknowledged, and removal last", arguments: bothVariants)
    func makeBeforeBreak(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(after)

        let clusters = session.responses()
        #expect(clusters.map(\.type) == [.cluster])
        #expect(clusters[0].names == (variant == .delta ? ["new"] : ["new", "old"]))
        #expect(clusters[0].removed.isEmpty)
        try session.want(.endpoint, ["old", "new"])
        let endpoints = session.responses()
        #expect(endpoints.map(\.type) == [.endpoint])
        #expect(endpoints[0].names == ["new"] && endpoints[0].removed.isEmpty)
        try session.ack(endpoints[0])
        #expect(session.responses().isEmpty, "routes wait for the clusters")
        try session.ack(clusters[0])
        let routes = session.responses()
        #expect(routes.map(\.type) == [.route])
        #expect(session.responses().isEmpty, "removal waits for the routes")
        try session.ack(routes[0])
        let removal = session.responses()
        #expect(removal.first?.type == .cluster)
        #expect(removal.first?.names == (variant == .delta ? [] : ["new"]))
        #expect(removal.first?.removed == (variant == .delta ? ["old"] : []))
        for response in removal { try session.ack(response) }
        try session.settle()
        #expect(session.machine.ackedRevision == 2)
    }

    @Test("A removal alone is not announced twice", arguments: bothVariants)
    func removalOnly(_ variant: Variant) throws {
        let both = snapshot(1, [.cluster: ["a": "1", "b": "1"], .route: ["r": "1"]])
        var session = try Session.synced(variant, both, routes: ["r"])
        session.machine.update(snapshot(2, [.cluster: ["a": "1"], .route: ["r": "1"]]))
        let responses = try session.settle()
        #expect(responses.count == 1)
        #expect(responses.first?.names == (variant == .delta ? [] : ["a"]))
    }

    @Test("Refused routes keep the clusters that the old ones need", arguments: bothVariants)
    func refusedRoutes(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(after)
        try session.ack(#require(session.responses().first))
        try session.nack(#require(session.responses().first { $0.type == .route }))
        #expect(session.responses().isEmpty)
        session.machine.update(before)
        let back = try session.settle()
        #expect(!back.contains { $0.removed.contains("old") })
        #expect(back.contains { $0.type == .route })
    }

    @Test("A cluster that comes back before its removal was told is not removed", arguments: bothVariants)
    func returningCluster(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(after)
        let clusters = try #require(session.responses().first)
        session.machine.update(before)
        try session.ack(clusters)
        for response in try session.settle() where response.type == .cluster {
            #expect(!response.removed.contains("old"))
            if variant == .stateOfTheWorld { #expect(response.names.contains("old")) }
        }
    }

    @Test("A refused cluster does not stop routes for ever", arguments: bothVariants)
    func refusedClusters(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(
            snapshot(2, [.cluster: ["old": "bad"], .endpoint: ["old": "1"], .listener: ["l": "1"], .route: ["r": "2"]]))
        try session.answerAll(refusing: .cluster)
        try session.settle()
        #expect(session.machine.ackedRevision == 1)
        session.machine.update(
            snapshot(
                3, [.cluster: ["old": "good"], .endpoint: ["old": "1"], .listener: ["l": "1"], .route: ["r": "3"]]))
        #expect(try session.settle().contains { $0.type == .route })
        #expect(session.machine.ackedRevision == 3)
        #expect(session.machine.nack == nil)
    }

    @Test("Routes do not wait for types that the client does not want", arguments: bothVariants)
    func routesOnly(_ variant: Variant) throws {
        var session = Session(variant, before)
        try session.want(.route, ["r"])
        try session.settle()
        session.machine.update(after)
        #expect(try session.settle().map(\.type) == [.route])
        #expect(session.machine.ackedRevision == 2)
    }

    @Test("Delta: endpoints are sent again after a change of their cluster, which warms anew and waits for them")
    func warmingAgain() throws {
        let endpoints = ["a": "1", "b": "1"]
        var session = try Session.synced(
            .delta, snapshot(1, [.cluster: ["a": "1", "b": "1"], .endpoint: endpoints]), endpoints: ["a", "b"])
        session.machine.update(snapshot(2, [.cluster: ["a": "2", "b": "1"], .endpoint: endpoints]))
        let responses = try session.settle()
        #expect(responses.map(\.type) == [.cluster, .endpoint])
        #expect(responses.last?.names == ["a"], "of the changed cluster, not of the others")
    }

    @Test(
        "New routes stay behind their clusters when a client asks for one more while a push is under way",
        arguments: bothVariants)
    func newSubscriptionDuringPush(_ variant: Variant) throws {
        let contents: [ResourceType: [String: String]] = [.cluster: ["old": "1"], .route: ["r": "old", "s": "old"]]
        var session = try Session.synced(variant, snapshot(1, contents), routes: ["r"])
        session.machine.update(snapshot(2, [.cluster: ["new": "1"], .route: ["r": "new", "s": "new"]]))
        _ = session.responses()
        try session.want(.route, ["r", "s"])
        let early = session.responses().filter { $0.type == .route }
        #expect(early.map(\.names) == [["s"]])
        #expect(early.first?.resources.first?.version == resource(.route, "s", "old").version)
    }

    @Test("The acknowledged revision advances at once when nothing changes for the client", arguments: bothVariants)
    func untouched(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(before.same(at: 9))
        #expect(session.responses().isEmpty)
        #expect(session.machine.ackedRevision == 9)
    }

    @Test("Two snapshots of one revision are two", arguments: bothVariants)
    func sameRevision(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(after.same(at: 1, [.cluster, .route]))
        #expect(session.responses().map(\.type) == [.cluster])
    }

    @Test("Routes wait for the acknowledgement of endpoints too", arguments: bothVariants)
    func routesWaitForEndpoints(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(
            snapshot(2, [.cluster: ["old": "1"], .endpoint: ["old": "2"], .listener: ["l": "1"], .route: ["r": "2"]]))
        let endpoints = session.responses()
        #expect(endpoints.map(\.type) == [.endpoint])
        try session.ack(endpoints[0])
        #expect(session.responses().map(\.type) == [.route])
    }

    @Test("Endpoints do not wait for the acknowledgement of clusters, nor of older routes", arguments: bothVariants)
    func endpointsDoNotWait(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(
            snapshot(2, [.cluster: ["old": "2"], .endpoint: ["old": "2"], .listener: ["l": "1"], .route: ["r": "2"]]))
        let both = session.responses()
        #expect(both.map(\.type) == [.cluster, .endpoint])
        try session.ack(both[1])
        session.machine.update(
            snapshot(3, [.cluster: ["old": "3"], .endpoint: ["old": "3"], .listener: ["l": "1"], .route: ["r": "3"]]))
        #expect(session.responses().map(\.type) == [.endpoint], "what is newest, while clusters are still on their way")
    }

    @Test("Listeners come before routes", arguments: bothVariants)
    func listenersFirst(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(
            snapshot(2, [.cluster: ["old": "1"], .endpoint: ["old": "1"], .listener: ["l": "2"], .route: ["r": "2"]]))
        #expect(session.responses().map(\.type) == [.listener, .route])
    }

    @Test("Routes that wait for clusters are not sent if newer ones come that need no others", arguments: bothVariants)
    func supersededRoutes(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        let clusters = ["old": "1", "new": "1"]
        func at(_ revision: Int64, route: String) -> Snapshot {
            snapshot(
                revision, [.cluster: clusters, .endpoint: ["old": "1"], .listener: ["l": "1"], .route: ["r": route]])
        }
        session.machine.update(at(2, route: "new"))
        let pending = session.responses()
        #expect(pending.map(\.type) == [.cluster])
        session.machine.update(at(3, route: "newer"))
        try session.ack(pending[0])
        let routes = try session.settle()
        #expect(routes.map { $0.resources.first?.version } == [resource(.route, "r", "newer").version])
        #expect(session.machine.ackedRevision == 3)
    }

    @Test("A snapshot that comes while an older one waits is carried out after it", arguments: bothVariants)
    func newerWhileWaiting(_ variant: Variant) throws {
        var session = try Session.synced(variant, before, endpoints: ["old"], routes: ["r"])
        session.machine.update(after)
        let first = session.responses()
        session.machine.update(
            snapshot(3, [.cluster: ["newest": "1"], .endpoint: [:], .listener: ["l": "1"], .route: ["r": "newest"]]))
        #expect(session.responses().isEmpty)
        for response in first { try session.ack(response) }
        let rest = try session.settle()
        let cluster = try #require(rest.firstIndex { $0.type == .cluster && $0.names.contains("newest") })
        let route = try #require(
            rest.firstIndex { $0.resources.first?.version == resource(.route, "r", "newest").version })
        #expect(cluster < route)
        #expect(session.machine.ackedRevision == 3)
    }
}
