import Testing

@testable import XDSServer

/// What a client wants: everything, names, both, nothing.
@Suite("Subscriptions")
struct SubscriptionTests {
    @Test("The first request is answered", arguments: bothVariants)
    func firstRequest(_ variant: Variant) throws {
        var session = Session(variant, snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        try session.want(.cluster, [])
        #expect(session.responses().map(\.names) == [["a", "b"]])
    }

    @Test("The first request for everything is answered even if there is nothing", arguments: bothVariants)
    func firstRequestForNothing(_ variant: Variant) throws {
        var session = Session(variant, snapshot(1, [:]))
        try session.want(.cluster, [])
        #expect(session.responses().map(\.names) == [[]])
    }

    @Test("Before there is a snapshot nothing is said, and the request is not forgotten", arguments: bothVariants)
    func beforeTheFirstSnapshot(_ variant: Variant) throws {
        var session = Session(variant)
        try session.want(.cluster, [])
        #expect(session.responses().isEmpty)
        session.machine.update(snapshot(1, [.cluster: ["a": "1"]]))
        #expect(session.responses().map(\.names) == [["a"]])
    }

    @Test("Everything, then names, then nothing: an empty list means everything only before any name was given")
    func wildcardToExplicitToEmpty() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        try session.want(.cluster, [])
        #expect(try session.settle().map(\.names) == [["a", "b"]])
        try session.want(.cluster, ["*", "a"])
        #expect(try session.settle().last?.names == ["a", "b"])
        try session.want(.cluster, ["a"])
        #expect(try session.settle().map(\.names) == [["a"]])
        try session.want(.cluster, [])
        #expect(try session.settle().map(\.names) == [[]])
        session.machine.update(snapshot(2, [.cluster: ["a": "2", "b": "2"]]))
        #expect(try session.settle().isEmpty)
    }

    @Test("After an explicit wildcard an empty list means nothing")
    func explicitWildcardToEmpty() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.cluster: ["a": "1"]]))
        try session.want(.cluster, ["*"])
        #expect(try session.settle().map(\.names) == [["a"]])
        try session.want(.cluster, [])
        #expect(try session.settle().map(\.names) == [[]])
    }

    @Test("Delta: a wildcard, a name beside it, and each taken away")
    func deltaWildcards() throws {
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        try session.want(.cluster, [])
        #expect(try session.settle().map(\.names) == [["a", "b"]])
        try session.send(.cluster, .change(subscribe: ["a", "x"], unsubscribe: [], initialVersions: [:]))
        let mixed = try session.settle()
        #expect(mixed.map(\.names) == [["a"]] && mixed.map(\.removed) == [["x"]])
        try session.send(.cluster, .change(subscribe: [], unsubscribe: ["a", "x"], initialVersions: [:]))
        let told = try session.settle()
        #expect(told.map(\.names) == [["a"]], "a name that the wildcard still covers is told again")
        #expect(told.map(\.removed) == [["x"]])
        try session.send(.cluster, .change(subscribe: ["b"], unsubscribe: ["*"], initialVersions: [:]))
        #expect(try session.settle().map(\.names) == [["b"]])
        session.machine.update(snapshot(2, [.cluster: ["a": "2", "b": "1"]]))
        #expect(try session.settle().isEmpty, "the wildcard has ended")
        try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: [], initialVersions: [:]))
        #expect(try session.settle().map(\.names) == [["a", "b"]], "a wildcard anew is everything anew")
    }

    @Test("Delta: to want nothing, a client subscribes to and unsubscribes from everything")
    func deltaNothing() throws {
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "1"]]))
        try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: ["*"], initialVersions: [:]))
        #expect(session.responses().flatMap(\.names).isEmpty)
    }

    @Test("A name wanted again is sent again", arguments: bothVariants)
    func resubscription(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.route: ["a": "1", "b": "1"]]), routes: ["a", "b"])
        try session.want(.route, ["b"])
        #expect(try session.settle().isEmpty, "wanting less is not answered")
        try session.want(.route, ["a", "b"])
        #expect(try session.settle().map(\.names) == [["a"]])
    }

    @Test("Delta: subscribing to what the client has sends it again")
    func repeatedSubscription() throws {
        var session = try Session.synced(.delta, snapshot(1, [.route: ["a": "1"]]), routes: ["a"])
        try session.send(.route, .change(subscribe: ["a"], unsubscribe: [], initialVersions: [:]))
        #expect(try session.settle().map(\.names) == [["a"]])
    }

    @Test("Delta: what a client unsubscribes from is not pushed any more")
    func unsubscription() throws {
        var session = try Session.synced(.delta, snapshot(1, [.route: ["a": "1", "b": "1"]]), routes: ["a", "b"])
        try session.want(.route, ["b"])
        #expect(session.responses().isEmpty)
        session.machine.update(snapshot(2, [.route: ["a": "2", "b": "1"]]))
        #expect(session.responses().isEmpty)
        #expect(session.machine.ackedRevision == 2)
        try session.send(.route, .change(subscribe: [], unsubscribe: ["never seen"], initialVersions: [:]))
        #expect(session.responses().isEmpty)
    }

    @Test("State of the world: a wildcard beside names is everything, also of types that are sent in parts")
    func laterWildcard() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.secret: ["a": "1", "b": "1"]]))
        try session.want(.secret, ["a"])
        try session.settle()
        try session.want(.secret, ["*", "a"])
        #expect(try session.settle().map(\.names) == [["a", "b"]])
    }

    @Test("Delta: a name given up for a wildcard before the first answer is answered too")
    func nameGivenUpForWildcard() throws {
        var session = Session(.delta)
        try session.send(.cluster, .change(subscribe: ["a", "none"], unsubscribe: [], initialVersions: [:]))
        try session.send(.cluster, .change(subscribe: ["*"], unsubscribe: ["a", "none"], initialVersions: [:]))
        session.machine.update(snapshot(1, [.cluster: ["a": "1"]]))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [["a"]] && responses.map(\.removed) == [["none"]])
    }

    @Test("Delta: what was to be removed when the client gave it up holds nothing back when it is there again")
    func unsubscriptionWhileLeaving() throws {
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "1", "b": "1"], .route: ["r": "1"]]))
        try session.want(.cluster, ["a", "b"])
        try session.want(.route, ["r"])
        try session.settle()
        session.machine.update(snapshot(2, [.cluster: ["b": "2"], .route: ["r": "1"]]))
        let clusters = session.responses()
        try session.want(.cluster, ["b"])
        session.machine.update(snapshot(3, [.cluster: ["a": "1", "b": "2"], .route: ["r": "1"]]))
        for response in clusters { try session.ack(response) }
        #expect(try session.settle().isEmpty)
        #expect(session.machine.ackedRevision == 3)
    }

    @Test("A name given twice is answered once", arguments: bothVariants)
    func duplicates(_ variant: Variant) throws {
        let layers = [["a": "2"], ["a": "1", "b": "1"]].map { Layer([.route: set(.route, $0)]) }
        var session = Session(variant, Snapshot(revision: 1, layers: layers))
        try session.want(.route, ["a", "a", "b", "*", "b"])
        for response in try session.settle() { #expect(!response.hasDuplicates) }
    }
}
