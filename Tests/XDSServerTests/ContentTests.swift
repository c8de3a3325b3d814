import Testing

@testable import XDSServer

/// What responses have in them.
@Suite("Contents of responses")
struct ContentTests {
    @Test(
        "A name that is not there is told in delta and not in state of the world; later it is pushed",
        arguments: bothVariants)
    func unknownName(_ variant: Variant) throws {
        var session = Session(variant, snapshot(1, [:]))
        try session.want(.route, ["r"])
        let first = try session.settle()
        if variant == .delta {
            #expect(first.map(\.removed) == [["r"]])
        } else {
            #expect(first.isEmpty)
        }
        #expect(session.machine.ackedRevision == 1)
        session.machine.update(snapshot(2, [.route: ["r": "1"]]))
        #expect(try session.settle().map(\.names) == [["r"]])
    }

    @Test("Deletion: left out of the full set, or named as removed", arguments: bothVariants)
    func deletion(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.listener: ["a": "1", "b": "1"]]))
        session.machine.update(snapshot(2, [.listener: ["b": "1"]]))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [variant == .delta ? [] : ["b"]])
        #expect(responses.map(\.removed) == [variant == .delta ? ["a"] : []])
        session.machine.update(snapshot(3, [:]))
        #expect(try session.settle().count == 1, "the last one goes too")
    }

    @Test("Of ten thousand endpoints one changes: one is sent", arguments: bothVariants)
    func oneOfMany(_ variant: Variant) throws {
        let many = (0..<10_000).map { resource(.endpoint, "e\($0)", "1") }
        let before = ResourceSet(many)
        var session = Session(variant, Snapshot(revision: 1, [.endpoint: before]))
        try session.want(.endpoint, many.map(\.name))
        #expect(try session.settle().map(\.resources.count) == [10_000])
        let after = before.updating(set: [resource(.endpoint, "e77", "2")], removing: [String]())
        session.machine.update(Snapshot(revision: 2, [.endpoint: after]))
        #expect(try session.settle().map(\.names) == [["e77"]])
    }

    @Test("gRPC: a listener, its routes, one cluster of many, its endpoints, each by name")
    func proxyless() throws {
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("c\($0)", "1") })
        var session = Session(
            .stateOfTheWorld,
            snapshot(1, [.listener: ["l": "1", "m": "1"], .route: ["r": "1"], .cluster: many, .endpoint: many]))
        for (type, name) in [(ResourceType.listener, "l"), (.route, "r"), (.cluster, "c7"), (.endpoint, "c7")] {
            try session.want(type, [name])
            #expect(try session.settle().contains { $0.type == type && $0.names == [name] })
        }
        session.machine.update(
            snapshot(2, [.listener: ["l": "1", "m": "2"], .route: ["r": "1"], .cluster: many, .endpoint: many]))
        #expect(try session.settle().isEmpty, "another target's listener is nobody's business")
        #expect(session.machine.ackedRevision == 2)
    }
}
