import Documents
import Foundation
import GrayRelease
import MeshCore
import MeshModel
import MeshStore
import Postgres
import StoreFixtures
import TestSupport
import Testing

/// A database that an earlier version has filled goes on with this one.
@Suite("A database of an earlier version")
struct UpgradeTests {
    /// Restores the database of version acb7d5b, and brings it up to date.
    private static func withUpgraded(_ body: (MeshStore) async throws -> Void) async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Databases/acb7d5b.sql")
        let dump = try String(contentsOf: file, encoding: .utf8)
        try await StoreFixture.runEmpty { pool in
            // It changes settings of its session, which another one must not meet.
            try await pool.execute(script: dump + "\nRESET ALL;")
            let applied = try await Migrator(pool: pool).up()
            #expect(applied == Migrator.all.map(\.name).filter { $0 > "0006_proxy_updates" })
            try await body(MeshStore(pool: pool, logger: quietLogger))
        }
    }

    /// - Returns: `nil` if the spec cannot be read.
    private static func isReadAlike(_ object: StoredObject, _ log: ViolationLog) -> Bool? {
        func isAlike<Spec: ResourceKind>(_: Spec.Type) -> Bool? {
            guard let noun = Spec.read(object.spec, at: .root, log: log) else { return nil }
            // Releases write down defaults that they had not when they were stored.
            return Spec.read(noun.json, at: .root, log: log) == noun
                && (object.key.kind == .release || noun.json == object.spec)
        }
        return isAlike(object.key.kind.specType)
    }

    @Test("has every kind of that time, and each spec means the same when it is written again")
    func specs() async throws {
        try await Self.withUpgraded { store in
            let mesh = try await store.loadMesh(.acme)
            let tenants = try await store.list(ListQuery(kind: .tenant, tenant: nil)).items
            let objects = mesh.objects + mesh.clusters + tenants
            // Meshes were no objects then.
            for tenant in tenants {
                let meshes = try await store.list(ListQuery(kind: .mesh, tenant: tenant.key.tenant)).items
                #expect(meshes.map(\.key.name) == [.defaultMesh])
            }
            #expect(
                Set(objects.map(\.key.kind.name)) == [
                    "Tenant", "Cluster", "Service", "Endpoint", "VirtualService", "DestinationRule", "Release",
                ])
            #expect(objects.count == 23)
            for object in objects {
                let log = ViolationLog(ofStored: true)
                let isTheSame = try #require(Self.isReadAlike(object, log) as Bool?, "\(object.key) \(log.violations)")
                #expect(isTheSame, "\(object.key)")
                #expect(log.unknownFields.isEmpty, "\(object.key)")
            }
        }
    }

    @Test("has its proxies as they were reported")
    func proxies() async throws {
        try await Self.withUpgraded { store in
            let proxies = try await store.proxies(of: .acme, limit: 10)
            #expect(
                proxies.map(\.client) == [
                    ProxyClient(.envoy(httpProxyPort: 18_196), service: name("productpage")),
                    ProxyClient(.envoy(httpProxyPort: 18_190), service: name("reviews")),
                    ProxyClient(.envoy(httpProxyPort: 18_192), service: name("reviews")),
                    ProxyClient(.envoy(httpProxyPort: 18_194), service: name("reviews")),
                ])
            for proxy in proxies {
                #expect(proxy.types.keys.sorted() == ["CDS", "EDS", "LDS", "RDS"])
                for status in proxy.types.values {
                    #expect(status.sentVersion.count == 32)
                    #expect(
                        status
                            == ProxyTypeStatus(
                                state: .synced, sentVersion: status.sentVersion, ackedVersion: status.sentVersion))
                }
            }
        }
    }

    @Test("has its releases where they were, and none of them is another one's rival")
    func releases() async throws {
        try await Self.withUpgraded { store in
            let expected: [String: ReleaseStatus.Phase] = [
                "reviews-v2": .succeeded, "ratings-v2": .progressing, "details-v2": .paused, "draft": .draft,
            ]
            for (text, phase) in expected {
                let name = NamespacedName(namespace: .shop, name: MeshStoreTests.name(text))
                let row = try #require(try await store.release(.namespaced(.release, name, in: .acme)))
                let status = ReleaseStatus(row.object.status)
                #expect(status.phase == phase, "\(text)")
                if phase == .progressing { #expect(status.traffic.canaryShare.basisPoints == 500) }
            }
            // What promotions left behind means the same: reviews' rules go where they went.
            let reviews = try #require(try await store.fetch(.service("reviews")))
            let status = ServiceStatus(reviews.status)
            #expect(status.stableVersion == name("v2"))
            #expect(status.promotion(from: name("v1")) != nil)
        }
    }

    @Test("has its proxies, and takes their reports and writes as its own")
    func writes() async throws {
        try await Self.withUpgraded { store in
            let proxies = try await store.proxies(of: .acme, limit: 100)
            #expect(proxies.count == 4)
            let before = try #require(try await store.meshRevision(.acme))
            let written = try await store.create(.service("new"))
            #expect(written.revision == before + 1)
            let feed = try await store.changes(.acme, after: before, limit: 10)
            #expect(feed.changed == [written])
        }
    }
}
