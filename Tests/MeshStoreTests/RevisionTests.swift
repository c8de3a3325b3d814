import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import TestSupport
import Testing

@Suite("Revisions under concurrent writers")
struct RevisionTests {
    @Test("twenty writers get twenty revisions without a gap, and a reader of the feed misses none of them")
    func feed() async throws {
        try await withStore(connections: 16) { store in
            let start = try await store.revision()
            let (writers, rounds) = (20, 5)
            let seen = try await withThrowingTaskGroup(of: [Revision].self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        var revisions: [Revision] = []
                        for round in 0..<rounds {
                            revisions.append(try await store.create(.service("s\(writer)-\(round)")).revision)
                        }
                        return revisions
                    }
                }
                let reader = try await store.follow(after: start, until: start + Int64(writers * rounds))
                let written = try await group.reduce(into: []) { $0 += $1 }
                #expect(written.sorted() == Array((start + 1)...(start + Int64(writers * rounds))))
                return reader
            }
            #expect(seen == Array((start + 1)...(start + Int64(writers * rounds))))
        }
    }

    @Test("a reader whose feed is cut off again and again misses nothing if it loads the mesh whenever it is told to")
    func compactionMeanwhile() async throws {
        try await withStore { store in
            let start = try await store.revision()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<60 { _ = try await store.create(.service("s\(number)")) }
                }
                group.addTask {
                    while try await store.revision() < start + 60 { try await store.compactChanges(olderThan: .zero) }
                }
                var known: Set<ObjectKey> = []
                var reader = start
                try await until("the feed does not end") {
                    let page = try await store.changes(.acme, after: reader, limit: 5)
                    known.formUnion(page.changed.map(\.key))
                    reader = page.revision
                    if page.compacted {
                        let mesh = try await store.loadMesh(.acme)
                        known = Set(mesh.objects.map(\.key))
                        reader = mesh.revision
                    }
                    #expect(known.count >= Int(reader - start), "revision \(reader) has come, but not all before it")
                    return reader == start + 60
                }
                #expect(known.count == 60)
                try await group.waitForAll()
            }
        }
    }

    @Test("the revisions of different meshes do not wait for each other")
    func independence() async throws {
        try await withStore { store in
            try await store.write { transaction in
                // Holds the revision of acme's mesh.
                _ = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                #expect(try await store.create(.service("a", in: .globex)).revision == 2)
            }
            #expect(try await store.revision() == 2)
        }
    }

    @Test("an undone write leaves no gap")
    func rollback() async throws {
        struct Stop: Error {}
        try await withStore { store in
            let before = try await store.revision()
            await #expect(throws: Stop.self) {
                try await store.write { transaction in
                    let object = try await transaction.put(.service("a"), metadata: ObjectLabels(), spec: [:])
                    #expect(object.revision == before + 1)
                    throw Stop()
                }
            }
            #expect(try await store.create(.service("a")).revision == before + 1)
        }
    }

    @Test("every write is in the audit trail with who did it, at the revision that it was written at")
    func audit() async throws {
        try await withStore { store in
            let object = try await store.create(.service("a"), spec: ["secret": "no document is audited"])
            _ = try await store.write { try await $0.putStatus(.service("a"), [:]) }
            try await store.delete(.service("a"))
            let results = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true)",
                """
                SELECT action, concat_ws(' ', actor, request_id, kind, mesh, namespace, name) AS what, revision
                  FROM audit_event WHERE kind = 'Service' ORDER BY sequence
                """,
            ])
            #expect(try results[1].map { try $0["action", as: String.self] } == ["put", "putStatus", "delete"])
            #expect(try results[1].map { try $0["revision", as: Int64.self] } == (0...2).map { object.revision + $0 })
            let what = try Set(results[1].map { try $0["what", as: String.self] })
            #expect(what == ["test request-1 Service default shop a"])
        }
    }
}

extension MeshStore {
    /// Reads the feed while it is written, and checks that no revision turns up behind the reader.
    ///
    /// - Returns: the revision of every object that came, in the order in which they came.
    fileprivate func follow(after start: Revision, until end: Revision) async throws -> [Revision] {
        var reader = start
        var seen: [Revision] = []
        try await until("the feed does not reach revision \(end)") {
            let page = try await changes(.acme, after: reader, limit: 3)
            #expect(page.revision >= reader)
            // The objects are read after the feed, but none of these is written twice.
            seen += page.changed.map(\.revision).sorted()
            reader = page.revision
            return reader >= end
        }
        return seen
    }
}
