import GRPCFixtures
import NIOCore
import Testing

@testable import XDSServer

@Suite("The registry of proxies")
struct RegistryTests {
    private func report(
        _ proxy: String, acked: Int64 = 0, isConnected: Bool = true, peer: String = ""
    ) -> ProxyReport {
        ProxyReport(
            proxy: proxy, view: ViewID("view"), isConnected: isConnected, ackedRevision: acked, rejectedRevision: nil,
            rejectedMessage: nil, types: [], answeredRevision: acked, peer: peer)
    }

    @Test(
        "Streams from several addresses speak for nobody alone: the client is as far as the slowest",
        arguments: [true, false])
    func otherAddress(_ isAggregated: Bool) {
        let registry = ProxyRegistry()
        #expect(!registry.update(report("a", acked: 1, peer: "10.0.0.1"), stream: 1))
        _ = registry.takeChanged()
        #expect(registry.update(report("a", acked: 9, peer: "10.0.0.2"), stream: 2, isAggregated: isAggregated))
        #expect(registry.takeChanged().map(\.answeredRevision) == [1])
        registry.update(report("a", acked: 2, peer: "10.0.0.1"), stream: 1)
        #expect(registry.takeChanged().map(\.answeredRevision) == [2])
        registry.update(report("a", acked: 3, peer: "10.0.0.1"), stream: 3)
        #expect(registry.takeChanged().map(\.answeredRevision) == [3], "it came back, from the same address")
        registry.update(report("a", acked: 2, isConnected: false, peer: "10.0.0.1"), stream: 1)
        #expect(registry.takeChanged().isEmpty)
        registry.update(report("a", acked: 3, isConnected: false, peer: "10.0.0.1"), stream: 3)
        #expect(registry.takeChanged().map(\.answeredRevision) == [9])
        #expect(!registry.update(report("a", acked: 9, peer: "10.0.0.2"), stream: 2, isAggregated: isAggregated))
    }

    @Test("Streams of single types are as far as the last of them, and want what they want together")
    func singleTypes() {
        let registry = ProxyRegistry()
        var clusters = report("a", acked: 5)
        (clusters.firstRevision, clusters.routes) = (2, [])
        var routes = report("a", acked: 4)
        (routes.firstRevision, routes.routes) = (3, ["y", "x"])
        registry.update(clusters, stream: 1, isAggregated: false)
        registry.update(routes, stream: 2, isAggregated: false)
        let all = registry.takeChanged()
        #expect(all.map(\.answeredRevision) == [4] && all.map(\.firstRevision) == [2])
        #expect(all.map(\.routes) == [["x", "y"]])
    }

    @Test("However often a client changes between two drains, its last state is reported once")
    func coalescing() {
        let registry = ProxyRegistry()
        for acked in Int64(1)...5 { registry.update(report("a", acked: acked), stream: 1) }
        registry.update(report("b"), stream: 2)
        #expect(Set(registry.takeChanged()) == [report("a", acked: 5), report("b")])
        #expect(registry.takeChanged().isEmpty)
        registry.update(report("a", acked: 5), stream: 1)
        #expect(registry.takeChanged().isEmpty, "nothing has changed")
    }

    @Test("An older stream says nothing about a client that has a newer one")
    func olderStream() {
        let registry = ProxyRegistry()
        registry.update(report("a", acked: 2), stream: 2)
        registry.update(report("a", isConnected: false), stream: 1)
        #expect(registry.takeChanged() == [report("a", acked: 2)])
    }

    @Test("Who has gone is reported once and then forgotten")
    func departure() {
        let registry = ProxyRegistry()
        registry.update(report("a"), stream: 1)
        registry.update(report("b"), stream: 2)
        registry.update(report("a", isConnected: false), stream: 1)
        #expect(registry.connected == [report("b")])
        #expect(registry.connectedCount == 1)
        #expect(registry.takeChanged().contains(report("a", isConnected: false)))
        registry.update(report("a"), stream: 3)
        #expect(registry.takeChanged() == [report("a")], "it may come back")
    }

    @Test("What could not be passed on is reported again, unless there is news")
    func restoring() {
        let registry = ProxyRegistry()
        registry.update(report("a", acked: 1), stream: 1)
        registry.update(report("b", acked: 1), stream: 2)
        registry.update(report("c", isConnected: false), stream: 3)
        let drained = registry.takeChanged()
        registry.update(report("a", acked: 2), stream: 1)
        registry.restore(drained)
        #expect(
            Set(registry.takeChanged()) == [
                report("a", acked: 2), report("b", acked: 1), report("c", isConnected: false),
            ])
        #expect(registry.takeChanged().isEmpty)
    }

    @Test("A client that has gone is not connected again by what was known of it before")
    func restoredTooLate() {
        let registry = ProxyRegistry()
        registry.update(report("a"), stream: 1)
        let connected = registry.takeChanged()
        registry.update(report("a", isConnected: false), stream: 1)
        #expect(registry.takeChanged() == [report("a", isConnected: false)])
        registry.restore(connected)
        #expect(registry.takeChanged().isEmpty)
        #expect(registry.connectedCount == 0)
    }

    @Test("A change is announced, also when it came before anybody listened")
    func announcement() async {
        let registry = ProxyRegistry()
        registry.update(report("a"), stream: 1)
        registry.update(report("b"), stream: 2)
        var changes = registry.changes.makeAsyncIterator()
        #expect(await changes.next(isolation: #isolation) != nil)
        #expect(registry.takeChanged().count == 2)
    }

    @Test("A push is reported once the client has answered, or after a while if it does not", arguments: bothVariants)
    func reports(_ variant: Variant) throws {
        let service = EmbeddedADS()
        let (server, client) = try service.connect()
        defer { server.finish() }
        let type = ResourceType.cluster.typeURL
        let stream = try client.stream(variant, [request(variant, type: type)])
        func publish(_ revision: Int64) throws {
            service.store.publish([ViewID("view"): snapshot(revision, [.cluster: ["a": "\(revision)"]])])
            try client.advance(by: .zero)
        }
        func acknowledge(_ nonce: String) throws {
            try client.send(EmbeddedClient.framed(request(variant, type: type, nonce: nonce)), on: stream)
        }

        try publish(1)
        try client.advance(by: .milliseconds(100))
        #expect(service.registry.takeChanged().isEmpty)
        try client.advance(by: .milliseconds(400))
        #expect(service.registry.takeChanged().map { $0.types.map(\.state) } == [[.stale]])
        try acknowledge("1")
        try client.advance(by: .milliseconds(250))
        #expect(service.registry.takeChanged().map(\.ackedRevision) == [1])

        try publish(2)
        try client.advance(by: .milliseconds(100))
        try acknowledge("2")
        try client.advance(by: .milliseconds(400))
        let reports = service.registry.takeChanged()
        #expect(reports.map(\.ackedRevision) == [2] && reports.map { $0.types.map(\.state) } == [[.synced]])
    }
}
