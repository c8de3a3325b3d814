import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    static let answer = StoredAnswer(
        status: 201, headers: ["ETag": "\"1-2\"", "Location": "/v1/ü"], body: [0x7B, 0x00, 0xFF, 0x7D])

    @Test("the first call of a key goes on; the same call again gets the stored answer, byte for byte")
    func replay() async throws {
        try await withStore { store in
            let first = try await store.call(key: "k", hash: [1])
            #expect(first.replayed == nil)
            let second = try await store.call(key: "k", hash: [1])
            #expect(second.replayed == Self.answer)
            #expect(try await store.revision() == first.revision, "the effect happened once")
        }
    }

    @Test("another call with the same key is refused and has no effect")
    func mismatch() async throws {
        try await withStore { store in
            let first = try await store.call(key: "k", hash: [1])
            await #expect(throws: StoreError.idempotencyMismatch) { try await store.call(key: "k", hash: [2]) }
            #expect(try await store.revision() == first.revision)
        }
    }

    @Test("keys of other callers and other tenants are others")
    func scopes() async throws {
        try await withStore { store async throws in
            let calls: [(MeshKey, String, String)] = [
                (.acme, "a", "k"), (.acme, "b", "k"), (.globex, "a", "k"), (.acme, "ak", "k"), (.acme, "a", "kk"),
            ]
            for (mesh, scope, key) in calls {
                #expect(try await store.call(in: mesh, key: key, scope: scope, hash: [1]).replayed == nil)
            }
        }
    }

    @Test("a call that failed may be tried again with its key, even with another body")
    func failure() async throws {
        struct Stop: Error {}
        try await withStore { store async throws in
            await #expect(throws: Stop.self) {
                try await store.write { transaction in
                    _ = try await transaction.beginIdempotent(key: "k", scope: "s", requestHash: [1])
                    _ = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                    try await transaction.finishIdempotent(key: "k", scope: "s", requestHash: [1], answer: Self.answer)
                    throw Stop()
                }
            }
            #expect(try await store.call(key: "k", hash: [2]).replayed == nil)
        }
    }

    @Test("while a call is worked on, another one with its key is told so at once; other keys are not in its way")
    func inFlight() async throws {
        try await withStore { store in
            try await store.write { transaction in
                _ = try await transaction.beginIdempotent(key: "k", scope: "s", requestHash: [1])
                await #expect(throws: StoreError.idempotencyInFlight) { try await store.call(key: "k", hash: [1]) }
                #expect(try await store.call(in: .globex, key: "k", hash: [1]).replayed == nil)
                #expect(try await store.call(key: "other", hash: [1]).replayed == nil)
            }
        }
    }

    @Test("of many equal calls at once one has the effect; the others get its answer or are told to wait")
    func duplicates() async throws {
        try await withStore { store in
            let before = try await store.revision()
            let outcomes = await withTaskGroup(of: Result<StoredAnswer?, any Error>.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        do { return .success(try await store.call(key: "k", hash: [1]).replayed) } catch {
                            return .failure(error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            var effects = 0
            for outcome in outcomes {
                switch outcome {
                case .success(nil): effects += 1
                case .success(let answer): #expect(answer == Self.answer)
                case .failure(let error): #expect(error as? StoreError == .idempotencyInFlight)
                }
            }
            #expect(effects == 1)
            #expect(try await store.revision() == before + 1)
        }
    }

    @Test("an answer is kept for a day and then forgotten")
    func age() async throws {
        try await withStore { store in
            _ = try await store.call(key: "old", hash: [1])
            _ = try await store.call(key: "young", hash: [1])
            try await store.age("old", by: "24 hours 1 second")
            try await store.age("young", by: "23 hours 59 minutes")
            #expect(try await store.call(key: "young", hash: [1]).replayed == Self.answer)
            #expect(try await store.call(key: "old", hash: [2]).replayed == nil, "even another body may come now")
            #expect(try await store.call(key: "old", hash: [2]).replayed == Self.answer)
            try await store.age("old", by: "25 hours")
            try await store.compactChanges(olderThan: .seconds(3600))
            let left = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', '*', true)", "SELECT key FROM idempotent_call",
            ])
            #expect(try left[1].map { try $0["key", as: String.self] } == ["young"])
        }
    }
}

extension MeshStore {
    /// A call that writes a service, as a use case does it.
    @discardableResult
    fileprivate func call(
        in mesh: MeshKey = .acme, key: String, scope: String = "s", hash: [UInt8]
    ) async throws -> (replayed: StoredAnswer?, revision: Revision) {
        let replayed = try await write(in: mesh) { transaction -> StoredAnswer? in
            if let earlier = try await transaction.beginIdempotent(key: key, scope: scope, requestHash: hash) {
                return earlier
            }
            let spec: JSONValue = ["by": .string("\(scope) \(key) \(hash)")]
            _ = try await transaction.put(.service("a", in: mesh), metadata: ObjectLabels(), spec: spec)
            try await transaction.finishIdempotent(
                key: key, scope: scope, requestHash: hash, answer: IdempotencyTests.answer)
            return nil
        }
        return (replayed, try await revision(of: mesh))
    }

    /// Makes an answer look older.
    fileprivate func age(_ key: String, by interval: String) async throws {
        _ = try await pool.pipeline([
            "SELECT set_config('sluice.tenant', '*', true)",
            "UPDATE idempotent_call SET at = now() - \(interval)::text::interval WHERE key = \(key)",
        ])
    }
}
