import GRPCServer
import Testing

@testable import XDSServer

/// What is special about the single types.
@Suite("Types of resources")
struct ResourceTypeTests {
    @Test("On a stream that asks for everything at once, types come in the order of make before break")
    func order() throws {
        let one = Dictionary(uniqueKeysWithValues: ResourceType.allCases.map { ($0, ["a": "1"]) })
        var session = Session(.delta, snapshot(1, one))
        for type in ResourceType.allCases.reversed() { try session.want(type, ["a"]) }
        let first: [ResourceType] = [.cluster, .endpoint, .listener, .scopedRoute, .route, .virtualHost]
        #expect(session.responses().map(\.type) == first + [.extensionConfig, .secret, .runtime])
    }

    @Test(
        "What refers to clusters waits for their acknowledgement; secrets and runtime values do not",
        arguments: bothVariants)
    func waiting(_ variant: Variant) throws {
        func at(_ revision: Int64) -> Snapshot {
            let types = ResourceType.allCases.filter { $0 != .endpoint && $0.isServed(in: variant) }
            return snapshot(revision, Dictionary(uniqueKeysWithValues: types.map { ($0, ["a": "\(revision)"]) }))
        }
        var session = Session(variant, at(1))
        let types = ResourceType.allCases.filter { $0 != .endpoint && $0.isServed(in: variant) }
        for type in types { try session.want(type, ["a"]) }
        try session.settle()
        session.machine.update(at(2))
        let early = session.responses()
        #expect(early.map(\.type) == [.cluster, .secret, .runtime])
        try session.ack(early[0])
        #expect(session.responses().map(\.type) == types.filter { ![.cluster, .secret, .runtime].contains($0) })
    }

    @Test("A rotated secret reaches a client whose clusters wait for it, although an older snapshot is not done")
    func newestSecret() throws {
        var session = Session(.delta, snapshot(1, [.cluster: ["a": "1"], .secret: ["s": "1"]]))
        try session.want(.cluster, [])
        try session.want(.secret, ["s"])
        try session.settle()
        session.machine.update(snapshot(2, [.cluster: ["a": "2"], .secret: ["s": "1"]]))
        #expect(session.responses().map(\.type) == [.cluster])
        session.machine.update(snapshot(3, [.cluster: ["a": "2"], .secret: ["s": "2"]]))
        #expect(session.responses().map(\.type) == [.secret])
    }

    @Test("Delta: a secret is removed when the listeners that named it are acknowledged")
    func secretsGoLast() throws {
        var session = Session(.delta, snapshot(1, [.listener: ["l": "s"], .secret: ["s": "1"]]))
        try session.want(.listener, [])
        try session.want(.secret, ["s"])
        try session.settle()
        session.machine.update(snapshot(2, [.listener: ["l": "none"]]))
        let listeners = session.responses()
        #expect(listeners.map(\.type) == [.listener])
        #expect(session.machine.ackedRevision == 1)
        try session.ack(listeners[0])
        #expect(session.responses().map(\.removed) == [["s"]])
    }

    @Test(
        "Delta: an extension's configuration is never removed, but a client that asks for one that is not there hears it"
    )
    func extensionsStay() throws {
        var session = Session(.delta, snapshot(1, [.extensionConfig: ["e": "1"]]))
        try session.want(.extensionConfig, ["e", "none"])
        #expect(try session.settle().map(\.removed) == [["none"]])
        session.machine.update(snapshot(2, [:]))
        #expect(try session.settle().isEmpty)
        #expect(session.machine.ackedRevision == 2)
        session.machine.update(snapshot(3, [.extensionConfig: ["e": "1"]]))
        #expect(try session.settle().map(\.names) == [["e"]])
    }

    @Test("State of the world: scopes are always complete, and asked for without a name they are all")
    func scopes() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.scopedRoute: ["a": "1", "b": "1"]]))
        try session.want(.scopedRoute, [])
        #expect(try session.settle().map(\.names) == [["a", "b"]])
        session.machine.update(snapshot(2, [.scopedRoute: ["a": "2", "b": "1"]]))
        #expect(try session.settle().map(\.names) == [["a", "b"]])
        session.machine.update(snapshot(3, [:]))
        #expect(try session.settle().map(\.names) == [[]])
    }

    @Test("Of the other types a request without a name asks for nothing")
    func noWildcardWithoutName() throws {
        for type in ResourceType.allCases where ![.cluster, .listener, .scopedRoute].contains(type) {
            var session = Session(.delta, snapshot(1, [type: ["a": "1"]]))
            try session.want(type, [])
            #expect(try session.settle().map(\.names) == [[]], "\(type)")
        }
    }

    @Test("State of the world does not have virtual hosts: who asks for them is not answered, and goes on")
    func virtualHostsInStateOfTheWorld() throws {
        var session = Session(.stateOfTheWorld, snapshot(1, [.cluster: ["c": "1"], .virtualHost: ["r/h": "1"]]))
        try session.want(.virtualHost, ["r/h"])
        try session.want(.cluster, [])
        #expect(try session.settle().map(\.type) == [.cluster])
    }

    @Test("On a stream of one type that type need not be named, and another one is refused", arguments: bothVariants)
    func singleType(_ variant: Variant) throws {
        for type in ResourceType.allCases where type.isServed(in: variant) {
            let machine = StreamMachine(variant, only: type)
            machine.update(snapshot(1, [type: ["a": "1"]]))
            let names: DiscoveryRequest.Names =
                variant == .delta ? .change(subscribe: ["a"], unsubscribe: [], initialVersions: [:]) : .all(["a"])
            try machine.receive(DiscoveryRequest(typeURL: "", names: names))
            #expect(machine.next().map { Response($0).names } == ["a"])
            try machine.receive(DiscoveryRequest(typeURL: type.typeURL, names: names))
            for other in ["type.googleapis.com/unknown"] + ResourceType.allCases.filter({ $0 != type }).map(\.typeURL) {
                #expect(throws: RequestRefusal(reason: .invalid, detail: "type_url is not \(type.typeURL)")) {
                    try machine.receive(DiscoveryRequest(typeURL: other, names: names))
                }
            }
        }
    }
}
