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
            let coverage = TrafficCoverageRow(
                mesh: mesh, slot: 100, writer: "a", reporters: [try Self.name("a"), try Self.name("b")])
            for requests: UInt64 in [5, 9] {
                try await fixture.store.recordTraffic([Self.row(mesh, 100, requests)], [coverage], by: "a")
            }
            try await fixture.store.recordTraffic([Self.row(mesh, 100, 7), Self.row(mesh, 101, 1)], [], by: "b")
            let reader = TrafficReader(store: fixture.store)
            let samples = try await reader.samples(of: Self.host, in: mesh, .tenSeconds, 100..<102)
            #expect(Self.requests(samples) == [100: 12, 101: 1])
            #expect(try await reader.samples(of: "other", in: mesh, .tenSeconds, 0..<1000).isEmpty)
            let reported = try await fixture.store.reportedSlots(
                of: mesh, by: [try Self.name("b"), try Self.name("c"), try Self.name("a")], 0..<1000)
            #expect(reported == [try Self.name("a"): [100], try Self.name("b"): [100]])
        }
    }

    @Test("nobody sees another tenant's, and nothing of a mesh outlives it")
    func tenants() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            try await fixture.store.recordTraffic(
                [Self.row(mesh, 100, 5)],
                [TrafficCoverageRow(mesh: mesh, slot: 100, writer: "a", reporters: [try Self.name("a")])],
                by: "a")
            let stranger = TrafficMesh(tenant: try #require(Name("globex")), uid: mesh.uid)
            #expect(try await fixture.store.traffic(to: Self.host, in: stranger, .tenSeconds, 0..<1000).isEmpty)
            _ = try await fixture.store.write(tenant: key.tenant, mesh: nil, actor: "test", requestId: "test") {
                try await $0.delete(.tenant(key.tenant))
            }
            #expect(try await fixture.store.traffic(to: Self.host, in: mesh, .tenSeconds, 0..<1000).isEmpty)
            #expect(try await fixture.store.reportedSlots(of: mesh, by: [try Self.name("a")], 0..<1000).isEmpty)
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
                [TrafficCoverageRow(mesh: mesh, slot: now - 400, writer: "a", reporters: [try Self.name("a")])], by: "a"
            )
            #expect(try await fixture.store.forgetTraffic(atMost: 3))
            #expect(try await !fixture.store.forgetTraffic(atMost: 3))
            let rest = try await fixture.store.traffic(to: Self.host, in: mesh, .tenSeconds, 0..<now + 1)
            #expect(rest.map(\.slot) == [now - 10])
            #expect(try await fixture.store.reportedSlots(of: mesh, by: [try Self.name("a")], 0..<now + 1).isEmpty)
        }
    }

    @Test("a recorder writes what was reported, at the database's time, and what is open when it ends")
    func recorder() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("caller")))
            let recorder = TrafficRecorder(
                store: fixture.store, metrics: NOOPMetricsHandler.instance, logger: quietLogger)
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
        }
    }

    private static func name(_ text: String) throws -> NamespacedName {
        NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(text)))
    }

    // MARK: Who has to report

    /// A sidecar that is connected, of a service of its own name.
    private static func connect(
        _ fixture: StoreFixture, _ mesh: MeshKey, _ name: String, service: String? = nil, to replica: String = "r",
        routed: [NamespacedName]? = nil
    ) async throws {
        try await fixture.store.heartbeat(replica)
        try await fixture.store.report([
            ProxyRow(
                mesh: mesh, name: try Self.name(name), replica: replica, connected: true,
                connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:],
                client: ProxyClient(.envoy(httpProxyPort: 15_080), service: try #require(Name(service ?? name))),
                standing: ProxyStanding(firstRevision: 1, answeredRevision: 1, routed: routed))
        ])
        // As if it had been there for an hour.
        _ = try await fixture.pool.pipeline([
            "SELECT set_config('sluice.tenant', '*', true)",
            "UPDATE proxy SET opened_at = now() - interval '1 hour' WHERE name = \(name)",
        ])
    }

    /// The requests of a caller to the host.
    private static func row(_ mesh: TrafficMesh, _ slot: Int64, from caller: String?) throws -> TrafficRow {
        var sample = TrafficSample()
        let source = try caller.map { TrafficSource(service: try name($0), version: nil) }
        var counts = TrafficCounts()
        counts.answers.add(5, of: 200)
        sample.series[TrafficSeries(port: 9080, version: nil, source: source)] = counts
        return TrafficRow(mesh: mesh, slot: slot, host: host, samples: sample.bytes)
    }

    private static let reviews = Host.service(
        NamespacedName(namespace: Name("shop") ?? .blank, name: Name("reviews") ?? .blank))

    private static func coverage(
        _ fixture: StoreFixture, _ key: MeshKey, _ mesh: TrafficMesh, _ slots: Range<Int64>
    ) async throws -> TrafficCoverage {
        let reader = TrafficReader(store: fixture.store)
        let samples = try await reader.samples(of: host, in: mesh, .tenSeconds, slots)
        return try await reader.coverage(to: reviews, in: key, mesh, slots, samples)
    }

    @Test(
        "coverage is of those who call: whoever else is silent is missed by nobody, and whoever else reports helps nobody"
    )
    func callers() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            for name in ["page", "idle", "app"] { try await Self.connect(fixture, key, name) }
            let slot = TrafficSpan.tenSeconds.slot(of: try await fixture.store.now()) - 10
            func report(_ slots: Range<Int64>, _ names: [String], from caller: String?) async throws {
                try await fixture.store.recordTraffic(
                    try slots.map { try Self.row(mesh, $0, from: caller) },
                    try slots.map {
                        TrafficCoverageRow(mesh: mesh, slot: $0, writer: "w", reporters: try names.map(Self.name))
                    }, by: "w")
            }
            try await report(slot..<slot + 3, ["page", "stranger"], from: "page")
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 3).share == 1, "idle and app do not call")
            // It called a moment ago, and is silent now.
            try await report(slot - 3..<slot - 2, ["app", "page"], from: "app")
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 3).share == 0.5)
            // It has called half an hour ago.
            let minute = (slot - 180) / 6
            var old = try Self.row(mesh, minute, from: "idle")
            old.slot = minute
            try await fixture.store.replaceTraffic([old], .minute)
            let third = try await Self.coverage(fixture, key, mesh, slot..<slot + 3)
            #expect(third.expected == 9 && third.known == 3)
        }
    }

    @Test(
        "a caller of a replica that writes no telemetry is missed, and one that is not sent the service's routes is not"
    )
    func elsewhere() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            try await Self.connect(fixture, key, "page-1", service: "page")
            try await Self.connect(fixture, key, "page-2", service: "page", to: "old")
            try await Self.connect(fixture, key, "page-3", service: "page", routed: [try Self.name("other")])
            let slot = TrafficSpan.tenSeconds.slot(of: try await fixture.store.now()) - 10
            try await fixture.store.recordTraffic(
                [try Self.row(mesh, slot, from: "page")],
                [TrafficCoverageRow(mesh: mesh, slot: slot, writer: "w", reporters: [try Self.name("page-1")])], by: "w"
            )
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 1).share == 0.5)
            // The replica is lost: what its sidecar has counted last is missing for a while yet.
            _ = try await fixture.pool.query(
                "UPDATE replica SET heartbeat_at = now() - interval '1 minute' WHERE id = 'old'")
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 1).share == 0.5)
            _ = try await fixture.pool.query(
                "UPDATE replica SET heartbeat_at = now() - interval '2 minutes' WHERE id = 'old'")
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 1).share == 1)
        }
    }

    @Test("where senders were counted together everybody may be one, and nobody calls where nothing was counted")
    func anybody() async throws {
        try await StoreFixture.run { fixture in
            let (key, mesh) = try await Self.mesh(fixture)
            for name in ["page", "idle"] { try await Self.connect(fixture, key, name) }
            let slot = TrafficSpan.tenSeconds.slot(of: try await fixture.store.now()) - 10
            #expect(try await Self.coverage(fixture, key, mesh, slot..<slot + 1).expected == 0)
            try await fixture.store.recordTraffic(
                [try Self.row(mesh, slot, from: nil)],
                [
                    TrafficCoverageRow(
                        mesh: mesh, slot: slot, writer: "w", reporters: [try Self.name("page")], overflowed: 7)
                ], by: "w")
            let coverage = try await Self.coverage(fixture, key, mesh, slot..<slot + 1)
            #expect(coverage.share == 0.5 && coverage.overflowed == 7)
        }
    }

    @Test("each slot is looked at again, also where several are caught up on at once, and comes out the same")
    func secondLooks() async throws {
        try await StoreFixture.run { fixture in
            let (_, mesh) = try await Self.mesh(fixture)
            let minute = TrafficSpan.minute.slot(of: try await fixture.store.now()) - 20
            for slot in [minute, minute + 1] {
                try await fixture.store.recordTraffic([Self.row(mesh, slot * 6, 10)], [], by: "a")
            }
            try await Self.move(fixture, .minute, through: minute + 5)
            let rollUp = TrafficRollUp(store: fixture.store, logger: quietLogger)
            for _ in 0..<2 {
                try await rollUp.addUp(.tenSeconds, to: .minute)
                let reader = TrafficReader(store: fixture.store)
                let minutes = try await reader.samples(of: Self.host, in: mesh, .minute, minute..<minute + 2)
                #expect(minutes[minute + 1] != nil)
                #expect(Set(Self.requests(minutes).values) == [10])
                try await Self.move(fixture, .minute, through: minute + 5)
            }
            #expect(
                try await fixture.store.claimRollUp(to: .minute).map { Set($0).count == $0.count && $0 == $0.sorted() }
                    == true)
        }
    }

    @Test("who reports is noted in whichever order, each proxy once, and nobody waits for who writes its row")
    func noting() async throws {
        try await StoreFixture.run { fixture in
            let (key, _) = try await Self.mesh(fixture)
            for name in ["b", "a", "c"] { try await Self.connect(fixture, key, name) }
            let proxies = try ["c", "a", "b"].map { ReportingProxy(mesh: key, name: try Self.name($0)) }
            try await fixture.store.noteReporting(stats: [proxies[0], proxies[2]], loads: [proxies[0], proxies[1]])
            let rows = try await fixture.store.proxies(of: key, limit: 9)
            #expect(rows.map(\.telemetry) == [.countsOnly, .full, .full])
            let (count, names) = try await fixture.store.proxiesWithCountsOnly(of: key, naming: 1)
            let first = try Self.name("a")
            #expect(count == 1 && names == [first])
            try await fixture.pool.transaction(prelude: ["SELECT set_config('sluice.tenant', '*', true)"]) { session in
                try await session.query("UPDATE proxy SET stats_at = NULL, loads_at = NULL WHERE name = 'a'")
                try await fixture.store.noteReporting(stats: proxies, loads: [])
            }
            #expect(try await fixture.store.proxies(of: key, limit: 9).map(\.telemetry) == [.nothing, .full, .full])
        }
    }
}
