import EnvoyProtos
import GRPCFixtures
import GRPCServer
import HTTP2Fixtures
import Logging
import NIOCore
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSServer

/// The service on connections in memory. Newcomers never wait: whether they do depends on the real time.
struct EmbeddedADS {
    let store = SnapshotStore(pace: AdmissionGate.Pace(work: .hours(1_000)))
    let registry = ProxyRegistry()

    func connect() throws -> (server: EmbeddedServer, client: EmbeddedClient) {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let server = try EmbeddedServer(
            DiscoveryService(delegate: TokenDelegate(), store: store, registry: registry, logger: logger))
        return (server, try EmbeddedClient(server))
    }
}

extension EmbeddedClient {
    func stream(_ variant: Variant, _ messages: [[UInt8]] = []) throws -> Answer {
        let method = variant == .delta ? "DeltaAggregatedResources" : "StreamAggregatedResources"
        let answer = try call(
            path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/\(method)", metadata: [TokenDelegate.token])
        try send(messages.flatMap(Self.framed), on: answer)
        return answer
    }

    static func framed(_ message: [UInt8]) -> [UInt8] {
        [0] + [24, 16, 8, 0].map { UInt8(message.count >> $0 & 0xff) } + message
    }
}

/// A request of either variant.
func request(
    _ variant: Variant, _ names: [String] = [], type: String = ResourceType.endpoint.typeURL, node: String = "proxy",
    features: [String] = [], unsubscribe: [String] = [], initialVersions: [String: String] = [:], nonce: String = "",
    error: String? = nil
) throws -> [UInt8] {
    switch variant {
    case .stateOfTheWorld:
        var request = Envoy_Service_Discovery_V3_DiscoveryRequest()
        (request.node.id, request.node.cluster, request.node.clientFeatures) = (node, "view", features)
        (request.typeURL, request.resourceNames, request.responseNonce) = (type, names, nonce)
        if let error { request.errorDetail.message = error }
        return try request.serializedBytes()
    case .delta:
        var request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest()
        (request.node.id, request.node.cluster, request.node.clientFeatures) = (node, "view", features)
        (request.typeURL, request.resourceNamesSubscribe, request.responseNonce) = (type, names, nonce)
        (request.resourceNamesUnsubscribe, request.initialResourceVersions) = (unsubscribe, initialVersions)
        if let error { request.errorDetail.message = error }
        return try request.serializedBytes()
    }
}

@Suite("Hostile requests", .timeLimit(.minutes(2)))
struct HostileRequestTests {
    /// A field with two bytes that are no UTF-8.
    private static func invalidUTF8(_ field: UInt8) -> [UInt8] { [field << 3 | 2, 2, 0xc3, 0x28] }

    @Test(
        "Texts that are no UTF-8 are INVALID_ARGUMENT, wherever they are, and others are served",
        arguments: bothVariants)
    func invalidUTF8(_ variant: Variant) throws {
        let node = Self.invalidUTF8(1)
        // The node's id, and each field of both requests that is a text.
        let fields: [[UInt8]] =
            variant == .delta
            ? [[0x0a, UInt8(node.count)] + node] + [2, 3, 4, 6].map(Self.invalidUTF8)
                + [[0x2a, 4] + Self.invalidUTF8(1)]
            : [[0x12, UInt8(node.count)] + node] + [1, 3, 4, 5].map(Self.invalidUTF8)
        let service = EmbeddedADS()
        for field in fields {
            for padding in [0, RequestLists.minimum] {
                let (server, client) = try service.connect()
                let good = try request(variant, padding == 0 ? [] : [String(repeating: "x", count: padding)])
                let other = try client.stream(variant, [request(variant, ["a"], node: "other")])
                let answer = try client.stream(variant, [good + field])
                #expect(answer.status == GRPCStatus(.invalidArgument, "the message is not a discovery request"))
                #expect(other.status == nil)
                server.finish()
            }
        }
    }

    @Test("A million names are RESOURCE_EXHAUSTED, in one request and in many", arguments: bothVariants)
    func millionNames(_ variant: Variant) throws {
        let service = EmbeddedADS()
        let (server, client) = try service.connect()
        // As many as there is room for in a message: three bytes each.
        let many = try client.stream(
            variant, [request(variant, (0..<1_000_000).map { String(UnicodeScalar(UInt8(97 + $0 % 26))) })])
        #expect(many.status?.code == .resourceExhausted)
        if variant == .delta {
            let requests = try (0...200).map { part in
                try request(variant, (0..<1_000).map { "\(part) \($0)" }, node: "patient")
            }
            let patient = try client.stream(variant, requests)
            #expect(patient.status?.code == .resourceExhausted)
            let versions = Dictionary(uniqueKeysWithValues: (0...200_000).map { ("\($0)", "1") })
            let liar = try client.stream(variant, [request(variant, initialVersions: versions)])
            #expect(liar.status?.code == .resourceExhausted)
        }
        let other = try client.stream(variant, [request(variant, ["a"], node: "other")])
        #expect(other.status == nil)
        server.finish()
    }

