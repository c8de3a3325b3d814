import GRPCServer
import HTTP2
import TestSupport
import Testing

@testable import XDSServer

/// The service as clients see it: over HTTP/2, on the loopback.
@Suite("Aggregated discovery on a real server", .timeLimit(.minutes(2)))
struct DiscoveryServiceTests {
    private let view = ViewID("view")

    @Test("A client with a wrong token, or none, is refused and leaves no trace", arguments: bothVariants)
    func wrongToken(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            for metadata in [[], [HTTP2Header("authorization", "Bearer wrong")]] {
                var client = try await XDSClient(variant, to: fixture.address, metadata: metadata)
                try client.send(.cluster, node: "proxy")
                #expect(await client.status() == GRPCStatus(.unauthenticated, "the token is wrong"))
                client.disconnect()
            }
            #expect(fixture.report(of: "proxy") == nil)
            #expect(fixture.store.activeViews.isEmpty)
        }
    }

    @Test("A client gets what there is, and when it accepts it is reported as synced", arguments: bothVariants)
    func firstSync(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.cluster, node: "proxy")
            await fixture.publish(snapshot(7, [.cluster: ["a": "1", "b": "1"]]), to: view)
            let message = try await client.next()
            #expect(message.type == .cluster)
            #expect(message.bodies == [Array("a=1".utf8), Array("b=1".utf8)])
            try client.send(.cluster, answering: message)

            let report = try #require(await fixture.report(of: "proxy") { $0.ackedRevision == 7 })
            #expect(report.isConnected && report.view == view && report.rejectedRevision == nil)
            #expect(report.types.map(\.type) == [.cluster] && report.types.map(\.state) == [.synced])
            #expect(report.types.allSatisfy { $0.sentVersion == $0.ackedVersion && !$0.sentVersion.isEmpty })
            client.disconnect()
        }
    }

    @Test("A change is pushed: in delta what changed, in state of the world everything", arguments: bothVariants)
    func push(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.listener, node: "proxy")
            await fixture.publish(snapshot(1, [.listener: ["a": "1", "b": "1", "c": "1"]]), to: view)
            let first = try await client.next()
            try client.send(.listener, answering: first)
            await fixture.publish(snapshot(2, [.listener: ["a": "1", "b": "2"]]), to: view)
            let second = try await client.next()
            let changed = Array("b=2".utf8)
            #expect(second.bodies == (variant == .delta ? [changed] : [Array("a=1".utf8), changed]))
            #expect(second.removed == (variant == .delta ? ["c"] : []))
            #expect(second.nonce != first.nonce)
            client.disconnect()
        }
    }

    @Test(
        "A refusal is reported with the client's words, and ends with the next thing accepted", arguments: bothVariants)
    func refusal(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.listener, node: "proxy")
            await fixture.publish(snapshot(1, [.listener: ["a": "1"]]), to: view)
            try client.send(.listener, answering: try await client.next())
            await fixture.publish(snapshot(2, [.listener: ["a": "bad"]]), to: view)
            try client.send(.listener, answering: try await client.next(), error: "a: bad listener")

            let refused = try #require(await fixture.report(of: "proxy") { $0.rejectedRevision != nil })
            #expect(refused.rejectedRevision == 2 && refused.rejectedMessage == "a: bad listener")
            #expect(refused.ackedRevision == 1)
            #expect(refused.types.map(\.state) == [.rejected] && refused.types.map(\.error) == ["a: bad listener"])
            #expect(refused.types.allSatisfy { $0.sentVersion != $0.ackedVersion })

            await fixture.publish(snapshot(3, [.listener: ["a": "good"]]), to: view)
            try client.send(.listener, answering: try await client.next())
            let accepted = try #require(await fixture.report(of: "proxy") { $0.ackedRevision == 3 })
            #expect(accepted.rejectedRevision == nil && accepted.types.map(\.state) == [.synced])
            client.disconnect()
        }
    }

    @Test("Who goes is reported as gone, and nobody has the view any more", arguments: bothVariants)
    func disconnection(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.cluster, node: "proxy")
            await fixture.event(.wanted(view))
            #expect(fixture.report(of: "proxy") == nil, "it has been served nothing")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: view)
            _ = try await client.next()
            client.disconnect()
            let report = await fixture.report(of: "proxy") { !$0.isConnected }
            #expect(report?.isConnected == false)
            try await until("nobody has the view") { fixture.store.activeViews.isEmpty }
        }
    }

    @Test("A server that stops sends its clients away with UNAVAILABLE", arguments: bothVariants)
    func shutdown(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.cluster, node: "proxy")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: view)
            _ = try await client.next()
            fixture.server.shutdown()
            #expect(await client.status() == GRPCStatus(.unavailable, "the server is going away; connect again"))
            #expect(await fixture.report(of: "proxy") { !$0.isConnected } != nil)
        }
    }

    @Test("A client that ends its side ends the call in order", arguments: bothVariants)
    func halfClose(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.cluster, node: "proxy")
            client.halfClose()
            #expect(await client.status() == .ok)
            client.disconnect()
        }
    }

    @Test("Methods that the service does not have are unimplemented")
    func unknownMethod() async throws {
        try await Fixture.serving { fixture in
            let service = "/envoy.service.discovery.v3.AggregatedDiscoveryService"
            for path in ["\(service)/Other", "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters"] {
                var client = try await XDSClient(.delta, to: fixture.address, path: path)
                #expect(await client.status()?.code == .unimplemented)
                client.disconnect()
            }
        }
    }

    @Test(
        "What is another's now is not served to who came before, and not told of it; who may have it is",
        arguments: bothVariants)
    func otherOwner(_ variant: Variant) async throws {
        func metadata(_ right: String) -> [HTTP2Header] { [TokenDelegate.token, HTTP2Header("right", right)] }
        try await Fixture.serving { fixture in
            var old = try await XDSClient(variant, to: fixture.address, metadata: metadata("old"))
            try old.send(.cluster, node: "a")
            await fixture.publish(snapshot(1, owner: "old", [.cluster: ["a": "1"]]), to: view)
            try old.send(.cluster, answering: try await old.next())
            let known = try #require(await fixture.report(of: "a") { $0.ackedRevision == 1 })
            #expect(known.owner == "old" && known.isConnected)

            await fixture.publish(snapshot(2, owner: "new", [.cluster: ["secret": "1"]]), to: view)
            #expect(await old.status() == GRPCStatus(.permissionDenied, "not new's"))
            let gone = try #require(await fixture.report(of: "a") { !$0.isConnected })
            #expect(gone.owner == "old" && gone.ackedRevision == 1)

            var late = try await XDSClient(variant, to: fixture.address, metadata: metadata("old"))
            try late.send(.cluster, node: "a")
            await fixture.publish(snapshot(2, owner: "new", [.cluster: ["secret": "1"]]), to: view)
            #expect(await late.status() == GRPCStatus(.permissionDenied, "not new's"), "before it is sent anything")
            #expect(fixture.report(of: "a")?.isConnected != true, "nor is it taken for a client")

            var new = try await XDSClient(variant, to: fixture.address, metadata: metadata("new"))
            try new.send(.cluster, node: "a")
            await fixture.publish(snapshot(2, owner: "new", [.cluster: ["secret": "1"]]), to: view)
            #expect(try await new.next().bodies == [Array("secret=1".utf8)])
            new.disconnect()
        }
    }
}
