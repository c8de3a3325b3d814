import Analysis
import CoreMetrics
import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshTelemetry

@Suite("Traffic in the database", .timeLimit(.minutes(2)))
struct TrafficStoreTests {
    private static let host = "reviews.shop.svc.cluster.local"

    /// A tenant with its mesh, and the mesh's `uid`.
    private static func mesh(_ fixture: StoreFixture, _ tenant: String = "acme") async throws -> (MeshKey, TrafficMesh)
    {
        let name = try #require(Name(tenant))
        _ = try await fixture.store.write(tenant: name, mesh: nil, actor: "test", requestId: "test") {
            try await $0.put(.tenant(name), metadata: ObjectLabels(), spec: [:])
        }
        let key = MeshKey(tenant: name, mesh: .defaultMesh)
        let life = try #require(try await fixture.store.life(of: key))
        return (key, TrafficMesh(tenant: name, uid: life.mesh))
    }

    private static func sample(_ requests: UInt64) -> TrafficSample {
        var counts = TrafficCounts()
        counts.answers.add(requests, of: 200)
        counts.latency.add(10, count: requests)
        var sample = TrafficSample()
        sample.series[TrafficSeries(port: 9080, version: Name("v1"), source: nil)] = counts
        return sample
    }

    private static func row(_ mesh: TrafficMesh, _ slot: Int64, _ requests: UInt64) -> TrafficRow {
        TrafficRow(mesh: mesh, slot: slot, host: host, samples: sample(requests).bytes)
    }

    private static func requests(_ samples: [Int64: TrafficSample]) -> [Int64: UInt64] {
        samples.mapValues { $0.sum { _ in true }.requests }
    }

    @Test("a slot that is written again stays as it was, and writers add up")
    func writing() async throws {
        try await StoreFixture.run { fixture in
            let (_, mesh) = try await Self.mesh(fixture)
            let coverage = TrafficCoverageRow(mesh: mesh, slot: 100, writer: "a", connected: 3, reporting: 2)
            for requests: UInt64 in [5, 9] {
                try await fixture.store.recordTraffic([Self.row(mesh, 100, requests)], [coverage], by: "a")
            }
            try await fixture.store.recordTraffic([Self.row(mesh, 100, 7), Self.row(mesh, 101, 1)], [], by: "b")
            let reader = TrafficReader(store: fixture.store)
            let samples = try await reader.samples(of: Self.host, in: mesh, .tenSeconds, 100..<102)
            #expect(Self.requests(samples) == [100: 12, 101: 1])
            #expect(try await reader.samples(of: "other", in: mesh, .tenSeconds, 0..<1000).isEmpty)
            #expect(try await fixture.store.trafficCoverage(of: mesh, 0..<1000) == [coverage])
        }
    }

