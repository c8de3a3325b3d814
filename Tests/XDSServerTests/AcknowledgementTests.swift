import Testing

@testable import XDSServer

/// ACK, NACK and nonces ("xDS REST and gRPC protocol", ACK and NACK).
@Suite("Acknowledgement and refusal")
struct AcknowledgementTests {
    @Test("An ACK is not answered", arguments: bothVariants)
    func ackIsSilent(_ variant: Variant) throws {
        var session = Session(variant, snapshot(1, [.cluster: ["a": "1"]]))
        try session.want(.cluster, [])
        try session.ack(#require(session.responses().first))
        #expect(session.responses().isEmpty)
        #expect(session.machine.ackedRevision == 1)
    }

    @Test("A NACK is not answered until something changes, and is reported", arguments: bothVariants)
    func nackIsSilent(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.cluster: ["a": "1"]]))
        session.machine.update(snapshot(2, [.cluster: ["a": "bad"]]))
        try session.nack(#require(session.responses().first), "a is bad")
        #expect(session.responses().isEmpty)
        #expect(session.machine.ackedRevision == 1)
        #expect(session.machine.nack?.revision == 2 && session.machine.nack?.message == "a is bad")

        session.machine.update(snapshot(3, [.cluster: ["a": "bad"]]))
        #expect(session.responses().isEmpty, "the same content again is no change")
        #expect(session.machine.ackedRevision == 1)

        session.machine.update(snapshot(4, [.cluster: ["a": "good"]]))
        try session.ack(#require(session.responses().first))
        #expect(session.responses().isEmpty)
        #expect(session.machine.nack == nil)
        #expect(session.machine.ackedRevision == 4)
    }

    @Test(
        "What is refused is answered: a stream knows up to which revision, and what it lacks", arguments: bothVariants)
    func answered(_ variant: Variant) throws {
        let first = snapshot(1, [.cluster: ["a": "1", "b": "1"], .route: ["r": "1", "s": "1"]])
        var session = try Session.synced(variant, first, routes: ["r", "s"])
        #expect(session.machine.firstRevision == 1 && session.machine.answeredRevision == 1)
        session.machine.update(snapshot(2, [.cluster: ["a": "bad", "b": "2"], .route: ["r": "2", "s": "1"]]))
        #expect(session.machine.answeredRevision == 1)
        let clusters = try #require(session.responses().first)
        #expect(session.machine.answeredRevision == 1, "its routes have yet to come")
        try session.nack(clusters, "Error adding/updating cluster(s) a: no such CA")
        #expect(session.machine.answeredRevision == 1)
        try session.nack(#require(session.responses().first), "no")
        #expect(session.responses().isEmpty)
        #expect(session.machine.answeredRevision == 2 && session.machine.ackedRevision == 1)
        #expect(session.machine.firstRevision == 1)
        #expect(session.machine.subscriptions.map(\.lacking) == [["a"], [], ["r"]])

        session.machine.update(snapshot(3, [.cluster: ["a": "3", "b": "2"], .route: ["r": "3", "s": "1"]]))
        try session.settle()
        #expect(session.machine.answeredRevision == 3 && session.machine.ackedRevision == 3)
        #expect(session.machine.subscriptions.allSatisfy { $0.lacking == [] })
    }

    @Test("What is to be removed behind refused routes does not keep a revision from being answered")
    func answeredWithRemovals() throws {
        let first = snapshot(1, [.cluster: ["a": "1", "b": "1"], .route: ["r": "1"]])
        var session = try Session.synced(.delta, first, routes: ["r"])
        session.machine.update(snapshot(2, [.cluster: ["b": "1"], .route: ["r": "bad"]]))
        try session.nack(#require(session.responses().first))
        #expect(session.responses().isEmpty, "its routes may need the cluster")
        #expect(session.machine.answeredRevision == 2)
    }

    @Test("Accepting something else does not undo a NACK", arguments: bothVariants)
    func nackOutlivesOtherAcks(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.route: ["a": "1", "b": "1"]]), routes: ["a", "b"])
        session.machine.update(snapshot(2, [.route: ["a": "bad", "b": "1"]]))
        try session.nack(#require(session.responses().first))

        session.machine.update(snapshot(3, [.route: ["a": "bad", "b": "2"]]))
        #expect(try session.settle().map(\.names) == [["b"]], "what was refused is not tried again before it changes")
        #expect(session.machine.nack != nil)
        #expect(session.machine.ackedRevision == 1)

        session.machine.update(snapshot(4, [.route: ["a": "good", "b": "2"]]))
        #expect(try session.settle().map(\.names) == [["a"]])
        #expect(session.machine.nack == nil)
        #expect(session.machine.ackedRevision == 4)
    }

    @Test("When what was refused is no longer wanted, nothing is refused")
    func unsubscribingForgivesRefusal() throws {
        var session = try Session.synced(.delta, snapshot(1, [.route: ["a": "1", "b": "1"]]), routes: ["a", "b"])
        session.machine.update(snapshot(2, [.route: ["a": "bad", "b": "1"]]))
        try session.nack(#require(session.responses().first))
        try session.want(.route, ["b"])
        try session.settle()
        #expect(session.machine.nack == nil)
        #expect(session.machine.ackedRevision == 2)
    }

    @Test("A complaint that names resources is about those; the others of the response were taken")
    func complaintByName() throws {
        var session = try Session.synced(.delta, snapshot(1, [.cluster: ["a": "1", "b": "1"]]))
        session.machine.update(snapshot(2, [.cluster: ["a": "bad", "b": "2"]]))
        try session.nack(#require(session.responses().first), "Error adding/updating cluster(s) a: no such CA")
        session.machine.update(snapshot(3, [.cluster: ["a": "good", "b": "2"]]))
        #expect(try session.settle().map(\.names) == [["a"]])
        #expect(session.machine.nack == nil)
    }

    @Test("After a complaint that names nothing, what was refused together is tried again together")
    func complaintWithoutNames() throws {
        var session = try Session.synced(.delta, snapshot(1, [.cluster: ["a": "1", "b": "1", "c": "1"]]))
        session.machine.update(snapshot(2, [.cluster: ["a": "bad", "b": "2", "c": "1"]]))
        try session.nack(#require(session.responses().first), "no")
        session.machine.update(snapshot(3, [.cluster: ["a": "good", "b": "2", "c": "1"]]))
        #expect(try session.settle().map(\.names) == [["a", "b"]])
        #expect(session.machine.nack == nil)
    }

    @Test("When what was refused is deleted, nothing is refused", arguments: bothVariants)
    func deletionForgivesRefusal(_ variant: Variant) throws {
        for type in ResourceType.allCases {
            var session = try Session.synced(variant, snapshot(1, [:]), endpoints: ["a"], routes: ["a"])
            session.machine.update(snapshot(2, [type: ["a": "bad"]]))
            try session.answerAll(refusing: type)
            session.machine.update(snapshot(3, [:]))
            try session.settle()
            #expect(session.machine.nack == nil, "\(type)")
            #expect(session.machine.ackedRevision == 3, "\(type)")
        }
    }

    @Test("Going back to what the client had before a NACK is sent, and ends the refusal", arguments: bothVariants)
    func rollbackAfterRefusal(_ variant: Variant) throws {
        var session = try Session.synced(variant, snapshot(1, [.listener: ["l": "good"]]))
        session.machine.update(snapshot(2, [.listener: ["l": "bad"]]))
        try session.nack(#require(session.responses().first))
        session.machine.update(snapshot(3, [.listener: ["l": "good"]]))
        #expect(try session.settle().map(\.names) == [["l"]])
        #expect(session.machine.nack == nil)
        #expect(session.machine.ackedRevision == 3)
    }

    @Test("Of a complaint of any length a report keeps the beginning")
    func longMessage() throws {
        var session = try Session.synced(.delta, snapshot(1, [.route: ["a": "1"]]), routes: ["a"])
        session.machine.update(snapshot(2, [.route: ["a": "2"]]))
        try session.nack(#require(session.responses().first), String(repeating: "x", count: 1_000_000))
        #expect(session.machine.nack?.message.count == NackMessage.maxLength)
    }
}
