import EnvoyProtos
import NIOCore
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSServer

@Suite("Lists that are read where they lie")
struct RequestListTests {
    private typealias Delta = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest
    private typealias StateOfTheWorld = Envoy_Service_Discovery_V3_DiscoveryRequest

    private static let names = (0..<200).map { "outbound|80||service-\($0).shop.svc.cluster.local" }

    private static func delta() -> Delta {
        var message = Delta()
        message.node.id = "node"
        message.node.metadata.fields["NAME"] = .init(stringValue: "é")
        message.typeURL = ResourceType.endpoint.typeURL
        message.responseNonce = "7"
        message.errorDetail.message = "no"
        message.resourceNamesSubscribe = names
        message.resourceNamesUnsubscribe = ["", "gone"]
        message.initialResourceVersions = Dictionary(uniqueKeysWithValues: names.map { ($0, "v\($0.count)") })
        return message
    }

    private static func stateOfTheWorld() -> StateOfTheWorld {
        var message = StateOfTheWorld()
        message.node.id = "node"
        message.typeURL = ResourceType.endpoint.typeURL
        message.versionInfo = "1"
        message.responseNonce = "7"
        message.resourceNames = names
        return message
    }

    /// What the protobuf library alone makes of the bytes.
    private static func expected(_ bytes: [UInt8], _ variant: Variant) -> DiscoveryRequest? {
        switch variant {
        case .stateOfTheWorld:
            (try? StateOfTheWorld(serializedBytes: bytes)).map { message in
                DiscoveryRequest(
                    typeURL: message.typeURL, nonce: message.responseNonce,
                    nack: message.hasErrorDetail ? message.errorDetail.message : nil,
                    names: .all(NameList(message.resourceNames)))
            }
        case .delta:
            (try? Delta(serializedBytes: bytes)).map { message in
                DiscoveryRequest(
                    typeURL: message.typeURL, nonce: message.responseNonce,
                    nack: message.hasErrorDetail ? message.errorDetail.message : nil,
                    names: .change(
                        subscribe: NameList(message.resourceNamesSubscribe),
                        unsubscribe: NameList(message.resourceNamesUnsubscribe),
                        initialVersions: VersionList(message.initialResourceVersions)))
            }
        }
    }

