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

    @Test("the newest key comes first, because it signs; the others still verify")
    func rotation() async throws {
        try await withStore { store in
            let old = try #require(try await store.signingKeys().first)
            try await store.pool.query(
                "INSERT INTO signing_key VALUES ('new', sha256('new'), now() + interval '1 second')")
            let keys = try await store.signingKeys()
            #expect(keys.map(\.id) == ["new", old.id])
        }
    }
}
