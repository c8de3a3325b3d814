import EnvoyProtos
import GRPCServer
import HTTP2
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import XDSServer

@Suite("Statistics of clients", .timeLimit(.minutes(2)))
struct StatsTests {
    private typealias Request = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest
    private typealias Metric = Opentelemetry_Proto_Metrics_V1_Metric
    private static let identity = CallIdentity(tenant: "acme", proof: ())
    private static let cluster = "outbound|9080|v1|reviews.shop.svc.cluster.local"
    private static let second: UInt64 = 1_000_000_000

    private static func bytes(_ metrics: [Metric]) throws -> [UInt8] {
        try Request.with {
            $0.resourceMetrics = [.with { $0.instrumentationLibraryMetrics = [.with { $0.metrics = metrics }] }]
        }.serializedBytes()
    }

    private static func sum(
        _ name: String, _ count: Int64, from start: UInt64 = 100 * second, to end: UInt64 = 110 * second,
        _ temporality: Opentelemetry_Proto_Metrics_V1_AggregationTemporality = .delta
    ) -> Metric {
        .with {
            $0.name = name
            $0.sum.aggregationTemporality = temporality
            $0.sum.dataPoints = [
                .with { ($0.startTimeUnixNano, $0.timeUnixNano, $0.asInt) = (start, end, count) }
            ]
        }
    }

    private static func histogram(_ name: String, _ bounds: [Double], _ counts: [UInt64], sum: Double) -> Metric {
        .with {
            $0.name = name
            $0.histogram.aggregationTemporality = .delta
            $0.histogram.dataPoints = [
                .with {
                    ($0.explicitBounds, $0.bucketCounts, $0.sum) = (bounds, counts, sum)
                    $0.count = counts.reduce(0, +)
                }
            ]
        }
    }

    private static func read(_ metrics: [Metric]) throws -> StatsReport {
        try StatsReport(try bytes(metrics), identity: identity)
    }

    @Test("are read by cluster, as a real Envoy names them")
    func reading() throws {
        let gauge = Metric.with {
            $0.name = "server.uptime"
            $0.gauge.dataPoints = [.with { $0.asInt = 5 }]
        }
        let prefix = "cluster.\(Self.cluster)."
        let report = try Self.read([
            gauge, Self.sum(prefix + "upstream_rq_200", 59), Self.sum(prefix + "upstream_rq_503", 3),
            Self.sum(prefix + "retry.upstream_rq_503", 12), Self.sum(prefix + "grpc.14", 2),
            Self.sum(prefix + "upstream_cx_rx_bytes_total", 8_593),
            Self.sum(prefix + "upstream_cx_tx_bytes_total", 14_430),
            Self.histogram(prefix + "upstream_rq_time", [1, 2], [3, 0, 1], sum: 9.5),
            Self.sum("listener_manager.listener_added", 1), Self.sum("cluster.xds.upstream_rq_200", 1),
        ])
        var expected = ClusterStats()
        (expected.answers, expected.retried, expected.calls) = ([200: 59, 503: 3], [503: 12], [14: 2])
        (expected.receivedBytes, expected.sentBytes) = (8_593, 14_430)
        expected.times = .init(bounds: [1, 2], counts: [3, 0, 1], sum: 9.5)
        #expect(report.clusters[Self.cluster] == expected)
        #expect(report.interval == .seconds(10))
        #expect(report.clusters.keys.sorted() == [Self.cluster, "xds"])
        #expect(try Self.read([gauge]).clusters.isEmpty)
    }

