import EnvoyProtos
import GRPCFixtures
import NIOCore
import SwiftProtobuf
import Testing

@testable import XDSServer

/// Resources that last only for a while (xDS protocol, "TTL").
@Suite("Heartbeats")
struct HeartbeatTests {
    private static let ttl = Duration.seconds(30)

    private static func snapshot(_ revision: Int64, _ text: String = "1") -> Snapshot {
        Snapshot(
            revision: revision,
            [
                .listener: ResourceSet([
                    resource(.listener, "short", text, ttl: ttl), resource(.listener, "long", text),
                ])
            ])
    }

    private static func version(_ text: String) throws -> String {
        try #require(snapshot(1, text)[.listener]["short"]?.version)
    }

    private static func synced(_ variant: Variant, takesTTL: Bool = true) throws -> Session {
        var session = Session(variant, snapshot(1))
        session.machine.takesTTL = takesTTL
        try session.want(.listener, [])
        try session.settle()
        return session
    }

    @Test(
        "A client is told in delta to keep what lasts for a while, and in state of the world all of it",
        arguments: bothVariants)
    func beat(_ variant: Variant) throws {
        var session = try Self.synced(variant)
        #expect(session.responses().isEmpty)
        session.machine.beat()
        session.machine.beat()
        let responses = session.responses()
        #expect(responses.map(\.names) == [variant == .delta ? ["short"] : ["long", "short"]])
        #expect(responses.map(\.isHeartbeat) == [variant == .delta])
        #expect(try responses.first?.resources.last?.version == Self.version("1"))
        // Until it is acknowledged there is not another one.
        session.machine.beat()
        #expect(session.responses().isEmpty)
        try session.ack(try #require(responses.first))
        #expect(session.responses().count == 1)
        #expect(session.machine.ackedRevision == 1)
    }

    @Test("Who does not know of it is told nothing", arguments: bothVariants)
    func unknown(_ variant: Variant) throws {
        var session = try Self.synced(variant, takesTTL: false)
        session.machine.beat()
        #expect(session.responses().isEmpty)
    }

    @Test("A client that refused a newer version is told to keep the older one")
    func refused() throws {
        var session = try Self.synced(.delta)
        session.machine.update(Self.snapshot(2, "2"))
        try session.answerAll(refusing: .listener)
        session.machine.beat()
        let heartbeat = try #require(session.responses().first)
        #expect(heartbeat.resources.map(\.version) == [try Self.version("1")])
        try session.ack(heartbeat)
        #expect(session.machine.nack?.revision == 2)

        session.machine.update(Self.snapshot(3, "3"))
        try session.settle()
        session.machine.beat()
        #expect(session.responses().first?.resources.map(\.version) == [try Self.version("3")])
        #expect(session.machine.nack == nil)
    }

    @Test("A client that never accepted any version is told to keep none")
    func neverAccepted() throws {
        var session = Session(.delta, Self.snapshot(1))
        session.machine.takesTTL = true
        try session.want(.listener, [])
        for revision in Int64(1)...3 {
            session.machine.update(Self.snapshot(revision, "\(revision)"))
            try session.answerAll(refusing: .listener)
        }
        session.machine.beat()
        #expect(session.responses().isEmpty)
    }

    @Test("A client that comes back with what there is, and is sent nothing, may keep it for another while")
    func reconnection() throws {
        var session = Session(.delta, Self.snapshot(1))
        session.machine.takesTTL = true
        let has = Self.snapshot(1)[.listener].resources.map { ($0.name, $0.version) }
        try session.send(
            .listener,
            .change(
                subscribe: ["*"], unsubscribe: [], initialVersions: VersionList(Dictionary(uniqueKeysWithValues: has))))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [[], ["short"]])
        #expect(responses.map(\.isHeartbeat) == [false, true])
    }

