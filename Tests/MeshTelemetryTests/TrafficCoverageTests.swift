import MeshCore
import MeshStore
import Testing

@testable import MeshTelemetry

@Suite("How much of what sidecars counted is known")
struct TrafficCoverageTests {
    private static func row(
        _ slot: Int64, _ writer: String = "w", connected: Int = 10, reporting: Int = 10, isLast: Bool = false
    ) -> TrafficCoverageRow {
        TrafficCoverageRow(
            mesh: TrafficMesh(tenant: Name("acme") ?? .blank, uid: "u"), slot: slot, writer: writer,
            connected: connected,
            reporting: reporting, isLast: isLast)
    }

    @Test("all of it where all have reported; nobody's absence is no gap")
    func whole() {
        #expect(TrafficCoverage((100..<103).map { Self.row($0) }, 100..<103).share == 1)
        #expect(TrafficCoverage([], 100..<103).share == 1)
    }

    @Test("sidecars that were there and said nothing")
    func silent() {
        #expect(TrafficCoverage((100..<103).map { Self.row($0, reporting: 8) }, 100..<103).share == 0.8)
    }

    @Test("a sidecar may report to another replica than the one that it has its configuration from")
    func elsewhere() {
        let rows = [Self.row(100, "a", connected: 10, reporting: 0), Self.row(100, "b", connected: 0, reporting: 10)]
        #expect(TrafficCoverage(rows, 100..<101).share == 1)
    }

    @Test("a replica that was killed leaves its sidecars uncounted until they are elsewhere")
    func killed() {
        let before = [Self.row(98, "a"), Self.row(99, "a"), Self.row(98, "b"), Self.row(99, "b")]
        let after = (100..<103).map { Self.row($0, "b") }
        #expect(TrafficCoverage(before + after, 100..<103).share == 0.5)
        // Long after it, nothing is missing.
        let later = (110..<113).map { Self.row($0, "b") }
        #expect(TrafficCoverage([Self.row(104, "a")] + later, 110..<113).share > 0.7)
        #expect(TrafficCoverage([Self.row(103, "a")] + later, 110..<113).share == 1)
    }

    @Test("one that ended in order does not")
    func ended() {
        let rows = [Self.row(99, "a", isLast: true)] + (100..<103).map { Self.row($0, "b") }
        #expect(TrafficCoverage(rows, 100..<103).share == 1)
    }
}