    @Test("The usual form is found, and the node is read with the rest")
    func usual() throws {
        let bytes: [UInt8] = try Self.delta().serializedBytes()
        let lists = try #require(RequestLists(ByteBuffer(bytes: bytes), .delta, RecentLists()))
        #expect(lists.names.count == 200 && lists.unsubscribed.count == 2 && lists.versions.count == 200)
        #expect(lists.rest.count < 200)
        let (request, node) = try DiscoveryRequest.decode(ByteBuffer(bytes: bytes), .delta, RecentLists())
        #expect(request == Self.expected(bytes, .delta) && node == Self.delta().node)

        let all: [UInt8] = try Self.stateOfTheWorld().serializedBytes()
        #expect(RequestLists(ByteBuffer(bytes: all), .stateOfTheWorld, RecentLists())?.names.count == 200)
        #expect(
            try DiscoveryRequest.decode(ByteBuffer(bytes: all), .stateOfTheWorld, RecentLists()).request
                == Self.expected(all, .stateOfTheWorld))
    }

    @Test("Names that are not ASCII, and entries of another form, are left to the library")
    func unusual() throws {
        var message = Self.delta()
        message.resourceNamesSubscribe.append("é")
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(RequestLists(ByteBuffer(bytes: bytes), .delta, RecentLists()) == nil)
        #expect(
            try DiscoveryRequest.decode(ByteBuffer(bytes: bytes), .delta, RecentLists()).request
                == Self.expected(bytes, .delta))
        // An entry of a map without a value, one with an unknown field, one that is no message, and a list that is a number.
        for field: [UInt8] in [
            [0x2a, 3, 0x0a, 1, 97], [0x2a, 2, 0x18, 1], [0x2a, 1, 0x0a], [0x18, 1], [0x1b, 0x1c],
        ] {
            let bytes: [UInt8] = try Self.delta().serializedBytes() + field
            #expect(RequestLists(ByteBuffer(bytes: bytes), .delta, RecentLists()) == nil)
            #expect(
                (try? DiscoveryRequest.decode(ByteBuffer(bytes: bytes), .delta, RecentLists()).request)
                    == Self.expected(bytes, .delta))
        }
    }

    @Test("Of two versions of a name the last counts, in one list and in a second one, which is left to the library")
    func duplicates() throws {
        func versions(_ versions: [String: String]) throws -> [UInt8] {
            try Delta.with { $0.initialResourceVersions = versions }.serializedBytes()
        }
        let many = Dictionary(uniqueKeysWithValues: Self.names.map { ($0, "v") })
        let once: [UInt8] = try versions(many) + versions(["a": "2"]) + versions(["a": "3"])
        #expect(try #require(RequestLists(ByteBuffer(bytes: once), .delta, RecentLists())).versions.count == 202)
        let twice: [UInt8] = try Self.delta().serializedBytes() + once
        #expect(RequestLists(ByteBuffer(bytes: twice), .delta, RecentLists()) == nil)
        for bytes in [once, twice] {
            let request = try DiscoveryRequest.decode(ByteBuffer(bytes: bytes), .delta, RecentLists()).request
            guard case .change(_, _, let initialVersions) = request.names else {
                return #expect(Bool(false), "not delta")
            }
            #expect(initialVersions.versions["a"] == "3" && initialVersions.versions.count == 201)
        }
    }

    @Test("A list that came before is recognised, and none that only begins or ends like it")
    func recognised() throws {
        let recent = RecentLists()
        func check(_ names: [String], _ nonce: String) throws {
            let message = Delta.with {
                ($0.typeURL, $0.responseNonce) = (ResourceType.endpoint.typeURL, nonce)
                $0.resourceNamesSubscribe = names
                $0.initialResourceVersions = Dictionary(uniqueKeysWithValues: names.map { ($0, nonce) })
            }
            // Not at the beginning of its buffer, as in a connection's.
            var buffer = ByteBuffer(string: "prefix")
            buffer.writeBytes(try message.serializedBytes() as [UInt8])
            buffer.moveReaderIndex(forwardBy: 6)
            let (request, _) = try DiscoveryRequest.decode(buffer, .delta, recent)
            #expect(request == Self.expected(try message.serializedBytes(), .delta))
        }
        var others = Self.names
        others[100] += "x"
        for round in 0..<3 {
            try check(Self.names, "nonce \(round)")
            try check(Self.names + ["more"], "nonce \(round)")
            try check(Self.names.dropLast(), "nonce \(round)")
            try check(others, "nonce \(round)")
            try check(Self.names.reversed(), "another nonce \(round)")
        }
    }

    @Test("Lists are known by their fingerprints, however they came")
    func fingerprints() throws {
        let bytes: [UInt8] = try Self.delta().serializedBytes()
        let lists = try #require(RequestLists(ByteBuffer(bytes: bytes), .delta, RecentLists()))
        let names = lists.names
        #expect(names.fingerprint == NameSet(Self.names.reversed()).fingerprint)
        #expect(names.contains(Self.names[7]) && !names.contains("*") && names.strings == Self.names)
        #expect(names.longest == Self.names.map(\.utf8.count).max())
        let versions = lists.versions
        #expect(versions.fingerprint == VersionList(Self.delta().initialResourceVersions).fingerprint)
        // A byte that moves from a name to its version makes another list.
        #expect(VersionList(["ab": "c"]).fingerprint != VersionList(["a": "bc"]).fingerprint)
        #expect(VersionList(["a": "1", "b": "2"]).fingerprint != VersionList(["a": "2", "b": "1"]).fingerprint)
    }

    @Test(
        "Whatever the bytes are, they mean what the library says, or nothing", arguments: bothVariants,
        0..<20 as Range<UInt64>)
    func damaged(_ variant: Variant, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let valid: [UInt8] =
            try variant == .delta ? Self.delta().serializedBytes() : Self.stateOfTheWorld().serializedBytes()
        // Some of the lists are known already.
        let recent = RecentLists()
        _ = try DiscoveryRequest.decode(ByteBuffer(bytes: valid), variant, recent)
        for _ in 0..<100 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1: bytes.insert(.random(in: 0...255, using: &random), at: place)
                case 2: bytes.remove(at: place)
                default: bytes.removeLast(Int.random(in: 0..<bytes.count / 2, using: &random))
                }
            }
            let request = try? DiscoveryRequest.decode(ByteBuffer(bytes: bytes), variant, recent).request
            #expect(request == Self.expected(bytes, variant))
        }
    }
}
