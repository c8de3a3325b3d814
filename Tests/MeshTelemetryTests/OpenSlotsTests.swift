import Documents
import MeshCore
import MeshModel
import MeshStore
import Testing

@testable import MeshTelemetry

@Suite("Slots that reports still come for")
struct OpenSlotsTests {
    private static let mesh = TrafficMesh(tenant: Name("acme") ?? .blank, uid: "u")

    private static func time(_ seconds: Double) -> Timestamp { Timestamp(microseconds: Int64(seconds * 1e6)) }

    private static func report(
        _ requests: UInt64 = 1, from caller: String = "a", to host: String = "h", version: String? = nil,
        interval: Duration? = .seconds(10), of mesh: TrafficMesh = mesh
    ) throws -> TrafficReport {
        let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(caller)))
        var counts = TrafficCounts()
        counts.answers.add(requests, of: 200)
        return TrafficReport(
            mesh: mesh, proxy: name, source: TrafficSource(service: name, version: nil), interval: interval,
            counts: requests == 0
                ? [:] : [TrafficReport.Destination(host: host, port: 80, version: version.flatMap { Name($0) }): counts]
        )
    }

    private static func requests(_ closed: [OpenSlots.Closed]) -> [Int64: UInt64] {
        closed.reduce(into: [:]) { sums, slot in
            sums[slot.slot, default: 0] += slot.hosts.values.reduce(0) { $0 + $1.sum { _ in true }.requests }
        }
    }

    @Test(
        "a report goes whole to the slot of the middle of its interval",
        arguments: [
            (1_015.0, Duration.seconds(10), 101), (1_014.9, .seconds(10), 100), (1_005.0, .seconds(10), 100),
            (1_004.0, .seconds(1), 100), (1_010.2, .seconds(1), 100), (1_012.0, .seconds(60), 100), (1_009.0, nil, 100),
        ] as [(Double, Duration?, Int64)])
    func slot(_ arrival: Double, _ interval: Duration?, _ slot: Int64) throws {
        var slots = OpenSlots()
        slots.add(try Self.report(5, interval: interval), arriving: Self.time(arrival))
        #expect(Self.requests(slots.close(at: Self.time(2_000)))[slot] == 5)
    }

    @Test("a slot is closed six seconds after its end, once, and what comes later is missing")
    func closing() throws {
        var slots = OpenSlots()
        slots.add(try Self.report(1), arriving: Self.time(1_008))
        #expect(slots.close(at: Self.time(1_015.9)).isEmpty)
        #expect(Self.requests(slots.close(at: Self.time(1_016))) == [100: 1])
        #expect(slots.close(at: Self.time(1_016)).isEmpty)
        slots.add(try Self.report(2, interval: .seconds(20)), arriving: Self.time(1_017))
        #expect(Self.requests(slots.close(at: Self.time(1_100), isEnding: true)) == [101: 0])
    }

    @Test("equal series add up, whoever else reports")
    func adding() throws {
        var slots = OpenSlots()
        for caller in ["a", "b", "a"] { slots.add(try Self.report(3, from: caller), arriving: Self.time(1_008)) }
        slots.add(try Self.report(1, from: "a", version: "v2"), arriving: Self.time(1_008))
        let closed = slots.close(at: Self.time(1_016))
        let series = try #require(closed.first?.hosts["h"]?.series)
        #expect(series.count == 3 && closed.first?.reporters.count == 2)
        #expect(series.first { $0.key.source?.service.name.text == "a" && $0.key.version == nil }?.value.requests == 6)
    }

    @Test(
        "a sidecar that reports every ten seconds leaves no slot out, whatever its phase and for as much as it is late")
    func coverage() throws {
        for phase in stride(from: 0.0, to: 10, by: 0.25) {
            var slots = OpenSlots()
            var closed: [OpenSlots.Closed] = []
            for second in 0..<120 {
                let now = Self.time(1_000 + Double(second))
                if second % 10 == 0 {
                    // Now a little early, now late.
                    let jitter = second % 20 == 0 ? 0.4 : -0.4
                    slots.add(try Self.report(1), arriving: now + .seconds(phase + jitter))
                }
                closed += slots.close(at: now)
            }
            let whole = closed.filter { (102...108).contains($0.slot) }
            #expect(whole.count == 7 && whole.allSatisfy { $0.reporters.count == 1 }, "\(phase)")
            #expect(whole.reduce(0) { $0 + (Self.requests([$1]).values.first ?? 0) } >= 6, "\(phase)")
        }
    }

    @Test("a sidecar that leaves reports out leaves as many slots out, also one that reports in the middle of slots")
    func gaps() throws {
        for phase in stride(from: 0.0, to: 10, by: 0.25) {
            var slots = OpenSlots()
            // Every second report is lost, and each says that it is about ten seconds.
            for number in 0..<10 {
                slots.add(try Self.report(1), arriving: Self.time(1_000 + Double(number) * 20 + phase))
            }
            let closed = slots.close(at: Self.time(2_000)).filter { !$0.reporters.isEmpty }
            #expect(closed.count == 10, "\(phase)")
        }
    }

    @Test("of too many senders the rest is counted together, to the right destination, and other tenants' not at all")
    func overflow() throws {
        var slots = OpenSlots()
        let limit = Limits.telemetrySources.value
        for caller in 0..<limit + 20 {
            slots.add(try Self.report(1, from: "c\(caller)", version: "v1"), arriving: Self.time(1_008))
        }
        slots.add(try Self.report(1, from: "c", version: "v2"), arriving: Self.time(1_008))
        let closed = try #require(slots.close(at: Self.time(1_016)).first)
        let sample = try #require(closed.hosts["h"])
        #expect(closed.overflowed == 20)
        #expect(sample.sum { $0.version?.text == "v1" }.requests == UInt64(limit + 20))
        #expect(sample.sum { $0.source == nil }.requests == 20)
        #expect(sample.sum { $0.version?.text == "v2" && $0.source != nil }.requests == 1)
    }

    @Test("a tenant's series are bounded over all its hosts")
    func tenantBound() throws {
        var slots = OpenSlots()
        let other = TrafficMesh(tenant: try #require(Name("other")), uid: "o")
        let limit = Limits.telemetrySeries.value
        for host in 0..<limit + 5 { slots.add(try Self.report(1, to: "h\(host)"), arriving: Self.time(1_008)) }
        slots.add(try Self.report(1, of: other), arriving: Self.time(1_008))
        let closed = slots.close(at: Self.time(1_016))
        #expect(closed.first { $0.mesh == Self.mesh }?.overflowed == 5)
        #expect(closed.first { $0.mesh == other }?.overflowed == 0)
        #expect(Self.requests(closed) == [100: UInt64(limit + 6)])
    }
}
