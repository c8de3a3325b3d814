import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("Tenants")
struct TenantTests {
    @Test("a new tenant has a default mesh at revision 1; an unknown one has none")
    func defaultMesh() async throws {
        try await withStore { store in
            #expect(try await store.meshRevision(.acme) == 1)
            #expect(try await store.meshRevision(MeshKey(tenant: name("nobody"), mesh: .defaultMesh)) == nil)
            let found = try await store.write { transaction in
                try await transaction.hold([.mesh(.defaultMesh, of: .acme), .mesh(name("other"), of: .acme)])
            }
            #expect(found.keys.map(\.name) == [.defaultMesh])
        }
    }

    @Test("nothing is written for a tenant that does not exist")
    func unknownTenant() async throws {
        try await withStore { store async throws in
            let nobody = MeshKey(tenant: name("nobody"), mesh: .defaultMesh)
            await #expect(throws: StoreError.notFound) { try await store.create(.service("cart", in: nobody)) }
            await #expect(throws: StoreError.notFound) {
                try await store.create(.cluster(name("a"), of: nobody.tenant))
            }
            #expect(try await store.meshRevision(nobody) == nil)
        }
    }

    @Test("a deleted tenant takes its meshes, keys, answers, operations and proxies with it, and leaves others'")
    func deletion() async throws {
        try await withStore { store in
            for mesh in [MeshKey.acme, .globex] {
                try await store.fill(mesh)
                #expect(try await store.leftovers(of: mesh) == [1, 1, 1, 1])
            }
            try await store.delete(.tenant(.acme))
            #expect(try await store.meshRevision(.acme) == nil)
            _ = try await store.create(.tenant(.acme))
            #expect(try await store.leftovers(of: .acme) == [0, 0, 0, 0])
            #expect(try await store.leftovers(of: .globex) == [1, 1, 1, 1])
        }
    }

    @Test("who still knows the mesh of a deleted tenant is told to load the one of the new tenant")
    func recreation() async throws {
        try await withStore { store in
            for text in ["a", "b", "c"] { _ = try await store.create(.service(text)) }
            let old = try await store.revision()
            for text in ["a", "b", "c"] { try await store.delete(.service(text)) }
            try await store.delete(.tenant(.acme))
            await #expect(throws: StoreError.notFound) { try await store.changes(.acme, after: old, limit: 10) }
            _ = try await store.create(.tenant(.acme))
            #expect(try await store.changes(.acme, after: old, limit: 10).compacted)
        }
    }

    @Test("a tenant is not deleted while somebody writes into it")
    func deletionDuringWrite() async throws {
        try await withStore { store async throws in
            // The check that the tenant is empty is made before the deletion, so it does not see the service.
            await #expect(throws: StoreError.unavailable(retryAfter: .seconds(1), because: .filled)) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await store.write { transaction in
                        _ = try await transaction.put(.service("cart"), metadata: ObjectLabels(), spec: [:])
                        group.addTask { try await store.delete(.tenant(.acme)) }
                        try await store.untilSomebodyWaits()
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await store.fetch(.tenant(.acme)) != nil)
            #expect(try await store.fetch(.service("cart")) != nil)
        }
    }

    @Test("a write that waits for the deletion of its tenant fails instead of leaving an orphan")
    func writeDuringDeletion() async throws {
        try await withStore { store async throws in
            await #expect(throws: StoreError.notFound) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    try await store.write(tenant: .acme, mesh: nil, actor: "test", requestId: "1") { transaction in
                        try await transaction.delete(.tenant(.acme))
                        group.addTask { try await store.create(.service("cart")) }
                        try await store.untilSomebodyWaits()
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await store.meshRevision(.acme) == nil)
            #expect(try await store.fetch(.service("cart")) == nil)
        }
    }

    @Test("a mesh keeps its life as long as its tenant lives, and a later one of the name has another")
    func lives() async throws {
        try await withStore { store in
            let first = try #require(try await store.life(of: .acme))
            _ = try await store.create(.service("a"))
            #expect(try await store.life(of: .acme) == first)
            #expect(try await store.loadMesh(.acme).life == first)
            let revision = try await store.revision()
            #expect(try await !store.changes(.acme, of: first, after: revision, limit: 10).compacted)
            try await store.delete(.service("a"))
            try await store.delete(.tenant(.acme))
            #expect(try await store.life(of: .acme) == nil)
            _ = try await store.create(.tenant(.acme))
            let second = try #require(try await store.life(of: .acme))
            #expect(second.mesh != first.mesh && second.tenant != first.tenant && second.since >= first.since)
            for text in ["a", "b", "c", "d"] { _ = try await store.create(.service(text)) }
            #expect(try await store.revision() >= revision)
            #expect(try await store.changes(.acme, of: first, after: revision, limit: 10).compacted, "another mesh's")
            #expect(try await !store.changes(.acme, of: second, after: revision, limit: 10).compacted)
        }
    }
}

extension MeshStore {
    /// One of everything that is no object.
    fileprivate func fill(_ mesh: MeshKey) async throws {
        try await write(in: mesh) { transaction in
            let key = StoredAPIKey(tenant: mesh.tenant, id: name("ci"), prefix: "slk_ci_", role: "viewer")
            _ = try await transaction.insertAPIKey(
                key, secretHash: Array(repeating: UInt8(mesh.tenant.text.count), count: 32))
            try await transaction.finishIdempotent(
                key: "k", scope: "s", requestHash: [1], answer: StoredAnswer(status: 200, headers: [:], body: []))
            _ = try await transaction.createOperation(metadata: [:], response: [:])
        }
        try await report([
            ProxyRow(
                mesh: mesh, name: NamespacedName(namespace: .shop, name: name("cart-1")), replica: "r", connected: true,
                connectedAt: try await now(), ackedRevision: 1, types: [:])
        ])
    }

    /// How much there is of what ``fill(_:)`` made.
    fileprivate func leftovers(of mesh: MeshKey) async throws -> [Int] {
        let tables: [TenantTable] = [.apiKey, .idempotentCall, .operation, .proxy]
        let results = try await pool.pipeline(
            ["SELECT set_config('sluice.tenant', \(mesh.tenant.text), true)"]
                + tables.map { "SELECT 1 FROM \(identifier: $0.name)" })
        return results.dropFirst().map(\.count)
    }
}
