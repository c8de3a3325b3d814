import Documents
import MeshCore
import MeshModel
import MeshStore
import Testing

/// Pages end when they have enough bytes, whatever number of objects that is.
@Suite("Bytes of pages")
struct PageBytesTests {
    /// As large as a spec may be, and as hard to see from outside: PostgreSQL keeps it small.
    private static let large = JSONValue.string(String(repeating: "x", count: 1 << 20))

    private static func create(_ count: Int, in store: MeshStore) async throws {
        for number in 0..<count { _ = try await store.create(.service("s\(number + 10)"), spec: ["x": large]) }
    }

    @Test("a list ends a page early and goes on with the next one, and never has an empty one")
    func lists() async throws {
        try await withStore { store in
            let fits = Limits.pageBytes.value / (1 << 20)
            try await Self.create(fits + 3, in: store)
            let pages = try await store.pages(
                ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, pageSize: 1000))
            #expect(pages.map(\.count) == [fits, 3])
            #expect(Set(pages.joined().map(\.key)).count == fits + 3)
            let small = try await store.pages(ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, pageSize: 2))
            #expect(small.allSatisfy { (1...2).contains($0.count) } && small.joined().count == fits + 3)
        }
    }

    @Test("a watch's first pages, the feed and a mesh's changes end early too, between revisions")
    func feeds() async throws {
        try await withStore { store in
            let start = try await store.revision()
            let fits = Limits.feedPageBytes.value / (1 << 20)
            try await Self.create(fits + 2, in: store)
            let end = try await store.revision()
            let list = WatchedList.objects(
                ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, pageSize: 1), of: .acme)
            let first = try await store.present(list, after: 0, upTo: end, limit: 200)
            #expect(first.entries.count == fits && !first.isComplete && first.revision < end)
            let rest = try await store.present(list, after: first.revision, upTo: end, limit: 200)
            #expect(rest.entries.count == 2 && rest.isComplete && rest.revision == end)

            let page = try await store.feedPage(list.feed, after: start, limit: 1000)
            #expect(page.entries.count == fits && !page.isComplete && page.revision == start + Revision(fits))
            let changes = try await store.changes(.acme, after: start, limit: 1000)
            #expect(changes.changed.count == fits && !changes.isComplete)
            let more = try await store.changes(.acme, after: changes.revision, limit: 1000)
            #expect(more.changed.count == 2 && more.isComplete && more.revision == end)

            // One revision is never cut, however much it is.
            try await store.write { transaction in
                for number in 0..<(fits + 1) {
                    _ = try await transaction.put(
                        .service("s\(number + 10)"), metadata: ObjectLabels(), spec: ["y": Self.large])
                }
            }
            #expect(try await store.changes(.acme, after: end, limit: 1000).changed.count == fits + 1)
        }
    }

    @Test("what one write of conditions changed comes in pages of a size too, and every object once")
    func conditions() async throws {
        try await withStore { store in
            let fits = Limits.feedPageBytes.value / (1 << 20)
            try await Self.create(fits + 3, in: store)
            let keys = (0..<(fits + 3)).map { ObjectKey.service("s\($0 + 10)") }
            let condition = ObjectCondition(type: "Accepted", isTrue: false, reason: "Conflict", message: "")
            let revision = try await store.revision()
            _ = try await store.leaseConditions(of: .acme, to: "r1", for: .seconds(60))
            let changes = ConditionChanges(
                of: .acme, foundAt: revision, revision: revision,
                objects: Dictionary(uniqueKeysWithValues: keys.map { ($0, [condition]) }))
            _ = try await store.write(changes, from: "compiler", by: "r1", after: 0)
            // Objects that are gone are no end.
            try await store.delete(keys[1])
            let query = ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh)
            for (limit, counts) in [(1000, [fits, 2]), (fits, [fits - 1, 3])] {
                var (cursor, pages, isComplete) = (ConditionCursor(after: 0), [[ObjectKey]](), false)
                while !isComplete {
                    let page = try await store.conditionChanges(of: query, after: cursor, limit: limit)
                    pages.append(page.objects.map(\.key))
                    (cursor, isComplete) = (page.reached, page.isComplete)
                }
                #expect(pages.map(\.count) == counts)
                #expect(pages.flatMap(\.self) == keys.filter { $0 != keys[1] })
            }
        }
    }

    @Test("a mesh is loaded piece by piece, and whole, without what nobody compiles")
    func loading() async throws {
        try await withStore { store in
            let count = Limits.feedPageBytes.value / (1 << 20) * 2 + 1
            try await Self.create(count, in: store)
            for text in ["a", "z"] {
                _ = try await store.create(.cluster(name(text), of: .acme), spec: ["x": Self.large])
            }
            let annotated = try await store.create(
                .service("noted"), metadata: ObjectLabels(labels: ["a": "b"], annotations: ["note": "long"]))
            let loaded = try await store.loadMesh(.acme)
            #expect(loaded.objects.count == count + 1 && loaded.clusters.count == 2)
            #expect(loaded.pages > 2)
            let found = try #require(loaded.objects.first { $0.key == annotated.key })
            #expect(found.metadata == ObjectLabels(labels: ["a": "b"]) && found.spec == annotated.spec)
        }
    }
}