    @Test("that say the impossible are left out")
    func impossible() throws {
        let prefix = "cluster.c."
        let report = try Self.read([
            Self.sum(prefix + "upstream_rq_200", -5), Self.sum(prefix + "upstream_rq_99", 1),
            Self.sum(prefix + "upstream_rq_1000", 1), Self.sum(prefix + "upstream_rq_2xx", 1),
            Self.sum(prefix + "upstream_rq_+20", 1), Self.sum(prefix + "grpc.100", 1), Self.sum(prefix + "grpc.", 1),
            Self.sum("cluster.", 1), Self.sum("upstream_rq_200", 1), Self.sum("", 1),
            Self.histogram(prefix + "upstream_rq_time", [1, 2], [3, 1], sum: 1),
            Self.histogram(prefix + "upstream_rq_time", [1], [3, 1], sum: -.infinity),
            Self.histogram(prefix + "upstream_rq_time", [1], [3, 1], sum: .nan),
            Self.histogram(prefix + "upstream_rq_200", [1], [3, 1], sum: 1),
            Self.sum("cluster." + String(repeating: "x", count: 5_000) + ".upstream_rq_200", 1),
        ])
        #expect(report.clusters.isEmpty, "\(report.clusters)")
        let extreme = try Self.read([
            Self.sum(prefix + "upstream_rq_200", .max), Self.sum(prefix + "upstream_rq_200", .max),
            Self.sum(prefix + "upstream_rq_200", .max, from: .max, to: 0),
            Self.sum(prefix + "upstream_rq_200", 1, from: 0, to: .max),
        ])
        #expect(extreme.clusters["c"]?.answers[200] == .max)
        #expect(extreme.interval == .seconds(10))
    }

    @Test("that count from the start, or are no statistics, are refused")
    func refused() throws {
        for temporality in [Opentelemetry_Proto_Metrics_V1_AggregationTemporality.cumulative, .unspecified] {
            let metric = Self.sum("cluster.c.upstream_rq_200", 1, temporality)
            #expect(throws: StatsReport.Unreadable.self) { try Self.read([metric]) }
        }
        #expect(throws: StatsReport.Unreadable.self) { try StatsReport([0xff, 0xff, 0xff], identity: Self.identity) }
        var generator = SeededGenerator(seed: 3)
        let bytes = try Self.bytes([
            Self.sum("cluster.c.upstream_rq_200", 3),
            Self.histogram("cluster.c.upstream_rq_time", [1, 2], [1, 1, 1], sum: 3),
        ])
        for _ in 0..<2_000 {
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = try? StatsReport(changed, identity: Self.identity)
        }
    }

    private static let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    private static let tenant = HTTP2Header("tenant", "acme")

    private static func client(_ fixture: Fixture, _ metadata: [HTTP2Header]) async throws -> XDSClient {
        try await XDSClient(.delta, to: fixture.address, metadata: metadata, path: path)
    }

    @Test("come over the server's port from who shows a token, one message a call")
    func service() async throws {
        try await Fixture.serving { fixture in
            var client = try await Self.client(fixture, [Self.tenant])
            client.send(try Self.bytes([Self.sum("cluster.c.upstream_rq_200", 3)]))
            #expect(try await client.nextBytes().isEmpty)
            #expect(await client.status() == .ok)
            #expect(fixture.stats.reports.map(\.identity.tenant) == ["acme"])
            #expect(fixture.stats.reports.first?.clusters["c"]?.answers == [200: 3])

            var stranger = try await Self.client(fixture, [])
            stranger.send(try Self.bytes([]))
            #expect(await stranger.status()?.code == .unauthenticated)

            var garbled = try await Self.client(fixture, [Self.tenant])
            garbled.send([0xff, 0xff])
            #expect(await garbled.status()?.code == .invalidArgument)

            var silent = try await Self.client(fixture, [Self.tenant])
            silent.halfClose()
            #expect(await silent.status()?.code == .invalidArgument)

            fixture.stats.isFull.withLock { $0 = true }
            var late = try await Self.client(fixture, [Self.tenant])
            late.send(try Self.bytes([]))
            let status = await late.status()
            #expect(status?.code == .resourceExhausted && status?.message == "no room")
            #expect(fixture.stats.reports.count == 1)
        }
    }
}
