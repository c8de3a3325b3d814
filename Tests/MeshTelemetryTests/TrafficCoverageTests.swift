import MeshCore
import MeshStore
import Testing

@testable import MeshTelemetry

@Suite("How much of what sidecars counted is known")
struct TrafficCoverageTests {
    private static func name(_ text: String) -> NamespacedName {
        NamespacedName(namespace: Name("shop") ?? .blank, name: Name(text) ?? .blank)
    }

    /// - Parameter since: the slot in the middle of which its stream began.
    private static func proxy(_ text: String, since slot: Int64 = 0) -> ExpectedReporter {
        ExpectedReporter(
            name: name(text), service: nil, since: TrafficSpan.tenSeconds.start(of: slot) + .seconds(5))
    }

    private static func coverage(_ proxies: [ExpectedReporter], _ reported: [String: Set<Int64>]) -> TrafficCoverage {
        let reported = Dictionary(uniqueKeysWithValues: reported.map { (name($0.key), $0.value) })
        return TrafficCoverage(proxies, reported, 100..<104)
    }

    @Test("all of it where all have reported; nobody's absence is no gap")
    func whole() {
        #expect(
            Self.coverage(
                [Self.proxy("a"), Self.proxy("b")], ["a": [100, 101, 102, 103], "b": [100, 101, 102, 103]]
            ).share == 1)
        #expect(Self.coverage([], [:]).share == 1)
    }

    @Test("sidecars that are there and say nothing, or not all of it")
    func silent() {
        #expect(Self.coverage([Self.proxy("a"), Self.proxy("b")], ["a": [100, 101, 102, 103]]).share == 0.5)
        #expect(Self.coverage([Self.proxy("a")], ["a": [99, 100, 103]]).share == 0.5)
    }

    @Test("who reports and is not there makes nobody's silence good")
    func stranger() {
        let coverage = Self.coverage([Self.proxy("a")], ["a": [100, 101], "b": [100, 101, 102, 103]])
        #expect(coverage.share == 0.5 && coverage.expected == 4)
    }

    @Test(
        "who is new counts from its first whole slot on, and who comes back from a lost replica from its last report on"
    )
    func new() {
        #expect(Self.coverage([Self.proxy("a", since: 101)], ["a": [102, 103]]).share == 1)
        #expect(Self.coverage([Self.proxy("a", since: 101)], ["a": [102, 103]]).expected == 2)
        #expect(Self.coverage([Self.proxy("a", since: 101)], ["a": [98, 99, 102, 103]]).share == 0.5)
        #expect(Self.coverage([Self.proxy("a", since: 103)], [:]).share == 1)
    }
}
