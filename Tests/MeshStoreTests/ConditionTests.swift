import Documents
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

@Suite("Conditions in rows of their own", .timeLimit(.minutes(2)))
struct ConditionTests {
    private static let cart = ObjectKey.service("cart")

    private static func condition(_ reason: String, since: Timestamp? = nil) -> ObjectCondition {
        ObjectCondition(
            type: "Accepted", isTrue: false, reason: reason, subject: "80", pointer: "/spec/ports/0",
            message: "not \"in\" force", other: ["kind": "Service", "name": "other"], since: since)
    }

    /// One that comes from no other object.
    private static func alone(_ reason: String) -> ObjectCondition {
        ObjectCondition(type: "Accepted", isTrue: false, reason: reason, message: "")
    }

    private static func changes(
        _ objects: [ObjectKey: [ObjectCondition]], at revision: Revision
    ) -> ConditionChanges {
        ConditionChanges(of: .acme, foundAt: revision, revision: revision, objects: objects)
    }

    /// A replica that is the mesh's writer.
    private func lease(_ store: MeshStore, _ writer: String = "r1", for lease: Duration = .seconds(60)) async throws
        -> ConditionState
    {
        try #require(try await store.leaseConditions(of: .acme, to: writer, for: lease))
    }

    @Test("stand beside the object, on every way to read it, and change neither revision nor generation")
    func joined() async throws {
        try await withStore { store in
            let created = try await store.create(Self.cart)
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions == nil)
            let revision = try await store.revision()
            let state = try await lease(store)
            let written = try await store.write(
                Self.changes([Self.cart: [Self.condition("Conflict")]], at: revision), from: "compiler", by: "r1",
                after: state.sequence)
            #expect(written?.state == ConditionState(revision: revision, sequence: 1))
            #expect(written?.skipped == [])

            var found = try #require(try await store.fetchWithConditions(Self.cart))
            let condition = try #require(found.conditions?.first)
            #expect(condition.says(Self.condition("Conflict")))
            #expect(condition.since != nil)
            #expect(try await store.fetchWithRefusal(Self.cart)?.object == found)
            let query = ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh)
            #expect(try await store.list(query).items == [found])
            let feed = Feed.objects(tenant: .acme, mesh: .defaultMesh)
            #expect(
                try await store.feedPage(feed, after: revision - 1, limit: 10).entries.map(\.item) == [.object(found)])
            let present = try await store.present(
                .objects(query, of: .acme), after: 0, upTo: revision, limit: 10)
            #expect(present.entries.map(\.item) == [.object(found)])
            found.conditions = nil
            #expect(found == created)
            #expect(try await store.revision() == revision)

            // Gone: nobody has to say so any more, but clients that know it must hear of it.
            _ = try await store.write(Self.changes([Self.cart: []], at: revision), from: "compiler", by: "r1", after: 1)
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions == [])
        }
    }

    @Test("are written only by the mesh's writer, only after what it knows, and only if they are newer")
    func fencing() async throws {
        try await withStore { store in
            try await store.create(Self.cart)
            let revision = try await store.revision()
            let old = Self.changes([Self.cart: [Self.condition("Old")]], at: revision - 1)
            let new = Self.changes([Self.cart: [Self.condition("New")]], at: revision)
            #expect(try await store.write(new, from: "compiler", by: "r1", after: 0) == nil, "nobody is the writer")
            _ = try await lease(store)
            #expect(try await store.leaseConditions(of: .acme, to: "r2", for: .seconds(60)) == nil)
            #expect(try await store.write(new, from: "compiler", by: "r2", after: 0) == nil)
            #expect(try await store.write(new, from: "compiler", by: "r1", after: 0)?.state.sequence == 1)
            #expect(try await store.write(old, from: "compiler", by: "r1", after: 1) == nil, "older than what is there")
            #expect(try await store.write(new, from: "compiler", by: "r1", after: 0) == nil, "written meanwhile")
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions?.map(\.reason) == ["New"])
            // A lease that is over is another's to take, and the first one's writes are none.
            _ = try await lease(store, for: .zero)
            #expect(try await store.write(new, from: "compiler", by: "r1", after: 1) == nil)
            #expect(try await lease(store, "r2") == ConditionState(revision: revision, sequence: 1))
            #expect(try await store.write(new, from: "compiler", by: "r2", after: 1)?.state.sequence == 2)
        }
    }

    @Test("are the object's own: one that was made anew begins without")
    func recreated() async throws {
        try await withStore { store in
            try await store.create(Self.cart)
            let state = try await lease(store)
            _ = try await store.write(
                Self.changes([Self.cart: [Self.condition("Conflict")]], at: store.revision()), from: "compiler",
                by: "r1", after: state.sequence)
            try await store.delete(Self.cart)
            try await store.create(Self.cart)
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions == [])
            #expect(try await store.conditions(of: .acme).isEmpty)
            let unaware = Self.changes([:], at: try await store.revision())
            #expect(
                try await store.write(unaware, from: "compiler", by: "r1", after: 1) == nil,
                "the writer must learn that they are gone")
        }
    }

    @Test("are none of an object that was written since they were found, and the writer learns of which")
    func mended() async throws {
        try await withStore { store in
            let (other, gone) = (ObjectKey.service("other"), ObjectKey.service("gone"))
            for key in [Self.cart, other] { try await store.create(key) }
            let found = try await store.revision()
            try await store.create(Self.cart, spec: ["mended": true])
            _ = try await lease(store)
            let conditions = [Self.cart, other, gone].map { ($0, [Self.condition("Conflict")]) }
            let written = try await store.write(
                Self.changes(Dictionary(uniqueKeysWithValues: conditions), at: found), from: "compiler", by: "r1",
                after: 0)
            #expect(written?.skipped == [Self.cart, gone])
            #expect(try await Set(store.conditions(of: .acme).keys) == [other])
            let again = try await store.write(
                Self.changes([Self.cart: [Self.condition("Conflict")]], at: found + 1), from: "compiler", by: "r1",
                after: 1)
            #expect(again?.skipped == [])
            #expect(try await Set(store.conditions(of: .acme).keys) == [other, Self.cart])
        }
    }

    @Test("keep the time that a writer gives them, and its order")
    func times() async throws {
        try await withStore { store in
            try await store.create(Self.cart)
            let since = Timestamp(microseconds: 1_700_000_000_123_456)
            let conditions = [Self.condition("B", since: since), Self.alone("A")]
            _ = try await lease(store)
            _ = try await store.write(
                Self.changes([Self.cart: conditions], at: store.revision()), from: "compiler", by: "r1", after: 0)
            let stored = try #require(try await store.conditions(of: .acme)[Self.cart])
            #expect(stored.map(\.reason) == ["B", "A"])
            #expect(stored.first?.since == since)
            #expect(stored.last?.says(Self.alone("A")) == true)
            #expect((stored.last?.since).map { $0 > since } == true)
        }
    }

    @Test("have changes in an order of their own, by which watches are told, and a signal of their own")
    func changes() async throws {
        try await StoreFixture.run { fixture in
            let store = fixture.store
            try await store.create(.tenant(.acme))
            let changes = ChangeSignals(fixture.options, logger: quietLogger)
            let signals = changes.subscribe { if case .conditions = $0 { true } else { false } }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                defer { group.cancelAll() }
                var told = signals.makeAsyncIterator()
                #expect(await told.next() == .anything)
                for name in ["cart", "other"] { try await store.create(.service(name)) }
                let revision = try await store.revision()
                _ = try await lease(store)
                _ = try await store.write(
                    Self.changes([Self.cart: [Self.condition("Conflict")]], at: revision), from: "compiler", by: "r1",
                    after: 0)
                #expect(await told.next() == .conditions(.acme))
                _ = try await store.write(
                    Self.changes([.service("other"): [Self.condition("Conflict")]], at: revision), from: "compiler",
                    by: "r1", after: 1)
                let query = ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, namespace: .shop)
                let beginning = ConditionCursor(after: 0)
                let first = try await store.conditionChanges(of: query, after: beginning, limit: 1)
                #expect(first.objects.map(\.key) == [Self.cart])
                #expect(!first.isComplete)
                for cursor in [first.reached, ConditionCursor(after: 1)] {
                    let rest = try await store.conditionChanges(of: query, after: cursor, limit: 10)
                    #expect(rest.objects.map(\.key) == [.service("other")])
                    #expect(rest.objects.first?.conditions?.map(\.reason) == ["Conflict"])
                    #expect(rest.isComplete)
                    let nothing = try await store.conditionChanges(of: query, after: rest.reached, limit: 10)
                    #expect(nothing.objects.isEmpty && nothing.isComplete && nothing.reached == rest.reached)
                }
                #expect(try await store.conditionSequence(of: .acme) == 2)
                let elsewhere = ListQuery(kind: .release, tenant: .acme, mesh: .defaultMesh, namespace: .shop)
                #expect(try await store.conditionChanges(of: elsewhere, after: beginning, limit: 10).objects.isEmpty)
            }
        }
    }

    @Test("a mesh is looked after when it is newer than its conditions and has no writer")
    func sweep() async throws {
        try await withStore { store in
            #expect(Set(try await store.meshesWithoutConditions(limit: 10)) == [.acme, .globex])
            let state = try await lease(store)
            #expect(try await store.meshesWithoutConditions(limit: 10) == [.globex])
            _ = try await store.write(
                Self.changes([:], at: store.revision()), from: "compiler", by: "r1", after: state.sequence)
            _ = try await lease(store, for: .zero)
            #expect(try await store.meshesWithoutConditions(limit: 10) == [.globex], "nothing is new")
            try await store.create(Self.cart)
            #expect(Set(try await store.meshesWithoutConditions(limit: 10)) == [.acme, .globex])
            #expect(
                try await store.leaseConditions(of: MeshKey(tenant: .acme, mesh: name("no")), to: "r", for: .zero)
                    == nil)
        }
    }

    @Test("go with their tenant, and what nobody asks for any more is forgotten")
    func endings() async throws {
        try await withStore { store in
            try await store.create(Self.cart)
            _ = try await lease(store)
            let revision = try await store.revision()
            _ = try await store.write(
                Self.changes([Self.cart: [Self.condition("Conflict")]], at: revision), from: "compiler", by: "r1",
                after: 0)
            try await store.compactConditions(olderThan: .zero)
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions?.count == 1)
            _ = try await store.write(Self.changes([Self.cart: []], at: revision), from: "compiler", by: "r1", after: 1)
            try await store.compactConditions(olderThan: .zero)
            #expect(try await store.fetchWithConditions(Self.cart)?.conditions == nil)
            try await store.delete(Self.cart)
            try await store.delete(.tenant(.acme))
            let left = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', '*', true)", "SELECT 1 FROM condition_state WHERE tenant = 'acme'",
            ])
            #expect(left[1].isEmpty)
        }
    }
}
