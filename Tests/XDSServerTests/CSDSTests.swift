import EnvoyProtos
import GRPCServer
import HTTP2
import SwiftProtobuf
import Testing

@testable import XDSServer

@Suite("Client status discovery on a real server", .timeLimit(.minutes(2)))
struct CSDSTests {
    private typealias Request = Envoy_Service_Status_V3_ClientStatusRequest
    private typealias Response = Envoy_Service_Status_V3_ClientStatusResponse
    private static let service = "/envoy.service.status.v3.ClientStatusDiscoveryService"

    private static func client(
        _ method: String = "FetchClientStatus", as token: HTTP2Header = TokenDelegate.administrator,
        to fixture: Fixture
    ) async throws -> XDSClient {
        try await XDSClient(.delta, to: fixture.address, metadata: [token], path: "\(service)/\(method)")
    }

    private static func request(
        _ node: String = "", exactly id: String? = nil, without contents: Bool = false
    ) throws -> [UInt8] {
        var request = Request()
        request.node.id = node
        request.excludeResourceContents = contents
        if let id {
            var matcher = Envoy_Type_Matcher_V3_NodeMatcher()
            matcher.nodeID.exact = id
            request.nodeMatchers = [matcher]
        }
        return try request.serializedBytes()
    }

    private static func fetch(
        _ bytes: [UInt8], as token: HTTP2Header = TokenDelegate.administrator, from fixture: Fixture
    ) async throws -> [Envoy_Service_Status_V3_ClientConfig] {
        var client = try await client(as: token, to: fixture)
        client.send(bytes)
        let response = try Response(serializedBytes: try await client.nextBytes())
        #expect(await client.status() == .ok)
        client.disconnect()
        return response.config
    }

    /// Two proxies of one view: `good` accepts, `bad` refuses `b` of two clusters.
    private static func withProxies(_ body: (Fixture) async throws -> Void) async throws {
        try await Fixture.serving { fixture in
            var clients: [XDSClient] = []
            for name in ["bad", "good"] {
                var client = try await XDSClient(.delta, to: fixture.address)
                try client.send(.cluster, node: name)
                let content = snapshot(1, [.cluster: ["a": "1", "b": "1"]])
                if name == "bad" { await fixture.publish(content, to: ViewID("view")) }
                let message = try await client.next()
                let error = name == "bad" ? "Error adding/updating cluster(s) b: is bad" : nil
                try client.send(.cluster, answering: message, error: error)
                let state: TypeReport.State = name == "bad" ? .rejected : .synced
                _ = await fixture.report(of: name) { $0.types.first?.state == state }
                clients.append(client)
            }
            try await body(fixture)
            for client in clients { client.disconnect() }
        }
    }

    @Test("Says of every resource what was sent, and what the client has against it")
    func states() async throws {
        try await Self.withProxies { fixture in
            let clients = try await Self.fetch(Self.request(), from: fixture)
            #expect(clients.map(\.node.id) == ["bad", "good"])
            for (client, states) in zip(
                clients, [[.unknown, .error], [.synced, .synced]] as [[Envoy_Service_Status_V3_ConfigStatus]])
            {
                let configs = client.genericXdsConfigs
                #expect(configs.map(\.name) == ["a", "b"] && configs.map(\.configStatus) == states)
                #expect(configs.allSatisfy { $0.typeURL == ResourceType.cluster.typeURL && !$0.versionInfo.isEmpty })
                #expect(configs.map { Array($0.xdsConfig.value) } == [Array("a=1".utf8), Array("b=1".utf8)])
            }
            let refused = try #require(clients.first?.genericXdsConfigs.last)
            #expect(refused.errorState.details == "Error adding/updating cluster(s) b: is bad")
            let bare = try await Self.fetch(Self.request(without: true), from: fixture)
            #expect(bare.flatMap(\.genericXdsConfigs).count == 4)
            #expect(bare.flatMap(\.genericXdsConfigs).allSatisfy { !$0.hasXdsConfig })
        }
    }

    @Test("A proxy sees itself and nobody else, whatever it asks for")
    func own() async throws {
        try await Self.withProxies { fixture in
            let own = try await Self.fetch(Self.request("good"), as: TokenDelegate.token, from: fixture)
            #expect(own.map(\.node.id) == ["good"])
            let other = try await Self.fetch(
                Self.request("good", exactly: "bad"), as: TokenDelegate.token, from: fixture)
            #expect(other.isEmpty)
            let stranger = try await Self.fetch(Self.request("stranger"), as: TokenDelegate.token, from: fixture)
            #expect(stranger.isEmpty)
            for token in [HTTP2Header("authorization", "Bearer wrong"), HTTP2Header("x-nothing", "")] {
                var client = try await Self.client(as: token, to: fixture)
                client.send(try Self.request("good"))
                #expect(await client.status()?.code == .unauthenticated)
                client.disconnect()
            }
        }
    }

    @Test("Clients are picked by their node's id; what is not understood is refused, not ignored")
    func matchers() async throws {
        try await Self.withProxies { fixture in
            #expect(try await Self.fetch(Self.request(exactly: "good"), from: fixture).map(\.node.id) == ["good"])
            #expect(try await Self.fetch(Self.request(exactly: "other"), from: fixture).isEmpty)
            var regex = Envoy_Type_Matcher_V3_NodeMatcher()
            regex.nodeID.safeRegex.regex = ".*"
            var hostile: [[UInt8]] = [try Request.with { $0.nodeMatchers = [regex] }.serializedBytes()]
            hostile.append(try Request.with { $0.nodeMatchers = [.init()] }.serializedBytes())
            // node_matchers { node_metadatas {} }, which is not understood; and bytes that are no message.
            hostile += [[0x0a, 0x02, 0x12, 0x00], [0xff], [0x0a, 0x7f], Array(repeating: 0x0a, count: 1_000)]
            for bytes in hostile {
                var client = try await Self.client(to: fixture)
                client.send(bytes)
                #expect(await client.status()?.code == .invalidArgument)
                client.disconnect()
            }
        }
    }

    @Test("A stream answers every request, and ends when the client has no more")
    func stream() async throws {
        try await Self.withProxies { fixture in
            var client = try await Self.client("StreamClientStatus", to: fixture)
            for name in ["good", "bad"] {
                client.send(try Self.request(exactly: name))
                let response = try Response(serializedBytes: try await client.nextBytes())
                #expect(response.config.map(\.node.id) == [name])
            }
            client.halfClose()
            #expect(await client.status() == .ok)
            client.disconnect()
        }
    }

    @Test("A flood of requests is answered or refused; a call without a request ends in order")
    func flood() async throws {
        try await Self.withProxies { fixture in
            var client = try await Self.client("StreamClientStatus", to: fixture)
            for _ in 0..<10_000 { client.send(try Self.request()) }
            client.halfClose()
            let end = await client.status()?.code
            #expect(end == .ok || end == .resourceExhausted)
            client.disconnect()
            var silent = try await Self.client(to: fixture)
            silent.halfClose()
            #expect(await silent.status() == .ok)
            silent.disconnect()
        }
    }
}