    @Test("Names that are few and long are bounded by their bytes")
    func longNames() throws {
        let machine = StreamMachine(.delta)
        let refusal = #expect(throws: RequestRefusal.self) {
            for part in 0..<100 {
                let names = (0..<1_000).map { "\(part) \($0) " + String(repeating: "x", count: 1_000) }
                try machine.receive(
                    DiscoveryRequest(
                        typeURL: ResourceType.endpoint.typeURL,
                        names: .change(
                            subscribe: NameList(names), unsubscribe: NameList([]), initialVersions: VersionList([:]))))
                #expect(machine.subscriptions[0].interest.names.bytes <= 18 << 20)
            }
        }
        #expect(refusal?.reason == .tooMuch)
    }

    @Test("A hundred thousand names that come one by one are taken, without a copy of all of them for each")
    func namesOneByOne() throws {
        let table = StreamSharing()
        let machine = StreamMachine(.delta, sharing: table)
        machine.update(snapshot(1, [.endpoint: ["1": "1"]]))
        for index in 0..<100_000 {
            try machine.receive(
                DiscoveryRequest(
                    typeURL: ResourceType.endpoint.typeURL,
                    names: .change(
                        subscribe: NameList(["\(index)"]), unsubscribe: NameList([]), initialVersions: VersionList([:]))
                ))
            if index == 0 { #expect(machine.next() != nil) }
        }
        #expect(machine.subscriptions[0].interest.names.count == 100_000)
        #expect(table.names.count <= 1_000_000)
    }

    @Test("Requests without end from a client that nobody knows end with its first", arguments: bothVariants)
    func strangers(_ variant: Variant) throws {
        let service = EmbeddedADS()
        let (server, client) = try service.connect()
        for message in [[], try request(variant, node: "")] {
            let answer = try client.stream(variant, Array(repeating: message, count: 50_000))
            #expect(answer.status == GRPCStatus(.invalidArgument, "node.id is missing"))
            #expect(answer.body.isEmpty)
        }
        #expect(service.store.activeViews.isEmpty)
        server.finish()
    }
}

@Suite("Mutated discovery requests", .timeLimit(.minutes(30)))
struct HostileFuzzTests {
    /// What a client says in its life: everything that a request can have.
    private static func recording(_ variant: Variant) throws -> [[UInt8]] {
        let long = (0..<60).map { "outbound|9080||service-\($0).shop.svc.cluster.local" }
        return try [
            request(variant, type: ResourceType.cluster.typeURL),
            request(variant, ["a", "*"], initialVersions: ["a": "1", "b": ""]),
            request(variant, long, initialVersions: Dictionary(uniqueKeysWithValues: long.map { ($0, "1") })),
            request(variant, ["a"], type: ResourceType.cluster.typeURL, nonce: "1"),
            request(variant, ["a"], unsubscribe: ["b", "*"], nonce: "2", error: "a: goo.gle/debug no"),
            request(variant, type: ResourceType.listener.typeURL),
            request(variant, ["r"], type: "type.googleapis.com/unknown"),
        ]
    }

    @Test(
        "never trap, nor leave a stream or a view behind", arguments: bothVariants, Fuzz.seeds)
    func mutations(_ variant: Variant, seed: UInt64) throws {
        let recording = try Self.recording(variant)
        var random = SeededGenerator(seed: seed)
        let service = EmbeddedADS()
        var answered = 0
        for run in 0..<Fuzz.runs(usually: 20) {
            let (server, client) = try service.connect()
            let answer = try client.stream(variant, [recording[0]])
            service.store.publish([
                ViewID("view"): snapshot(Int64(run + 1), [.cluster: ["a": "\(run)"], .endpoint: ["a": "1"]])
            ])
            for _ in 0..<6 {
                let message = recording.randomElement(using: &random) ?? []
                var bytes = EmbeddedClient.framed(random.chance(30) ? message : random.mutated(message))
                if random.chance(10) { bytes = random.mutated(bytes) }
                for piece in random.chance(50) ? [bytes[...]] : random.cut(bytes) {
                    try client.send(Array(piece), on: answer)
                }
            }
            answered += answer.body.isEmpty ? 0 : 1
            let codes: [GRPCStatus.Code?] = [nil, .invalidArgument, .resourceExhausted, .unimplemented]
            #expect(codes.contains(answer.status?.code), "run \(run)")
            server.finish()
            #expect(service.store.activeViews.isEmpty, "run \(run)")
            #expect(service.registry.takeChanged().allSatisfy { !$0.isConnected }, "run \(run)")
        }
        #expect(answered == Fuzz.runs(usually: 20))
    }
}
