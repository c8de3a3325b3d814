import EnvoyProtos
import NIOCore
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSServer

@Suite("Decoding of requests")
struct DiscoveryRequestTests {
    @Test("State of the world: names, nonce and complaint are kept")
    func stateOfTheWorld() throws {
        var message = Envoy_Service_Discovery_V3_DiscoveryRequest()
        message.typeURL = ResourceType.cluster.typeURL
        message.resourceNames = ["a", "b"]
        message.responseNonce = "7"
        #expect(
            try decoded(message)
                == DiscoveryRequest(typeURL: ResourceType.cluster.typeURL, nonce: "7", names: .all(["a", "b"])))
        message.errorDetail.message = "no"
        #expect(try decoded(message).nack == "no")
    }

    private func decoded(_ message: Envoy_Service_Discovery_V3_DiscoveryRequest) throws -> DiscoveryRequest {
        try DiscoveryRequest.decode(
            ByteBuffer(bytes: message.serializedBytes() as [UInt8]), .stateOfTheWorld, RecentLists()
        ).request
    }

    private func decoded(_ message: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) throws -> DiscoveryRequest {
        try DiscoveryRequest.decode(ByteBuffer(bytes: message.serializedBytes() as [UInt8]), .delta, RecentLists())
            .request
    }

    @Test("Delta: subscriptions, their end, and what the client has are kept")
    func delta() throws {
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        message.typeURL = ResourceType.route.typeURL
        message.resourceNamesSubscribe = ["a"]
        message.resourceNamesUnsubscribe = ["b"]
        message.initialResourceVersions = ["a": "1"]
        #expect(
            try decoded(message)
                == DiscoveryRequest(
                    typeURL: ResourceType.route.typeURL,
                    names: .change(subscribe: ["a"], unsubscribe: ["b"], initialVersions: ["a": "1"])))
    }

    @Test("A complaint without words is a complaint")
    func emptyMessage() throws {
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        message.errorDetail = .init()
        #expect(try decoded(message).nack == "")
    }

    @Test("Damaged bytes are decoded or refused, never a trap", arguments: 0..<30 as Range<UInt64>)
    func damagedBytes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var message = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        message.node.id = "node"
        message.typeURL = ResourceType.cluster.typeURL
        message.resourceNamesSubscribe = ["*", "a"]
        message.initialResourceVersions = ["a": "1"]
        let valid: [UInt8] = try message.serializedBytes()
        for _ in 0..<200 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                case 1: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                default:
                    bytes.insert(
                        .random(in: 0...255, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
                }
            }
            feed(bytes)
        }
        for _ in 0..<50 { feed((0..<64).map { _ in .random(in: 0...255, using: &random) }) }
    }

    /// Whatever can be decoded is given to a machine, and answered until it is silent.
    private func feed(_ bytes: [UInt8]) {
        for variant in bothVariants {
            if let request = try? DiscoveryRequest.decode(ByteBuffer(bytes: bytes), variant, RecentLists()).request {
                answer(request, variant)
            }
        }
    }

    private func answer(_ request: DiscoveryRequest, _ variant: Variant) {
        let machine = StreamMachine(variant)
        machine.update(snapshot(1, [.cluster: ["a": "1"]]))
        try? machine.receive(request)
        var count = 0
        while machine.next() != nil { count += 1 }
        #expect(count <= 1)
    }
}

@Suite("Requests that ask for too much or too little")
struct LimitTests {

    private func refusal(_ requests: [DiscoveryRequest], _ variant: Variant) -> RequestRefusal? {
        var limits = NameLimits()
        (limits.names, limits.nameBytes, limits.nameLength, limits.unknownTypes) = (10, 150, 100, 3)
        limits.namesLimitName = "namesPerStream"
        let machine = StreamMachine(variant, limits: limits)
        do {
            for request in requests { try machine.receive(request) }
            return nil
        } catch {
            return error
        }
    }

    private func delta(
        _ subscribe: [String], unsubscribe: [String] = [], initialVersions: [String: String] = [:],
        of type: ResourceType = .cluster
    ) -> DiscoveryRequest {
        DiscoveryRequest(
            typeURL: type.typeURL,
            names: .change(
                subscribe: NameList(subscribe), unsubscribe: NameList(unsubscribe),
                initialVersions: VersionList(initialVersions)))
    }

    @Test("Without a type a request is invalid", arguments: bothVariants)
    func missingType(_ variant: Variant) {
        let request = DiscoveryRequest(typeURL: "", names: .all([]))
        #expect(refusal([request], variant)?.reason == .invalid)
    }

    @Test("Types that are not served are passed over in silence, up to a number")
    func unknownTypes() {
        let requests = (0..<4).map { DiscoveryRequest(typeURL: "type.googleapis.com/unknown.\($0)", names: .all([])) }
        #expect(refusal(Array(requests.prefix(3)) + requests.prefix(3), .stateOfTheWorld) == nil)
        #expect(refusal(requests, .stateOfTheWorld)?.reason == .tooMuch)
    }

    @Test("Long names, and long names of types, are refused")
    func longNames() {
        let long = String(repeating: "x", count: 101)
        let all = DiscoveryRequest(typeURL: ResourceType.cluster.typeURL, names: .all([long]))
        #expect(refusal([all], .stateOfTheWorld)?.reason == .tooMuch)
        #expect(refusal([delta([long])], .delta)?.reason == .tooMuch)
        #expect(refusal([delta([], unsubscribe: [long])], .delta)?.reason == .tooMuch)
        #expect(refusal([delta([], initialVersions: [long: "1"])], .delta)?.reason == .tooMuch)
        #expect(refusal([DiscoveryRequest(typeURL: long, names: .all([]))], .stateOfTheWorld)?.reason == .tooMuch)
    }

    @Test("Too many names are refused, in one request and over many")
    func manyNames() {
        let names = (0..<11).map { "n\($0)" }
        let all = DiscoveryRequest(typeURL: ResourceType.cluster.typeURL, names: .all(NameList(names)))
        #expect(refusal([all], .stateOfTheWorld)?.reason == .tooMuch)
        #expect(refusal([delta(names)], .delta)?.reason == .tooMuch)
        #expect(refusal(names.map { delta([$0]) }, .delta)?.reason == .tooMuch)
        #expect(refusal(names.map { delta([$0], unsubscribe: [$0]) }, .delta) == nil, "what is given up does not count")
    }

    @Test(
        "Names of all types count together, and so do their bytes; the message names the limit", arguments: bothVariants
    )
    func allTypes(_ variant: Variant) {
        func request(_ names: [String], _ type: ResourceType) -> DiscoveryRequest {
            variant == .delta
                ? delta(names, of: type) : DiscoveryRequest(typeURL: type.typeURL, names: .all(NameList(names)))
        }
        let six = (0..<6).map { "n\($0)" }
        #expect(refusal([request(six, .cluster)], variant) == nil)
        let refused = refusal([request(six, .cluster), request(six, .endpoint)], variant)
        #expect(refused?.reason == .tooMuch)
        #expect(refused?.detail == "the stream asks for more than 10 names (limit namesPerStream)")
        let long = String(repeating: "x", count: 80)
        #expect(refusal([request([long], .cluster)], variant) == nil)
        #expect(refusal([request([long], .cluster), request([long], .endpoint)], variant)?.reason == .tooMuch)
    }
}
