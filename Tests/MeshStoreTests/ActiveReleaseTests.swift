import MeshModel
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
}
