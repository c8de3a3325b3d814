import EnvoyProtos
import GRPCServer
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSServer

@Suite("Hostile clients on a real server", .timeLimit(.minutes(2)))
struct HostileStreamTests {
    /// How a stream ends that sends these bytes as one message.
    private func status(_ variant: Variant, _ bytes: [UInt8], _ fixture: Fixture) async throws -> GRPCStatus? {
        var client = try await XDSClient(variant, to: fixture.address)
        client.send(bytes)
        defer { client.disconnect() }
        return await client.status()
    }

    @Test("What is not a discovery request ends the stream with INVALID_ARGUMENT", arguments: bothVariants)
    func garbage(_ variant: Variant) async throws {
        let endlessField: [UInt8] = [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]
        let invalidUTF8: [UInt8] = [0x22, 0x02, 0xff, 0xfe, 0x0a, 0x02, 0xc3, 0x28]
        let wrongWireType: [UInt8] = [0x0f, 0xff]
        let deep = [UInt8](repeating: 0x13, count: 100_000)
        try await Fixture.serving { fixture in
            for bytes in [endlessField, invalidUTF8, wrongWireType, deep, [0xff]] {
                let status = try await status(variant, bytes, fixture)
                #expect(status == GRPCStatus(.invalidArgument, "the message is not a discovery request"))
            }
        }
    }

    @Test(
        "A first message without a node, with a huge one, or without a type is INVALID_ARGUMENT",
        arguments: bothVariants)
    func incompleteRequests(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            #expect(try await status(variant, [], fixture) == GRPCStatus(.invalidArgument, "node.id is missing"))
            for (node, expected) in [
                (String(repeating: "x", count: 2_000), "node.id or node.cluster is too long"),
                ("proxy", "type_url is empty"),
            ] {
                var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
                request.node.id = node
                var stateOfTheWorld = Envoy_Service_Discovery_V3_DiscoveryRequest()
                stateOfTheWorld.node.id = node
                let bytes: [UInt8] =
                    try variant == .delta ? request.serializedBytes() : stateOfTheWorld.serializedBytes()
                #expect(try await status(variant, bytes, fixture) == GRPCStatus(.invalidArgument, expected))
            }
            #expect(fixture.report(of: "proxy") == nil, "it was let in, and has gone before it was served anything")
            #expect(fixture.store.activeViews.isEmpty)
        }
    }

    @Test("Too many names, and too large messages, are RESOURCE_EXHAUSTED", arguments: bothVariants)
    func tooMuch(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var greedy = try await XDSClient(variant, to: fixture.address)
            try greedy.send(.endpoint, (0...200_000).map { "\($0)" }, node: "greedy")
            let status = await greedy.status()
            #expect(status?.code == .resourceExhausted, "\(status.debugDescription)")
            greedy.disconnect()
            let huge = [UInt8](repeating: 0, count: (4 << 20) + 1)
            #expect(try await self.status(variant, huge, fixture)?.code == .resourceExhausted)
        }
    }

    @Test(
        "Types that are not served are passed over, and the stream goes on; the node is needed only once",
        arguments: bothVariants)
    func unknownType(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address)
            var unknown = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
            unknown.node.id = "proxy"
            unknown.node.cluster = "view"
            unknown.typeURL = "type.googleapis.com/envoy.config.unknown.v3.Unknown"
            var stateOfTheWorld = Envoy_Service_Discovery_V3_DiscoveryRequest()
            stateOfTheWorld.node = unknown.node
            stateOfTheWorld.typeURL = unknown.typeURL
            client.send(try variant == .delta ? unknown.serializedBytes() : stateOfTheWorld.serializedBytes())
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: ViewID("view"))
            try client.send(.cluster)
            #expect(try await client.next().bodies == [Array("a=1".utf8)])
            client.disconnect()
        }
    }

    @Test("After hundreds of random messages the server still serves", arguments: bothVariants)
    func noise(_ variant: Variant) async throws {
        var random = SeededGenerator(seed: 11)
        try await Fixture.serving { fixture in
            for round in 0..<40 {
                let client = try await XDSClient(variant, to: fixture.address)
                try client.send(.cluster, node: "noise \(round)")
                for _ in 0..<20 {
                    let count = Int.random(in: 0..<200, using: &random)
                    client.send((0..<count).map { _ in .random(in: 0...255, using: &random) })
                }
                client.disconnect()
            }
            var client = try await XDSClient(variant, to: fixture.address)
            try client.send(.cluster, node: "proxy", view: "quiet")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: ViewID("quiet"))
            #expect(try await client.next().bodies == [Array("a=1".utf8)])
            client.disconnect()
        }
    }
}
