import GRPCServer
import HTTP2
import Synchronization
import TestSupport
import Testing

@testable import XDSServer

@Suite("What the clients of one tenant may have", .timeLimit(.minutes(2)))
struct TenantPlacesTests {
    private static func admission(_ tenant: String, _ group: String = "g") -> Admission {
        Admission(proxy: "p", view: ViewID("v"), tenant: tenant, group: group)
    }

    private static func places(
        streams: Int, groups: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) -> TenantPlaces {
        TenantPlaces(
            TenantLimits(
                streams: .init(streams, "at most \(streams) streams (limit s)"),
                groups: .init(groups, "at most \(groups) views (limit g)")), now: now)
    }

    @Test("Streams are counted for each tenant by itself, and a place that is given back can be taken again")
    func streams() throws {
        let places = Self.places(streams: 2, groups: 9)
        for _ in 0..<2 { try places.take(Self.admission("a")) }
        #expect(
            throws: GRPCStatus(
                .resourceExhausted,
                "the tenant has as many streams on this server as it may; allowed are at most 2 streams (limit s)")
        ) { try places.take(Self.admission("a")) }
        try places.take(Self.admission("b"))
        places.giveBack(Self.admission("a"))
        try places.take(Self.admission("a"))
        #expect(throws: GRPCStatus.self) { try places.take(Self.admission("a")) }
        for tenant in ["a", "a", "b"] { places.giveBack(Self.admission(tenant)) }
        #expect(places.count == 0)
    }

    @Test(
        "Different views are counted for each tenant by itself, however many streams have them, until they are forgotten"
    )
    func groups() throws {
        let now = Mutex(ContinuousClock.now)
        let places = Self.places(streams: 99, groups: 2) { now.withLock { $0 } }
        for group in ["x", "y", "x", "y"] { try places.take(Self.admission("a", group)) }
        #expect(
            throws: GRPCStatus(
                .resourceExhausted,
                "the tenant's proxies on this server have as many different views as they may; "
                    + "allowed are at most 2 views (limit g)")
        ) { try places.take(Self.admission("a", "z")) }
        try places.take(Self.admission("b", "z"))
        places.giveBack(Self.admission("a", "x"))
        #expect(throws: GRPCStatus.self, "another stream has it still") { try places.take(Self.admission("a", "z")) }
        places.giveBack(Self.admission("a", "x"))
        #expect(throws: GRPCStatus.self, "it is still there") { try places.take(Self.admission("a", "z")) }
        try places.take(Self.admission("a", "x"))
        places.giveBack(Self.admission("a", "x"))
        now.withLock { $0 += .seconds(SnapshotStore.patience) }
        try places.take(Self.admission("a", "z"))
        #expect(throws: GRPCStatus.self) { try places.take(Self.admission("a", "x")) }
        for tenant in ["a", "a", "b"] { places.giveBack(Self.admission(tenant, tenant == "b" ? "z" : "y")) }
        places.giveBack(Self.admission("a", "z"))
        now.withLock { $0 += .seconds(SnapshotStore.patience) }
        try places.take(Self.admission("c"))
        #expect(places.count == 1 && places.tenantCount == 1, "nothing is left of those who have gone")
    }

    @Test("A stream beyond the limit is refused, and the places of streams that end are free", arguments: bothVariants)
    func server(_ variant: Variant) async throws {
        let places = Self.places(streams: 1, groups: 9)
        let metadata = [TokenDelegate.token, HTTP2Header("tenant", "a")]
        try await Fixture.serving(places: places) { fixture in
            for _ in 0..<2 {
                let first = try await XDSClient(variant, to: fixture.address, metadata: metadata)
                try first.send(.cluster, node: "a")
                try await until("it is in") { places.count == 1 }
                var second = try await XDSClient(variant, to: fixture.address, metadata: metadata)
                try second.send(.cluster, node: "b")
                #expect(await second.status()?.code == .resourceExhausted)
                #expect(places.count == 1)
                first.disconnect()
                try await until("it has gone") { places.count == 0 }
            }
        }
    }
}