    @Test("nobody sees another tenant's, and nothing of a mesh outlives it")
    func tenants() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            try await fixture.store.recordTraffic(
                [Self.row(mesh, 100, 5)],
                [TrafficCoverageRow(mesh: mesh, slot: 100, writer: "a", connected: 1, reporting: 1)],
                by: "a")
            let stranger = TrafficMesh(tenant: try #require(Name("globex")), uid: mesh.uid)
            #expect(try await fixture.store.traffic(to: Self.host, in: stranger, .tenSeconds, 0..<1000).isEmpty)
            _ = try await fixture.store.write(tenant: key.tenant, mesh: nil, actor: "test", requestId: "test") {
                try await $0.delete(.tenant(key.tenant))
            }
            #expect(try await fixture.store.traffic(to: Self.host, in: mesh, .tenSeconds, 0..<1000).isEmpty)
            #expect(try await fixture.store.trafficCoverage(of: mesh, 0..<1000).isEmpty)
        }
    }

    @Test("ten seconds become minutes and minutes hours, by one replica at a time and again where one was late")
    func rollUp() async throws {
        try await StoreFixture.run { fixture in
            let (_, mesh) = try await Self.mesh(fixture)
            let rollUp = TrafficRollUp(store: fixture.store, logger: quietLogger)
            // The first claim says from when on.
            try await rollUp.addUp(.tenSeconds, to: .minute)
            let now = try await fixture.store.now()
            let minute = TrafficSpan.minute.slot(of: now) - 10
            try await Self.move(fixture, .minute, through: minute - 1)
            for part in 0..<6 {
                try await fixture.store.recordTraffic([Self.row(mesh, minute * 6 + Int64(part), 10)], [], by: "a")
                try await fixture.store.recordTraffic([Self.row(mesh, minute * 6 + Int64(part), 1)], [], by: "b")
            }
            try await rollUp.addUp(.tenSeconds, to: .minute)
            let reader = TrafficReader(store: fixture.store)
            let minutes = try await reader.samples(of: Self.host, in: mesh, .minute, minute..<minute + 1)
            #expect(Self.requests(minutes) == [minute: 66])
            // Who was late is counted when it is looked at again, five minutes later.
            try await fixture.store.recordTraffic([Self.row(mesh, minute * 6, 4)], [], by: "late")
            try await Self.move(fixture, .minute, through: minute + 4)
            try await rollUp.addUp(.tenSeconds, to: .minute)
            let again = try await reader.samples(of: Self.host, in: mesh, .minute, minute..<minute + 1)
            #expect(Self.requests(again) == [minute: 70])
            // While a replica is at it, nobody else is.
            try await Self.move(fixture, .minute, through: minute)
            #expect(try await fixture.store.claimRollUp(to: .minute) != nil)
            #expect(try await fixture.store.claimRollUp(to: .minute) == nil)
        }
    }

    /// Has a span begin anew behind a slot.
    private static func move(_ fixture: StoreFixture, _ span: TrafficSpan, through slot: Int64) async throws {
        _ = try await fixture.pool.query(
            """
            INSERT INTO traffic_rollup (span, through, lease_until) VALUES (\(span.rawValue), \(slot), '-infinity')
            ON CONFLICT (span) DO UPDATE SET through = \(slot), lease_until = '-infinity'
            """)
    }

    @Test("what is older than it is kept goes, a bounded number at a time")
    func forgetting() async throws {
        try await StoreFixture.run { fixture in
            let (_, mesh) = try await Self.mesh(fixture)
            let now = TrafficSpan.tenSeconds.slot(of: try await fixture.store.now())
            let old = (0..<5).map { Self.row(mesh, now - 400 - $0, 1) }
            try await fixture.store.recordTraffic(
                old + [Self.row(mesh, now - 10, 1)],
                [TrafficCoverageRow(mesh: mesh, slot: now - 400, writer: "a", connected: 1, reporting: 1)], by: "a")
            #expect(try await fixture.store.forgetTraffic(atMost: 3))
            #expect(try await !fixture.store.forgetTraffic(atMost: 3))
            let rest = try await fixture.store.traffic(to: Self.host, in: mesh, .tenSeconds, 0..<now + 1)
            #expect(rest.map(\.slot) == [now - 10])
            #expect(try await fixture.store.trafficCoverage(of: mesh, 0..<now + 1).isEmpty)
        }
    }

    @Test("a recorder writes what was reported, at the database's time, and what is open when it ends")
    func recorder() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("caller")))
            let recorder = TrafficRecorder(
                store: fixture.store, metrics: NOOPMetricsHandler.instance, logger: quietLogger,
                connected: { [mesh: [name]] })
            await recorder.work()
            var counts = TrafficCounts()
            counts.answers.add(3, of: 200)
            let report = TrafficReport(
                mesh: mesh, proxy: name, source: TrafficSource(service: name, version: nil), interval: .seconds(1),
                counts: [.init(host: Self.host, port: 80, version: nil): counts])
            recorder.add(report, key: key, arriving: .now)
            let task = Task { try await recorder.run() }
            task.cancel()
            _ = await task.result
            let now = TrafficSpan.tenSeconds.slot(of: try await fixture.store.now())
            let rows = try await fixture.store.traffic(to: Self.host, in: mesh, .tenSeconds, now - 2..<now + 1)
            #expect(
                rows.count == 1
                    && rows.first.flatMap { TrafficSample(bytes: $0.samples) }?.sum { _ in true }.requests == 3)
            let coverage = try await fixture.store.trafficCoverage(of: mesh, now - 2..<now + 1)
            #expect(coverage.contains { $0.isLast && $0.reporting == 1 && $0.writer == recorder.writer })
        }
    }
}
