import Testing

@testable import XDSServer

@Suite("What a client was sent, and what it thinks of it")
struct DeliveryTests {
    private func response(
        _ nonce: String, _ names: [String], removed: [String] = [], isHeartbeat: Bool = false
    ) -> DiscoveryResponse {
        var response = DiscoveryResponse(
            type: .cluster, version: "v" + nonce, nonce: nonce,
            resources: .some(names.map { resource(.cluster, $0, nonce) }), removed: removed)
        response.isHeartbeat = isHeartbeat
        return response
    }

    private func answer(_ nonce: String, _ nack: String? = nil) -> DiscoveryRequest {
        DiscoveryRequest(
            typeURL: ResourceType.cluster.typeURL, nonce: nonce, nack: nack,
            names: .change(subscribe: [], unsubscribe: [], initialVersions: [:]))
    }

    private func clusters(_ contents: [String: String]) -> LayeredSet { snapshot(1, [.cluster: contents])[.cluster] }

    @Test("only the last response can be answered, and once")
    func verdicts() {
        var delivery = Delivery(isFullState: false)
        #expect(delivery.takeAnswer(in: answer("")) == .none)
        delivery.send(response("1", ["a"]), of: 7)
        #expect(delivery.isInFlight && delivery.lastVersion == "v1" && delivery.sentRevision == 7)
        #expect(delivery.takeAnswer(in: answer("0")) == .none && delivery.isInFlight)
        #expect(delivery.takeAnswer(in: answer("1")) == .accepted)
        #expect(!delivery.isInFlight && delivery.ackedVersion == "v1")
        #expect(delivery.takeAnswer(in: answer("1")) == .repeated)
        #expect(delivery.takeAnswer(in: answer("1", "no")) == .repeated && delivery.nack == nil, "it has accepted it")
    }

    @Test(
        "a NACK is of the resources that it names; of all that were sent if it names none",
        arguments: [
            ("Error adding/updating cluster(s) b: bad", ["b"], ["b"]),
            ("bad", ["a", "b", "c"], []),
            ("no such 'c'", ["c"], ["c"]),
        ] as [(String, [String], [String])])
    func refused(_ message: String, _ lacking: [String], _ named: [String]) {
        var delivery = Delivery(isFullState: false)
        delivery.send(response("1", ["a", "b"], removed: ["c"]), of: 7)
        #expect(delivery.takeAnswer(in: answer("1", message)) == .refused)
        #expect(delivery.nackedNames == Set(lacking))
        #expect(delivery.nack == .init(revision: 7, message: message, version: "v1", names: named))
        #expect(delivery.ackedVersion == "")
    }

    @Test("a NACK of a single resource is of that one, whatever it says")
    func refusedOne() {
        var delivery = Delivery(isFullState: false)
        delivery.send(response("1", ["a"]), of: 1)
        _ = delivery.takeAnswer(in: answer("1", "bad"))
        #expect(delivery.nack?.names == ["a"])
    }

    @Test("a NACK holds until what was refused is accepted; in full state, until anything is")
    func replaced() {
        var delivery = Delivery(isFullState: false)
        delivery.send(response("1", ["a", "b"]), of: 1)
        _ = delivery.takeAnswer(in: answer("1", "bad"))
        delivery.send(response("2", ["a"]), of: 2)
        _ = delivery.takeAnswer(in: answer("2"))
        #expect(delivery.nack != nil && delivery.nackedNames == ["b"])
        delivery.send(response("3", [], removed: ["b"]), of: 3)
        _ = delivery.takeAnswer(in: answer("3"))
        #expect(delivery.nack == nil && delivery.nackedNames == [])

        delivery = Delivery(isFullState: true)
        delivery.send(response("1", ["a", "b"]), of: 1)
        _ = delivery.takeAnswer(in: answer("1", "bad"))
        delivery.send(response("2", ["a"]), of: 2)
        _ = delivery.takeAnswer(in: answer("2"))
        #expect(delivery.nack == nil && delivery.nackedNames == [])
    }

    @Test("a refused heartbeat is no NACK: the client lacks what it was to keep, but for what it refused before")
    func refusedHeartbeat() {
        var delivery = Delivery(isFullState: false)
        delivery.send(response("1", ["a", "b"]), of: 1)
        _ = delivery.takeAnswer(in: answer("1", "error: a"))
        delivery.send(response("2", ["a", "b"], isHeartbeat: true), of: 1)
        #expect(delivery.takeAnswer(in: answer("2", "what?")) == .lost(["b"]))
        #expect(delivery.nack?.version == "v1")
        delivery.send(response("3", ["b"], isHeartbeat: true), of: 1)
        #expect(delivery.takeAnswer(in: answer("3")) == .accepted)
        #expect(delivery.ackedVersion == "", "it says nothing of versions")
    }

    @Test("what is refused and not wanted any more is forgotten; what is left can be told again if it is gone")
    func cleared() {
        var delivery = Delivery(isFullState: false)
        delivery.advance(to: clusters(["a": "1"]))
        delivery.send(response("1", ["a"], removed: ["b", "c"]), of: 1)
        _ = delivery.takeAnswer(in: answer("1", "bad"))
        #expect(delivery.clearNack { _ in true } == [] && delivery.nackedNames == ["a", "b", "c"])
        #expect(delivery.clearNack { $0 != "c" } == [], "a is still there, and may be what was wrong")
        #expect(delivery.clearNack { $0 == "b" } == ["b"])
        #expect(delivery.nack != nil)
        #expect(delivery.clearNack { _ in false } == [] && delivery.nack == nil && delivery.nackedNames == [])
    }

    @Test("of a refused change of resources with a time to live the client keeps the older ones")
    func kept() {
        func set(_ text: String) -> LayeredSet {
            Snapshot(
                revision: 1,
                [
                    .listener: ResourceSet([
                        resource(.listener, "l", text, ttl: .seconds(9)), resource(.listener, "m", text),
                    ])
                ]
            )[.listener]
        }
        var delivery = Delivery(isFullState: false)
        delivery.keepReplaced(by: set("1")) { _ in true }
        delivery.advance(to: set("1"))
        let old = delivery.lastSent?["l"]
        for text in ["2", "3"] {
            delivery.keepReplaced(by: set(text)) { _ in true }
            delivery.advance(to: set(text))
            delivery.send(response(text, ["l", "m"]), of: 1)
            _ = delivery.takeAnswer(in: answer(text, "bad"))
            #expect(delivery.kept.keys.sorted() == ["l"] && delivery.kept["l"]?.version == old?.version)
        }
        delivery.send(response("4", ["l", "m"]), of: 1)
        _ = delivery.takeAnswer(in: answer("4"))
        #expect(delivery.kept.isEmpty)
    }

    @Test("what a client drops it has no more, unless it is on its way")
    func forget() {
        var delivery = Delivery(isFullState: false)
        delivery.forget(allBut: [])
        #expect(delivery.lastSent == nil)
        delivery.advance(to: clusters(["a": "1", "b": "1", "c": "1"]))
        delivery.send(response("1", ["c"]), of: 1)
        delivery.forget(allBut: ["a"])
        #expect(delivery.lastSent?.names == ["a", "c"])
    }
}