    @Test("A client that does not have what it is to keep is sent it")
    func missing() throws {
        var session = try Self.synced(.delta)
        session.machine.beat()
        try session.nack(try #require(session.responses().first))
        let responses = try session.settle()
        #expect(responses.map(\.names) == [["short"]])
        #expect(responses.map(\.isHeartbeat) == [false])
        #expect(session.machine.nack == nil)
    }

    // MARK: Time

    @Test("A stream is told three times before it would forget, for as long as something may be forgotten")
    func time() throws {
        let service = EmbeddedADS()
        let (server, client) = try service.connect()
        defer { server.finish() }
        let listeners = try request(
            .delta, type: ResourceType.listener.typeURL, features: ["xds.config.supports-resource-ttl"])
        let answer = try client.stream(.delta, [listeners])
        service.store.publish([ViewID("view"): Self.snapshot(1)])
        try client.advance(by: .zero)
        var responses = try Self.responses(answer)
        #expect(responses.map { $0.resources.map(\.hasResource) } == [[true, true]])

        func acknowledge() throws {
            let nonce = try #require(responses.last?.nonce)
            let ack = try request(.delta, type: ResourceType.listener.typeURL, nonce: nonce)
            try client.send(EmbeddedClient.framed(ack), on: answer)
        }
        try acknowledge()
        try client.advance(by: .seconds(9))
        #expect(try Self.responses(answer).count == 1)
        for round in 2...4 {
            try client.advance(by: round == 2 ? .seconds(1) : .seconds(10))
            responses = try Self.responses(answer)
            #expect(responses.count == round && responses.last?.resources.map(\.name) == ["short"])
            #expect(responses.last?.resources.map(\.hasResource) == [false])
            try acknowledge()
        }
        service.store.publish([ViewID("view"): XDSServerTests.snapshot(2, [.listener: ["long": "1"]])])
        try client.advance(by: .zero)
        responses = try Self.responses(answer)
        #expect(responses.count == 5 && responses.last?.removedResources == ["short"])
        try acknowledge()
        for _ in 0..<3 { try client.advance(by: .seconds(10)) }
        #expect(try Self.responses(answer).count == 5)
    }

    private static func responses(
        _ answer: EmbeddedClient.Answer
    ) throws -> [Envoy_Service_Discovery_V3_DeltaDiscoveryResponse] {
        var responses: [Envoy_Service_Discovery_V3_DeltaDiscoveryResponse] = []
        var rest = answer.body[...]
        while rest.count >= 5 {
            let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            responses.append(try .init(serializedBytes: Array(rest.dropFirst(5).prefix(length))))
            rest = rest.dropFirst(5 + length)
        }
        return responses
    }

    // MARK: Bytes

    @Test("Delta clients that know of it are told how long a resource lasts; a heartbeat has no body")
    func delta() throws {
        let resource = resource(.listener, "short", "1", ttl: Self.ttl)
        let told = try Self.decode(resource.field(ResponseForm(.delta, hasTTL: true)))
        #expect(told.ttl.seconds == 30 && told.hasResource && told.version == resource.version)
        let heartbeat = try Self.decode(try #require(resource.heartbeat))
        #expect(heartbeat.ttl.seconds == 30 && !heartbeat.hasResource && heartbeat.name == "short")
        #expect(heartbeat.version == resource.version)
        #expect(try !Self.decode(resource.field(ResponseForm(.delta))).hasTtl)
    }

    @Test("State-of-the-world clients that know of it get the resource in a wrapper with its time")
    func stateOfTheWorld() throws {
        let resource = resource(.listener, "short", "1", ttl: Self.ttl)
        let field = resource.field(ResponseForm(.stateOfTheWorld, hasTTL: true)).plain
        let any = try #require(
            Envoy_Service_Discovery_V3_DiscoveryResponse(serializedBytes: Array(field.readableBytesView)).resources
                .first)
        #expect(any.typeURL == "type.googleapis.com/envoy.service.discovery.v3.Resource")
        let wrapped = try Envoy_Service_Discovery_V3_Resource(serializedBytes: Array(any.value))
        #expect(wrapped.ttl.seconds == 30 && wrapped.name == "short")
        #expect(wrapped.resource.typeURL == ResourceType.listener.typeURL)
        #expect(Array(wrapped.resource.value) == resource.body)
    }

    @Test("Another time to live is another version, and none is what it always was")
    func versions() {
        let times: [Duration?] = [nil, .seconds(30), .seconds(31), .milliseconds(30)]
        #expect(Set(times.map { resource(.listener, "a", "1", ttl: $0).version }).count == times.count)
    }

    @Test("What a set has of lasting resources takes its layers into account")
    func sets() {
        let base = ResourceSet([
            resource(.listener, "a", ttl: .seconds(20)), resource(.listener, "b", ttl: .seconds(40)),
        ])
        let other = ResourceSet([resource(.listener, "a"), resource(.listener, "c", ttl: .seconds(30))])
        #expect(LayeredSet([other, base]).expiring.names == ["b", "c"])
        #expect(LayeredSet([base, other]).expiring.names == ["a", "b", "c"])
        #expect(other.updating(set: [], removing: ["c"]).expiring.names == [])
        #expect(Snapshot(revision: 1, [.listener: base]).shortestTTL == .seconds(20))
        #expect(Snapshot(revision: 1, [:]).shortestTTL == nil)
    }

    @Test("Clients say themselves what they know of")
    func features() {
        let ttl = "xds.config.supports-resource-ttl"
        #expect(ResponseForm(.delta, clientFeatures: [ttl]).hasTTL)
        #expect(!ResponseForm(.delta, clientFeatures: ["xds.config.resource-in-sotw"]).hasTTL)
        #expect(!ResponseForm(.stateOfTheWorld, clientFeatures: [ttl]).hasTTL)
        for wrapper in ["xds.config.resource-in-sotw", "xds.config.supports-resource-in-sotw"] {
            #expect(ResponseForm(.stateOfTheWorld, clientFeatures: [wrapper, ttl]).hasTTL)
        }
    }

    private static func decode(_ field: SharedBytes) throws -> Envoy_Service_Discovery_V3_Resource {
        let bytes = Array(field.plain.readableBytesView)
        return try #require(Envoy_Service_Discovery_V3_DeltaDiscoveryResponse(serializedBytes: bytes).resources.first)
    }
}
