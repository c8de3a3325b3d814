import Testing

@testable import XDSServer

/// Requests that crossed a response on the wire.
@Suite("Nonces")
struct NonceTests {
    @Test("A request with a stale nonce is ignored in state of the world")
    func staleNonce() throws {
        let contents: [ResourceType: [String: String]] = [.route: ["a": "1", "b": "1"]]
        var session = Session(.stateOfTheWorld, snapshot(1, contents))
        try session.want(.route, ["a"])
        let first = try #require(session.responses().first)
        try session.ack(first)
        session.machine.update(snapshot(2, [.route: ["a": "2", "b": "1"]]))
        let second = try #require(session.responses().first)
        try session.send(.route, .all(["a", "b"]), nonce: first.nonce)
        #expect(session.responses().isEmpty)
        try session.send(.route, .all(["a", "b"]), nonce: second.nonce)
        #expect(session.responses().map(\.names) == [["b"]])
    }

    @Test("A stale request that left a name out makes the server send it again")
    func staleForgetting() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.route: ["a": "1", "b": "1"]]))
        try session.want(.route, ["a", "b"])
        let first = try #require(session.responses().first)
        try session.ack(first)
        session.machine.update(snapshot(2, [.route: ["a": "1", "b": "2"]]))
        let second = try #require(session.responses().first)
        try session.send(.route, .all(["b"]), nonce: first.nonce)
        try session.send(.route, .all(["a", "b"]), nonce: second.nonce)
        #expect(session.responses().map(\.names) == [["a"]])
    }

    @Test("A stale request that gave up the wildcard makes the server send everything again")
    func staleWildcard() throws {
        for names in [["*"], ["*", "a"]] {
            var session = Session(.stateOfTheWorld, snapshot(1, [.secret: ["a": "1", "b": "1"]]))
            try session.want(.secret, names)
            let first = try #require(session.responses().first)
            try session.ack(first)
            session.machine.update(snapshot(2, [.secret: ["a": "1", "b": "2"]]))
            let second = try #require(session.responses().first)
            for stale in [["b"], ["*", "b"]] { try session.send(.secret, .all(NameList(stale)), nonce: first.nonce) }
            try session.send(.secret, .all(["*", "b"]), nonce: second.nonce)
            #expect(session.responses().map(\.names) == [["a", "b"]])
        }
    }

    @Test("A delta request with a stale nonce still subscribes and unsubscribes")
    func staleNonceSubscribes() throws {
        var session = Session(.delta, snapshot(1, [.route: ["a": "1", "b": "1"]]))
        try session.want(.route, ["a"])
        _ = session.responses()
        try session.send(
            .route, .change(subscribe: ["b"], unsubscribe: ["a"], initialVersions: [:]), nonce: "stale", error: "x")
        #expect(session.responses().isEmpty, "one response is under way")
        #expect(session.machine.nack == nil)
        try session.send(.route, .change(subscribe: [], unsubscribe: [], initialVersions: [:]), nonce: "1")
        #expect(session.responses().map(\.names) == [["b"]])
    }

    @Test("State of the world: the same request again is answered, as Envoy asks when a cluster warms")
    func repeatedRequest() throws {
        var session = try Session.synced(.stateOfTheWorld, snapshot(1, [.endpoint: ["a": "1"]]), endpoints: ["a"])
        try session.want(.endpoint, ["a"])
        #expect(try session.settle().map(\.names) == [["a"]])
    }

    @Test("A stream that does not send gets the newest, not each", arguments: bothVariants)
    func newestOnly(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.route: ["r": "1"]]), routes: ["r"])
        for revision in 2...50 { session.machine.update(snapshot(Int64(revision), [.route: ["r": "\(revision)"]])) }
        let responses = try session.settle()
        #expect(responses.count == 1)
        #expect(responses.first?.resources.first?.version == resource(.route, "r", "50").version)
    }
}
