import GRPCServer
import HTTP2
import Testing

@testable import XDSServer

/// The services of one type each ("RPC Services and Methods for Each Variant", xDS protocol), over HTTP/2 on the loopback.
@Suite("Discovery services of single types on a real server", .timeLimit(.minutes(2)))
struct SingleTypeServiceTests {
    private let view = ViewID("view")

    private static let services: [(type: ResourceType, path: String, resources: String)] = [
        (.cluster, "cluster.v3.ClusterDiscoveryService", "Clusters"),
        (.endpoint, "endpoint.v3.EndpointDiscoveryService", "Endpoints"),
        (.listener, "listener.v3.ListenerDiscoveryService", "Listeners"),
        (.scopedRoute, "route.v3.ScopedRoutesDiscoveryService", "ScopedRoutes"),
        (.route, "route.v3.RouteDiscoveryService", "Routes"),
        (.virtualHost, "route.v3.VirtualHostDiscoveryService", "VirtualHosts"),
        (.extensionConfig, "extension.v3.ExtensionConfigDiscoveryService", "ExtensionConfigs"),
        (.secret, "secret.v3.SecretDiscoveryService", "Secrets"),
        (.runtime, "runtime.v3.RuntimeDiscoveryService", "Runtime"),
    ]

    private func path(_ type: ResourceType, _ variant: Variant) throws -> String {
        let service = try #require(Self.services.first { $0.type == type })
        return "/envoy.service.\(service.path)/\(variant == .delta ? "Delta" : "Stream")\(service.resources)"
    }

    @Test("Each type has its service, in both variants but for virtual hosts", arguments: bothVariants)
    func services(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            for type in ResourceType.allCases {
                var client = try await XDSClient(variant, to: fixture.address, path: path(type, variant))
                guard type.isServed(in: variant) else {
                    #expect(await client.status()?.code == .unimplemented)
                    continue
                }
                try client.send(type, ["a"], node: "proxy", view: "\(type)")
                await fixture.publish(snapshot(1, [type: ["a": "1", "b": "1"]]), to: ViewID("\(type)"))
                let message = try await client.next()
                #expect(message.type == type && message.bodies == [Array("a=1".utf8)])
                client.disconnect()
            }
        }
    }

    @Test("A request of another type ends the stream with INVALID_ARGUMENT", arguments: bothVariants)
    func otherType(_ variant: Variant) async throws {
        try await Fixture.serving { fixture in
            var client = try await XDSClient(variant, to: fixture.address, path: path(.route, variant))
            try client.send(.listener, ["a"], node: "proxy")
            #expect(
                await client.status()
                    == GRPCStatus(.invalidArgument, "type_url is not \(ResourceType.route.typeURL)"))
            client.disconnect()
        }
    }

    @Test("Of a client with a stream for each type one report is made, as good as the worst of them")
    func report() async throws {
        try await Fixture.serving { fixture in
            var clusters = try await XDSClient(.delta, to: fixture.address, path: path(.cluster, .delta))
            var routes = try await XDSClient(.delta, to: fixture.address, path: path(.route, .delta))
            try clusters.send(.cluster, [], node: "proxy")
            try routes.send(.route, ["r"], node: "proxy")
            await fixture.publish(snapshot(3, [.cluster: ["a": "1"], .route: ["r": "1"]]), to: view)
            let cluster = try await clusters.next()
            let route = try await routes.next()
            try clusters.send(.cluster, answering: cluster)
            let half = try #require(await fixture.report(of: "proxy") { $0.types.map(\.state) == [.synced, .stale] })
            #expect(half.types.map(\.type) == [.cluster, .route] && half.ackedRevision == 0)
            try routes.send(.route, answering: route, error: "no")
            let refused = try #require(await fixture.report(of: "proxy") { $0.rejectedRevision == 3 })
            #expect(refused.types.map(\.state) == [.synced, .rejected] && refused.rejectedMessage == "no")

            routes.disconnect()
            let rest = try #require(await fixture.report(of: "proxy") { $0.types.count == 1 })
            #expect(rest.isConnected && rest.ackedRevision == 3 && rest.rejectedRevision == nil)
            clusters.disconnect()
            #expect(await fixture.report(of: "proxy") { !$0.isConnected } != nil)
        }
    }
}
