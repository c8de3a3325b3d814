import Documents
import MeshStore
import Testing

@Suite("Operations")
struct OperationTests {
    static let metadata: JSONValue = ["verb": "mesh:enable", "target": "clusters/north/mesh", "progressPercent": 100]

    @Test("an operation is done when its transaction is committed, and is found by its tenant alone")
    func create() async throws {
        try await withStore { store in
            let made = try await store.write {
                try await $0.createOperation(metadata: Self.metadata, response: ["phase": "Enabled"])
            }
            #expect(made.done)
            #expect(made.metadata == Self.metadata)
            #expect(made.response == ["phase": "Enabled"])
            #expect(made.error == nil)
            #expect(made.createTime == made.updateTime)
            #expect(try await store.operation(made.id, of: .acme) == made)
            #expect(try await store.operation(made.id.uppercased(), of: .acme) == made)
            #expect(try await store.operation(made.id, of: .globex) == nil)
        }
    }

    @Test("nobody sees the operation of a transaction that was undone")
    func undone() async throws {
        struct Stop: Error { let id: String }
        try await withStore { store async throws in
            let stop = await #expect(throws: Stop.self) {
                try await store.write { transaction in
                    throw Stop(id: try await transaction.createOperation(metadata: Self.metadata, response: [:]).id)
                }
            }
            #expect(try await store.operation(try #require(stop).id, of: .acme) == nil)
        }
    }

    @Test(
        "what is no UUID is no operation",
        arguments: ["", "1", "not-a-uuid", "'; DROP TABLE operation; --", "00000000-0000-0000-0000-00000000000g"])
    func garbage(_ id: String) async throws {
        try await withStore { store in
            _ = try await store.write { try await $0.createOperation(metadata: Self.metadata, response: [:]) }
            let found = try await store.operation(id, of: .acme)
            #expect(found == nil)
        }
    }
}
