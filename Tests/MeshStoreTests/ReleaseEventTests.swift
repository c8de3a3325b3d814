import Documents
import GrayRelease
import MeshCore
import Postgres
import TestSupport
import Testing

@testable import MeshStore

@Suite("Events of releases")
struct ReleaseEventTests {
    @Test("events are read in the order in which they happened, from any place on, with all that they say")
    func paging() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try await store.commit(.enter(.progressing, events: ["a", "b"]), of: row)
            _ = try await store.commit(.enter(.paused, events: ["c"]), of: try await store.row("v2"))
            let first = try await store.releaseEvents(.release("v2"), after: 0, limit: 2)
            #expect(first.map(\.dedupeKey) == ["a", "b"])
            let rest = try await store.releaseEvents(.release("v2"), after: try #require(first.last).sequence, limit: 2)
            #expect(rest.map(\.dedupeKey) == ["c"])
            let event = try #require(rest.first)
            #expect(event.type == "Progressing")
            #expect(event.actor == "somebody")
            #expect(event.at == Timestamp(microseconds: 2_000_000))
            #expect(event.payload == ["phase": "Paused", "message": "☕", "canary": 0])
            #expect(try await store.releaseEvents(.release("v2"), after: event.sequence, limit: 2).isEmpty)
        }
    }

    @Test("nothing is recorded twice: a decision with an event that happened before is undone as a whole")
    func duplicates() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try await store.commit(.enter(.progressing, events: ["a"]), of: row)
            let before = try await store.row("v2")
            await #expect(throws: StoreError.self) {
                try await store.commit(.enter(.paused, events: ["b", "a"]), of: before)
            }
            #expect(try await store.row("v2") == before)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 9).map(\.dedupeKey) == ["a"])
        }
    }

    @Test("a release of the same name that is made later begins without events, and none are left of the old one")
    func recreated() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try await store.commit(.enter(.aborted, events: ["a"]), of: row)
            let other = try await store.createRelease("v3")
            _ = try await store.commit(.enter(.aborted, events: ["a"]), of: other)
            try await store.delete(.release("v2"))
            let again = try await store.createRelease("v2")
            #expect(again.rowVersion == 1)
            #expect(try await store.releaseEvents(.release("v2"), after: 0, limit: 9).isEmpty)
            _ = try #require(
                try await store.commit(.enter(.aborted, events: ["a"]), of: again), "the key is free again")
            #expect(try await store.rows("SELECT 1 FROM release_event", seeing: .all).count == 2)
        }
    }

    @Test("another tenant's events are not seen")
    func tenants() async throws {
        try await withStore { store in
            let row = try await store.createRelease("v2")
            _ = try await store.commit(.enter(.progressing, events: ["a"]), of: row)
            _ = try await store.createRelease("v2", in: .globex)
            #expect(try await store.releaseEvents(.release("v2", in: .globex), after: 0, limit: 9).isEmpty)
        }
    }
}
