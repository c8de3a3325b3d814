import MeshCore
import MeshModel
import Synchronization
import Testing
import XDSServer

@testable import MeshDataPlane

@Suite("What proxies report of their load, for Prometheus")
struct LoadMeterTests {
    private static func mesh(_ tenant: String) throws -> MeshKey {
        MeshKey(tenant: try #require(Name(tenant)), mesh: .defaultMesh)
    }

    /// A meter of two views, each of a mesh of its own, on a clock that stands still.
    private final class Fixture: Sendable {
        private final class Clock: Sendable { let elapsed = Mutex(Duration.zero) }

        private let clock = Clock()
        let meter: LoadMeter

        init() throws {
            let meshes = [ViewID("a"): try mesh("acme"), ViewID("g"): try mesh("globex")]
            let start = ContinuousClock.now
            meter = LoadMeter(mesh: { meshes[$0] }, now: { [clock] in start + clock.elapsed.withLock { $0 } })
        }

        func pass(_ duration: Duration) { clock.elapsed.withLock { $0 += duration } }
    }

    private static let v1 = "outbound|9080|v1|reviews.shop.svc.cluster.local"
    private static let whole = "outbound|9080||reviews.shop.svc.cluster.local"

    private static func samples(_ meter: LoadMeter, _ tenant: String, uid: String? = nil) throws -> [String] {
        let lines = meter.metrics(of: try mesh(tenant), uid: uid).split(separator: "\n")
        #expect(lines.prefix(2).allSatisfy { $0.hasPrefix("# ") })
        return lines.dropFirst(2).map(String.init)
    }

    @Test("is added up by service, port, version and result, for each mesh by itself")
    func sums() throws {
        let fixture = try Fixture()
        for (view, load) in [("a", ClusterLoad(succeeded: 3, failed: 1)), ("a", ClusterLoad(succeeded: 2, dropped: 4))]
        {
            fixture.meter.record(LoadReport(proxy: "p", view: ViewID(view), clusters: [Self.v1: load]))
        }
        fixture.meter.record(
            LoadReport(proxy: "q", view: ViewID("g"), clusters: [Self.whole: ClusterLoad(succeeded: .max)]))
        let labels = #"mesh="default",namespace="shop",service="reviews",port="9080""#
        #expect(
            try Self.samples(fixture.meter, "acme") == [
                #"sluice_mesh_requests_total{tenant="acme",\#(labels),version="v1",result="dropped"} 4"#,
                #"sluice_mesh_requests_total{tenant="acme",\#(labels),version="v1",result="error"} 1"#,
                #"sluice_mesh_requests_total{tenant="acme",\#(labels),version="v1",result="success"} 5"#,
            ])
        #expect(
            try Self.samples(fixture.meter, "globex").last
                == #"sluice_mesh_requests_total{tenant="globex",\#(labels),version="",result="success"} \#(UInt64.max)"#
        )
    }

    @Test("of views and clusters that there are not is nothing")
    func unknown() throws {
        let fixture = try Fixture()
        let load = ClusterLoad(succeeded: 1)
        fixture.meter.record(LoadReport(proxy: "p", view: ViewID("b"), clusters: [Self.v1: load]))
        for name in ["", "inbound|9080", "outbound|0|v1|a.b.svc.cluster.local", "outbound|9080|v1|a\"b"] {
            fixture.meter.record(LoadReport(proxy: "p", view: ViewID("a"), clusters: [name: load]))
        }
        #expect(try Self.samples(fixture.meter, "acme").isEmpty)
    }

    @Test("is not shown to a later tenant of the name")
    func laterTenant() throws {
        let fixture = try Fixture()
        for (uid, count) in [("m1", UInt64(1)), ("m2", 2)] {
            let life = MeshLife(tenant: "t", mesh: uid, since: 0)
            fixture.meter.record(
                LoadReport(
                    proxy: "p", view: ViewID("a"), owner: life.description,
                    clusters: [Self.v1: ClusterLoad(succeeded: count)]))
        }
        #expect(try Self.samples(fixture.meter, "acme", uid: "m1").last?.hasSuffix(" 1") == true)
        #expect(try Self.samples(fixture.meter, "acme", uid: "m2").last?.hasSuffix(" 2") == true)
        #expect(try Self.samples(fixture.meter, "acme", uid: "m3").isEmpty)
    }

    @Test("is forgotten when nobody has reported it for an hour")
    func forgetting() throws {
        let fixture = try Fixture()
        let load = ClusterLoad(succeeded: 1)
        for cluster in [Self.v1, Self.whole] {
            fixture.meter.record(LoadReport(proxy: "p", view: ViewID("a"), clusters: [cluster: load]))
        }
        fixture.pass(.seconds(3_000))
        fixture.meter.record(LoadReport(proxy: "p", view: ViewID("a"), clusters: [Self.v1: load]))
        fixture.pass(.seconds(601))
        let samples = try Self.samples(fixture.meter, "acme")
        #expect(samples.count == 3 && samples.allSatisfy { $0.contains(#"version="v1""#) })
        #expect(samples.last?.hasSuffix(" 2") == true)
    }
}
