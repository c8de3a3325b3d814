import Documents
import MeshCore
import MeshModel
import MeshStore
import StoreFixtures
import TestSupport

/// A name that the test knows to be one.
func name(_ text: String) -> Name {
    guard let name = Name(text) else { preconditionFailure("\(text) is no name") }
    return name
}

extension Name {
    static let acme = name("acme")
    static let globex = name("globex")
    static let shop = name("shop")
}

extension MeshKey {
    static let acme = MeshKey(tenant: .acme, mesh: .defaultMesh)
    static let globex = MeshKey(tenant: .globex, mesh: .defaultMesh)
}

extension ObjectKey {
    static func service(_ text: String, in mesh: MeshKey = .acme, namespace: Name = .shop) -> ObjectKey {
        .namespaced(.service, NamespacedName(namespace: namespace, name: MeshStoreTests.name(text)), in: mesh)
    }
}

/// Runs `body` in a fresh database with the tenants `acme` and `globex`, each with its default mesh at revision 1.
func withStore(connections: Int = 8, _ body: (MeshStore) async throws -> Void) async throws {
    try await StoreFixture.run(connections: connections) { fixture in
        for tenant in [Name.acme, .globex] { try await fixture.store.create(.tenant(tenant)) }
        try await body(fixture.store)
    }
}

extension MeshStore {
    /// A transaction in a mesh by somebody.
    @discardableResult
    func write<T: Sendable>(
        in mesh: MeshKey = .acme, _ body: (StoreTransaction) async throws -> T
    ) async throws -> T {
        try await write(tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "request-1", body)
    }

    /// Puts one object in a transaction of its own.
    @discardableResult
    func create(
        _ key: ObjectKey, spec: JSONValue = [:], status: JSONValue? = nil, metadata: ObjectLabels = ObjectLabels()
    ) async throws -> StoredObject {
        try await write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "request-1") { transaction in
            try await transaction.put(key, metadata: metadata, spec: spec, status: status)
        }
    }

    func delete(_ key: ObjectKey) async throws {
        try await write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "request-1") { transaction in
            try await transaction.delete(key)
        }
    }

    /// The mesh's revision, which must exist.
    func revision(of mesh: MeshKey = .acme) async throws -> Revision {
        guard let revision = try await meshRevision(mesh) else { throw StoreError.notFound }
        return revision
    }
}
