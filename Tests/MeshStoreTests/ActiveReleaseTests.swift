import Documents
import GrayRelease
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

@Suite("One active release of a service")
struct ActiveReleaseTests {
    @Test("a second one cannot start while the first is active, and is told which one that is")
    func second() async throws {
        try await withStore { store in
            let first = try await store.startRelease("v2")
            let second = try await store.createRelease("v3")
            await #expect(throws: StoreError.activeRelease(name("v2"))) {
                try await store.commit(.enter(.pending), of: second)
            }
            #expect(try await store.row("v3") == second)
            _ = try await store.commit(.enter(.succeeded), of: first)
            #expect(try await store.commit(.enter(.pending), of: second) != nil)
        }
    }

    @Test("other services and meshes have active releases of their own")
    func others() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            try await store.startRelease("v4", service: "pay")
            let theirs = try await store.createRelease("v2", in: .globex)
            #expect(try await store.commit(.enter(.progressing), of: theirs) != nil)
            let active = try await store.write {
                try await $0.activeReleases(of: .service("cart")).map(\.key.name.text)
            }
            #expect(active == ["v2"])
        }
    }

    @Test("every active phase holds the service, and no other one does", arguments: ReleaseStatus.Phase.allCases)
    func phases(_ phase: ReleaseStatus.Phase) async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try #require(try await store.commit(.enter(phase), of: row))
            let active = try await store.write { try await $0.activeReleases(of: .service("cart")).count }
            #expect(active == (phase.isActive ? 1 : 0))
        }
    }

    @Test(
        "of two that start at the same moment, on whatever ports, one gets the service; the other loses the comparison and then learns to whom"
    )
    func race() async throws {
        try await withStore { store in
            let first = try await store.createRelease("v2")
            let second = try await store.createRelease("v3", port: 81)
            let loser = try await withThrowingTaskGroup(of: Bool.self) { group in
                try await store.write { transaction in
                    let object = try await transaction.commit(
                        .enter(.progressing), of: first, leaseEpoch: nil, actor: "a")
                    #expect(object != nil)
                    group.addTask { try await store.commit(.enter(.progressing), of: second) == nil }
                    try await store.untilSomebodyWaits()
                }
                return try await group.next()
            }
            #expect(loser == true)
            #expect(try await store.row("v3") == second)
            await #expect(throws: StoreError.activeRelease(name("v2"))) {
                try await store.commit(.enter(.progressing), of: second)
            }
        }
    }

    @Test("a deleted release frees its service")
    func deletion() async throws {
        try await withStore { store in
            try await store.startRelease("v2")
            try await store.delete(.release("v2"))
            #expect(try await store.startRelease("v3").object.key == .release("v3"))
        }
    }

    @Test("releases that ran beside each other before that was refused go on to their ends; nobody starts beside them")
    func migration() async throws {
        try await StoreFixture.runEmpty { pool in
            let old = Array(Migrator.all.prefix { $0.name != "0007_one_release_a_service" })
            try await Migrator(pool: pool, migrations: old).up()
            let store = MeshStore(pool: pool, logger: quietLogger)
            try await pool.insertTenant()
            for (release, port) in [("v2", 80), ("v3", 81), ("v4", 82)] {
                let spec: JSONValue = ["service": "cart", "port": .integer(Int64(port))]
                try await pool.insertRelease(release, port: port, isActive: release != "v4")
                try await pool.insertObject(.release(release), spec: spec)
            }
            #expect(try await Migrator(pool: pool).up().contains("0007_one_release_a_service"))

            // Both are driven on.
            for release in ["v2", "v3"] {
                #expect(try await store.commit(.enter(.paused), of: try await store.row(release)) != nil)
            }
            await #expect(throws: StoreError.activeRelease(name("v2"))) {
                try await store.commit(.enter(.pending), of: try await store.row("v4"))
            }
            _ = try await store.commit(.enter(.succeeded), of: try await store.row("v2"))
            await #expect(throws: StoreError.activeRelease(name("v3"))) {
                try await store.commit(.enter(.pending), of: try await store.row("v4"))
            }
            _ = try await store.commit(.enter(.rolledBack), of: try await store.row("v3"))
            #expect(try await store.commit(.enter(.pending), of: try await store.row("v4")) != nil)
            // Its place was kept only until its end.
            await #expect(throws: StoreError.activeRelease(name("v4"))) {
                try await store.commit(.enter(.pending), of: try await store.row("v3"))
            }
        }
    }
}

extension Pool {
    /// As a server of before wrote it.
    fileprivate func insertRelease(_ release: String, port: Int, isActive: Bool) async throws {
        _ = try await pipeline([
            MeshStore.Visibility.all.statement,
            """
            INSERT INTO release (tenant, mesh, namespace, name, service, port, active)
            VALUES ('acme', 'default', 'shop', \(release), 'cart', \(Int32(port)), \(isActive))
            """,
        ])
    }

    /// As the version of that time did.
    fileprivate func insertTenant() async throws {
        _ = try await pipeline([
            MeshStore.Visibility.all.statement,
            "INSERT INTO mesh (tenant, mesh, revision) VALUES ('acme', '', 1), ('acme', 'default', 1)",
            """
            INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec)
            VALUES ('acme', 'Tenant', '', '', '', 'acme', 1, '{}')
            """,
        ])
    }

    fileprivate func insertObject(_ key: ObjectKey, spec: JSONValue) async throws {
        _ = try await pipeline([
            MeshStore.Visibility.all.statement,
            """
            INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, labels, annotations, spec, status)
            VALUES ('acme', 'Release', 'default', 'shop', '', \(key.name.text), 1, '{}', '{}', \(try spec.stored), '{}')
            """,
        ])
    }
}
