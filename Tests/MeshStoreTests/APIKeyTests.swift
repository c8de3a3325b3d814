import MeshCore
import MeshStore
import Testing

@Suite("API keys")
struct APIKeyTests {
    @Test("a key is found by the hash of its secret, whoever's it is, with all that it says")
    func find() async throws {
        try await withStore { store in
            var key = Self.key("ci")
            key.meshes = [.defaultMesh, name("other")]
            key.namespaces = [.shop]
            key.description = "for \"CI\", ü"
            key.expireTime = try await store.now() + .seconds(3600)
            let stored = try await store.insert(key, hash: 1)
            var expected = key
            expected.createTime = stored.createTime
            #expect(stored == expected)
            #expect(stored.createTime.microseconds > 0)
            #expect(try await store.apiKey(secretHash: Self.hash(1)) == stored)

            let other = try await store.insert(Self.key("ci", of: .globex), hash: 2)
            #expect(try await store.apiKey(secretHash: Self.hash(2)) == other)
        }
    }

    @Test(
        "no other hash finds it, whatever its length",
        arguments: [[], [1], Array(repeating: UInt8(1), count: 31), Array(repeating: 9, count: 32)])
    func wrong(_ hash: [UInt8]) async throws {
        try await withStore { store in
            _ = try await store.insert(Self.key("ci"), hash: 1)
            #expect(try await store.apiKey(secretHash: hash) == nil)
        }
    }

    @Test("an expired key authenticates nobody but is still listed")
    func expiry() async throws {
        try await withStore { store in
            var key = Self.key("ci")
            key.expireTime = try await store.now()
            let stored = try await store.insert(key, hash: 1)
            #expect(try await store.apiKey(secretHash: Self.hash(1)) == nil)
            #expect(try await store.apiKeys(of: .acme, after: nil, limit: 10) == [stored])
        }
    }

    @Test("an id is used once in a tenant, and again in another one or after its deletion")
    func duplicates() async throws {
        try await withStore { store in
            let first = try await store.insert(Self.key("ci"), hash: 1)
            await #expect(throws: StoreError.alreadyExists) { try await store.insert(Self.key("ci"), hash: 2) }
            #expect(try await store.apiKey(secretHash: Self.hash(1)) == first)
            #expect(try await store.apiKey(secretHash: Self.hash(2)) == nil)
            _ = try await store.insert(Self.key("ci", of: .globex), hash: 3)
            try await store.write { try await $0.deleteAPIKey(name("ci")) }
            #expect(try await store.apiKey(secretHash: Self.hash(1)) == nil)
            _ = try await store.insert(Self.key("ci"), hash: 4)
        }
    }

    @Test("the same secret cannot be two keys, not even of two tenants")
    func sharedSecret() async throws {
        try await withStore { store in
            _ = try await store.insert(Self.key("ci"), hash: 1)
            await #expect(throws: StoreError.self) { try await store.insert(Self.key("ci", of: .globex), hash: 1) }
            #expect(try await store.apiKeys(of: .globex, after: nil, limit: 10).isEmpty)
        }
    }

    @Test("what is not there, or is another tenant's, cannot be deleted")
    func deletion() async throws {
        try await withStore { store in
            let theirs = try await store.insert(Self.key("ci", of: .globex), hash: 1)
            await #expect(throws: StoreError.notFound) {
                try await store.write { try await $0.deleteAPIKey(name("ci")) }
            }
            #expect(try await store.apiKey(secretHash: Self.hash(1)) == theirs)
        }
    }

    @Test("lists are a tenant's own, in the order of ids, in pages")
    func paging() async throws {
        try await withStore { store in
            for (index, id) in ["c", "a", "b"].enumerated() {
                _ = try await store.insert(Self.key(id), hash: UInt8(index))
            }
            _ = try await store.insert(Self.key("d", of: .globex), hash: 9)
            let first = try await store.apiKeys(of: .acme, after: nil, limit: 2)
            #expect(first.map(\.id.text) == ["a", "b"])
            #expect(try await store.apiKeys(of: .acme, after: first.last?.id, limit: 2).map(\.id.text) == ["c"])
        }
    }

    private static func key(_ id: String, of tenant: Name = .acme) -> StoredAPIKey {
        StoredAPIKey(tenant: tenant, id: name(id), prefix: "slk_\(id)_abcd", role: "viewer")
    }

    fileprivate static func hash(_ byte: UInt8) -> [UInt8] { Array(repeating: byte, count: 32) }
}

extension MeshStore {
    @discardableResult
    fileprivate func insert(_ key: StoredAPIKey, hash: UInt8) async throws -> StoredAPIKey {
        try await write(tenant: key.tenant, mesh: nil, actor: "test", requestId: "1") { transaction in
            try await transaction.insertAPIKey(key, secretHash: APIKeyTests.hash(hash))
        }
    }
}
