import EnvoyProtos
import SwiftProtobuf
import Testing

@Suite("Hostile requests")
struct HostileInputTests {
    /// SplitMix64: a fixed seed makes a failure repeatable.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// Decodes bytes the way the server does. Refusing them is fine, and so is understanding them; anything else
    /// ends the process.
    private func decode(_ bytes: [UInt8]) {
        _ = try? Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: bytes)
        _ = try? Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: bytes)
    }

    @Test("Random bytes are decoded or refused", arguments: 1...4 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) {
        var dice = Dice(state: seed)
        for _ in 0..<12_500 {
            decode(
                (0..<Int.random(in: 0...48, using: &dice)).map { _ in UInt8.random(in: .min ... .max, using: &dice) })
        }
    }

    @Test("A good request with some bytes changed is decoded or refused", arguments: 1...4 as ClosedRange<UInt64>)
    func mutatedBytes(seed: UInt64) throws {
        let good = try Self.request.serializedBytes() as [UInt8]
        var dice = Dice(state: seed)
        for _ in 0..<12_500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &dice) {
                bytes[Int.random(in: bytes.indices, using: &dice)] = UInt8.random(in: .min ... .max, using: &dice)
            }
            decode(Array(bytes.prefix(Int.random(in: 1...bytes.count, using: &dice))))
        }
    }

    /// A request with a message in every field where one may be.
    private static let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
        $0.node.id = "sidecar~10.0.0.1~reviews"
        $0.node.metadata.fields["port"] = .init(numberValue: 9080)
        $0.node.locality.zone = "a"
        $0.node.clientFeatures = ["envoy.lb.does_not_support_overprovisioning"]
        $0.typeURL = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        $0.resourceNamesSubscribe = ["*"]
        $0.initialResourceVersions = ["outbound|9080||reviews": "1"]
        $0.errorDetail.message = "no"
    }

    /// Node metadata is a Struct, the one type of a request that may hold itself.
    private func nodeMetadata(nestedBy depth: Int) throws -> [UInt8] {
        var value = Google_Protobuf_Value(stringValue: "")
        for _ in 0..<depth { value = .init(listValue: Google_Protobuf_ListValue(values: [value])) }
        var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
        request.node.metadata.fields["deep"] = value
        return try request.serializedBytes()
    }

    @Test("Nesting is bounded")
    func nesting() throws {
        let shallow = try nodeMetadata(nestedBy: 20)
        let deep = try nodeMetadata(nestedBy: 200)

        #expect(throws: Never.self) { try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: shallow) }
        #expect(throws: BinaryDecodingError.messageDepthLimit) {
            try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: deep)
        }
    }

    @Test("Text that is not UTF-8 is refused")
    func invalidUTF8() {
        #expect(throws: BinaryDecodingError.invalidUTF8) {
            try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: [0x22, 2, 0xc3, 0x28] as [UInt8])
        }
    }

    @Test("A length beyond the end is refused")
    func truncated() {
        #expect(throws: BinaryDecodingError.truncated) {
            try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: [0x22, 0x7f, 0x61] as [UInt8])
        }
    }
}
