import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("Signing keys")
struct SigningKeyTests {
    @Test("replicas that start together agree on one key of 32 random bytes")
    func together() async throws {
        try await withStore { store in
            let answers = try await withThrowingTaskGroup(of: [StoredSigningKey].self) { group in
                for _ in 0..<6 { group.addTask { try await store.signingKeys() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let first = try #require(answers.first?.first)
            #expect(first.secret.count == 32)
            #expect(Set(first.secret).count > 8)
            for answer in answers {
                #expect(answer.map(\.id) == [first.id])
                #expect(answer.map(\.secret) == [first.secret])
            }
        }
    }

    @Test("a new key signs when all replicas know it; old ones stay good until they are removed")
    func rotation() async throws {
        try await withStore { store in
            let old = try #require(try await store.signingKeys().first?.id)
            let added = try await store.addSigningKey().map(\.id)
            #expect(added.count == 2 && added.first == old, "the old one signs")
            let new = try #require(added.last)
            try await Self.age(by: "61 seconds", in: store)
            #expect(try await store.signingKeys().map(\.id) == [new, old])
            let third = try #require(try await store.addSigningKey().last?.id)
            #expect(try await store.signingKeys().map(\.id) == [new, old, third])

            #expect(try await store.removeSigningKey(old).map(\.id) == [new, third])
            await #expect(throws: StoreError.notFound) { try await store.removeSigningKey(old) }
            await #expect(throws: StoreError.alreadyExists) { try await store.removeSigningKey(new) }
            #expect(try await store.signingKeys().map(\.id) == [new, third])
        }
    }

    @Test("the only key signs however new it is, and of several new ones the oldest")
    func beginning() async throws {
        try await withStore { store in
            let first = try #require(try await store.signingKeys().first?.id)
            _ = try await store.addSigningKey()
            _ = try await store.addSigningKey()
            #expect(try await store.signingKeys().map(\.id).first == first)
            await #expect(throws: StoreError.alreadyExists) { try await store.removeSigningKey(first) }
        }
    }

    private static func age(by interval: String, in store: MeshStore) async throws {
        try await store.pool.query("UPDATE signing_key SET created_at = created_at - \(interval)::text::interval")
    }
}
