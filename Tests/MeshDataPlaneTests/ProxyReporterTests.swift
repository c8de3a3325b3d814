import Documents
import MeshCore
import MeshModel
import MeshStore
import StoreFixtures
import TestSupport
import Testing

@testable import GrayRelease
@testable import MeshDataPlane
@testable import XDSServer

@Suite("Reporting proxies", .timeLimit(.minutes(2)))
struct ProxyReporterTests {
    @Test("what a proxy reports wakes the releases that wait for it")
    func wake() async throws {
        try await StoreFixture.run { fixture in
            let store = fixture.store
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            try await startRelease(in: mesh, store)
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(60)) == .seconds(60))
            let registry = ProxyRegistry()
            let (woken, wake) = AsyncStream.makeStream(of: Void.self)
            let reporter = ProxyReporter(
                store: store, registry: registry, meshes: MeshPublishers(), wakeReleases: { wake.yield() },
                replica: "r1", logger: quietLogger)
            async let _: Void = reporter.run()
            registry.update(
                ProxyReport(
                    proxy: "\(mesh)/shop/caller-1", view: ViewID("\(mesh)/shop/caller/caller-1/envoy/15080"),
                    isConnected: true, ackedRevision: 2, types: []),
                stream: 1)
            for await _ in woken { break }
            #expect(try await store.timeUntilReleaseDue(atMost: .seconds(60)) == .zero)
        }
    }

    /// Makes a release that has nothing to do for an hour.
    private func startRelease(in mesh: MeshKey, _ store: MeshStore) async throws {
        func write(_ body: @escaping @Sendable (StoreTransaction) async throws -> Void) async throws {
            try await store.write(tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r", body)
        }
        let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("v2")))
        let release = ObjectKey.namespaced(.release, name, in: mesh)
        try await store.write(tenant: mesh.tenant, mesh: nil, actor: "test", requestId: "r") { transaction in
            _ = try await transaction.put(.tenant(mesh.tenant), metadata: ObjectLabels(), spec: [:], status: nil)
        }
        try await write { transaction in
            _ = try await transaction.put(
                release, metadata: ObjectLabels(), spec: ["service": "cart", "port": 80], status: ReleaseStatus().json)
        }
        let row = try #require(try await store.release(release))
        var status = ReleaseStatus()
        status.phase = .progressing
        let decision = ReleaseDecision(
            status: status, events: [], serviceChanges: [], analysisChanges: [], changesRoutes: false,
            decidedAt: Timestamp(microseconds: 1), nextWakeupAt: try await store.now() + .seconds(3600))
        try await write { transaction in
            let written = try await transaction.commit(decision, of: row, leaseEpoch: nil, actor: "test")
            #expect(written != nil)
        }
    }
}
