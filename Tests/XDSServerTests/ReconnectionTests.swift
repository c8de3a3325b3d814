import Testing

@testable import XDSServer

/// Clients that come back with what another stream gave them.
@Suite("Reconnection")
struct ReconnectionTests {
    @Test("Delta: a client that comes back is told what changed and what has gone")
    func reconnection() throws {
        let now = snapshot(1, [.cluster: ["same": "1", "changed": "2", "new": "1"]])
        var session = Session(.delta, now)
        let has = ["same": resource(.cluster, "same", "1").version, "changed": "old", "gone": "old"]
        try session.send(.cluster, .change(subscribe: [], unsubscribe: [], initialVersions: VersionList(has)))
        let responses = try session.settle()
        #expect(responses.flatMap(\.names) == ["changed", "new"])
        #expect(responses.flatMap(\.removed) == ["gone"])
    }

    @Test(
        "Delta: a client that has everything is answered once, so that its warming ends",
        arguments: ResourceType.allCases)
    func reconnectionWithEverything(_ type: ResourceType) throws {
        var session = Session(.delta, snapshot(1, [type: ["a": "1"]]))
        let has = ["a": resource(type, "a", "1").version, "not wanted": "1"]
        try session.send(type, .change(subscribe: ["a"], unsubscribe: [], initialVersions: VersionList(has)))
        let responses = try session.settle()
        #expect(responses.count == 1 && responses[0].names == [] && responses[0].removed == [])
    }

    @Test("Delta: what the client said it has is void for a name that it drops and wants again")
    func hintThenResubscription() throws {
        var session = Session(.delta)
        let has = ["a": resource(.route, "a", "1").version]
        try session.send(.route, .change(subscribe: ["a"], unsubscribe: [], initialVersions: VersionList(has)))
        try session.send(.route, .change(subscribe: [], unsubscribe: ["a"], initialVersions: [:]))
        try session.send(.route, .change(subscribe: ["a"], unsubscribe: [], initialVersions: [:]))
        session.machine.update(snapshot(1, [.route: ["a": "1"]]))
        #expect(try session.settle().map(\.names) == [["a"]])
    }

    @Test("State of the world: a client that comes back with names and a version is answered")
    func reconnectionStateOfTheWorld() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.route: ["a": "1"]]))
        try session.want(.route, ["a"])
        #expect(session.responses().map(\.names) == [["a"]])
    }

    @Test("Delta: clusters that have gone while a client was away are removed after its routes are renewed")
    func reconnectionRemovesLast() throws {
        var session = Session(.delta, snapshot(2, [.cluster: ["new": "1"], .route: ["r": "new"]]))
        try session.send(.cluster, .change(subscribe: [], unsubscribe: [], initialVersions: ["old": "1"]))
        try session.send(.route, .change(subscribe: ["r"], unsubscribe: [], initialVersions: ["r": "1"]))
        let responses = try session.settle()
        let route = try #require(responses.firstIndex { $0.type == .route })
        let removal = try #require(responses.firstIndex { $0.removed == ["old"] })
        #expect(route < removal)
    }

    @Test("Delta: a cluster that has gone and comes back before its removal was told is not sent to who still has it")
    func returnsBeforeRemoval() throws {
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "1"], .route: ["r": "1"]]))
        let has = ["b": resource(.cluster, "b", "1").version]
        try session.send(.cluster, .change(subscribe: [], unsubscribe: [], initialVersions: VersionList(has)))
        try session.want(.route, ["r"])
        let first = session.responses()
        session.machine.update(snapshot(2, [.cluster: ["a": "1", "b": "1"], .route: ["r": "1"]]))
        for response in first { try session.ack(response) }
        #expect(try session.settle().isEmpty)
        #expect(session.machine.ackedRevision == 2)
    }

    @Test("Delta: endpoints that a client has are sent to it again with their cluster, if that changed meanwhile")
    func changedClusterWarms() throws {
        let endpoints = ["a": "1", "b": "1"]
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "2", "b": "1"], .endpoint: endpoints]))
        let clusters = ["a": "old", "b": resource(.cluster, "b", "1").version]
        try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: [], initialVersions: VersionList(clusters)))
        let has = Dictionary(uniqueKeysWithValues: endpoints.keys.map { ($0, resource(.endpoint, $0, "1").version) })
        try session.send(.endpoint, .change(subscribe: ["a", "b"], unsubscribe: [], initialVersions: VersionList(has)))
        let responses = try session.settle()
        #expect(responses.map(\.type) == [.cluster, .endpoint] && responses.map(\.names) == [["a"], ["a"]])
    }

    @Test("A nonce of another stream does not keep a first request from being answered")
    func nonceOfAnotherStream() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.endpoint: ["a": "1"]]))
        try session.send(.endpoint, .all(["a"]), nonce: "77")
        #expect(session.responses().map(\.names) == [["a"]])
    }
}
