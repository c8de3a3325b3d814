import EnvoyProtos
import GRPCServer
import HTTP2
import SwiftProtobuf
import TestSupport
import Testing

@testable import XDSServer

@Suite("Load reporting on a real server", .timeLimit(.minutes(2)))
struct LRSTests {
    private typealias Request = Envoy_Service_LoadStats_V3_LoadStatsRequest
    private typealias Response = Envoy_Service_LoadStats_V3_LoadStatsResponse
    private static let path = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats"
    private static let view = ViewID("view")

    private static func client(
        _ fixture: Fixture, metadata: [HTTP2Header] = [TokenDelegate.token]
    ) async throws -> XDSClient {
        try await XDSClient(.stateOfTheWorld, to: fixture.address, metadata: metadata, path: path)
    }

    /// The first message of a stream.
    private static func hello(_ node: String = "a", features: [String] = []) throws -> [UInt8] {
        try Request.with {
            ($0.node.id, $0.node.cluster, $0.node.clientFeatures) = (node, view.description, features)
        }.serializedBytes()
    }

    /// A report of clusters, each with localities of succeeded and failed requests.
    private static func report(_ clusters: [(String, [(UInt64, UInt64)])], dropped: UInt64 = 0) throws -> [UInt8] {
        try Request.with {
            $0.clusterStats = clusters.map { name, localities in
                .with {
                    $0.clusterName = name
                    $0.totalDroppedRequests = dropped
                    $0.upstreamLocalityStats = localities.map { succeeded, failed in
                        .with { ($0.totalSuccessfulRequests, $0.totalErrorRequests) = (succeeded, failed) }
                    }
                }
            }
        }.serializedBytes()
    }

    @Test("A client is told what to report and how often, and what it reports of its clusters is heard")
    func reports() async throws {
        try await Fixture.serving(loadReportInterval: .milliseconds(1_500)) { fixture in
            var client = try await Self.client(fixture)
            client.send(try Self.hello(features: ["envoy.lrs.supports_send_all_clusters"]))
            let response = try Response(serializedBytes: try await client.nextBytes())
            #expect(response.sendAllClusters && response.clusters.isEmpty)
            #expect(response.loadReportingInterval == .init(seconds: 1, nanos: 500_000_000))
            await fixture.publish(snapshot(1, [.cluster: ["a": "1", "b": "1"]]), to: Self.view)
            client.send(
                try Self.report([("a", [(3, 1), (4, 0)]), ("elsewhere", [(9, 9)]), ("b", [(0, 0)])], dropped: 0))
            client.send(try Self.report([("a", [(1, 0)]), ("a", [(1, 0)])], dropped: 2))
            try await until("both reports are heard") { fixture.loads.reports.count == 2 }
            #expect(
                fixture.loads.reports == [
                    LoadReport(proxy: "a", view: Self.view, clusters: ["a": ClusterLoad(succeeded: 7, failed: 1)]),
                    LoadReport(proxy: "a", view: Self.view, clusters: ["a": ClusterLoad(succeeded: 2, dropped: 4)]),
                ])
            client.halfClose()
            #expect(await client.status() == .ok)
            try await until("the view is nobody's") { fixture.store.activeViews.isEmpty }
        }
    }

    @Test("A client that does not know \"all\" is told the names")
    func names() async throws {
        try await Fixture.serving { fixture in
            // Somebody has the view already.
            let proxy = try await XDSClient(.delta, to: fixture.address)
            try proxy.send(.cluster, node: "p")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1", "b": "1"]]), to: Self.view)
            var client = try await Self.client(fixture)
            client.send(try Self.hello())
            let response = try Response(serializedBytes: try await client.nextBytes())
            #expect(!response.sendAllClusters && response.clusters.sorted() == ["a", "b"])
            proxy.disconnect()
            client.disconnect()
        }
    }

    @Test("Where nobody wants reports, clients are told so")
    func unwanted() async throws {
        try await Fixture.serving(loadReportInterval: nil) { fixture in
            var client = try await Self.client(fixture)
            client.send(try Self.hello(features: ["envoy.lrs.supports_send_all_clusters"]))
            let response = try Response(serializedBytes: try await client.nextBytes())
            #expect(!response.sendAllClusters && response.clusters.isEmpty && response.hasLoadReportingInterval)
            client.disconnect()
        }
    }

    @Test("Who has no token, no name or no sense is refused")
    func refusals() async throws {
        try await Fixture.serving { fixture in
            let cases: [([HTTP2Header], [UInt8], GRPCStatus.Code)] = [
                ([], try Self.hello(), .unauthenticated),
                ([TokenDelegate.token], try Self.hello(""), .invalidArgument),
                ([TokenDelegate.token], try Self.hello(String(repeating: "x", count: 1_025)), .invalidArgument),
                ([TokenDelegate.token], [0xFF, 0xFF, 0xFF], .invalidArgument),
            ]
            for (metadata, message, code) in cases {
                var client = try await Self.client(fixture, metadata: metadata)
                client.send(message)
                #expect(await client.status()?.code == code)
                client.disconnect()
            }
            #expect(fixture.store.activeViews.isEmpty)
        }
    }

    @Test("Numbers that do not fit stay at the greatest")
    func overflow() {
        var load = ClusterLoad(succeeded: .max - 1, failed: 1, dropped: .max)
        load.add(ClusterLoad(succeeded: 2, failed: 1, dropped: .max))
        #expect(load == ClusterLoad(succeeded: .max, failed: 2, dropped: .max))
    }

    @Test("Of clusters that are another's now a client neither hears nor reports")
    func otherOwner() async throws {
        func metadata(_ right: String) -> [HTTP2Header] { [TokenDelegate.token, HTTP2Header("right", right)] }
        try await Fixture.serving(loadReportInterval: .seconds(1)) { fixture in
            var old = try await Self.client(fixture, metadata: metadata("old"))
            old.send(try Self.hello())
            _ = try await old.nextBytes()
            await fixture.publish(snapshot(2, owner: "new", [.cluster: ["a": "1"]]), to: Self.view)
            old.send(try Self.report([("a", [(3, 1)])]))
            #expect(await old.status() == GRPCStatus(.permissionDenied, "not new's"))

            var new = try await Self.client(fixture, metadata: metadata("new"))
            new.send(try Self.hello())
            _ = try await new.nextBytes()
            await fixture.publish(snapshot(2, owner: "new", [.cluster: ["a": "1"]]), to: Self.view)
            var late = try await Self.client(fixture, metadata: metadata("old"))
            late.send(try Self.hello())
            #expect(await late.status() == GRPCStatus(.permissionDenied, "not new's"), "not told the names")
            new.send(try Self.report([("a", [(3, 1)])]))
            try await until("the report is heard") { !fixture.loads.reports.isEmpty }
            #expect(fixture.loads.reports.map(\.owner) == ["new"])
        }
    }
}
