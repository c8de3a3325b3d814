import Documents
import MeshCore
import MeshModel
import MeshStore
import Postgres
import Prometheus
import TestSupport
import Testing

@Suite("The change feed")
struct ChangeFeedTests {
    @Test("names what was changed and what was deleted since a revision, each object as it is now")
    func changes() async throws {
        try await withStore { store in
            let start = try await store.revision()
            _ = try await store.create(.service("a"))
            _ = try await store.create(.service("b"))
            let a = try await store.create(.service("a"), spec: ["n": 2])
            try await store.delete(.service("b"))
            let changes = try await store.changes(.acme, after: start, limit: 100)
            #expect(changes.changed == [a])
            #expect(changes.deleted == [.service("b")])
            #expect(changes.revision == start + 4)
            #expect(!changes.compacted)
            let rest = try await store.changes(.acme, after: changes.revision, limit: 100)
            #expect(rest.changed.isEmpty && rest.deleted.isEmpty)
            #expect(rest.revision == changes.revision)
        }
    }

    @Test("an object that was deleted and made again is a change, not a deletion")
    func recreated() async throws {
        try await withStore { store in
            let start = try await store.revision()
            _ = try await store.create(.service("a"))
            try await store.delete(.service("a"))
            let again = try await store.create(.service("a"))
            let changes = try await store.changes(.acme, after: start, limit: 100)
            #expect(changes.changed == [again])
            #expect(changes.deleted.isEmpty)
        }
    }

    @Test(
        "what a newer version wrote is skipped and counted, in pages of any size, and everything else goes on",
        arguments: 1...3)
    func unknownKinds(_ limit: Int) async throws {
        try await withStore { store in
            let metrics = PrometheusFactory(logger: quietLogger)
            let counting = MeshStore(pool: store.pool, logger: quietLogger, metrics: metrics)
            let start = try await store.revision()
            let before = try await store.create(.service("a"))
            for name in ["x", "y"] { try await store.writeAsNewerVersion(name) }
            let after = try await store.create(.service("b"))
            var reader = start
            var seen: [StoredObject] = []
            while reader < start + 4 {
                let page = try await counting.changes(.acme, after: reader, limit: limit)
                try #require(page.revision > reader, "the reader would ask for the same page for ever")
                #expect(page.deleted.isEmpty)
                reader = page.revision
                seen += page.changed
            }
            #expect(seen == [before, after])
            #expect(metrics.text().contains("sluice_unknown_rows_total 2\n"))
            let mesh = try await store.loadMesh(.acme)
            #expect(mesh.objects.map(\.key) == [.service("a"), .service("b")])
            let watched = try await store.feedPage(
                .objects(tenant: .acme, mesh: .defaultMesh), after: start, limit: 100)
            #expect(watched.entries.count == 2 && watched.isComplete)
            try await store.write { transaction in
                let changes = try await transaction.changes(.acme, after: start, limit: 100)
                #expect(changes.changed.count == 2)
            }
            #expect(try await store.conditions(of: .acme).isEmpty)
        }
    }

    @Test("in pages of any size a reader gets everything and always goes on", arguments: 1...7)
    func paging(_ limit: Int) async throws {
        try await withStore { store in
            let start = try await store.revision()
            // One, five and two changes in three revisions; a page may be smaller than a revision.
            for names in [["a"], ["b", "c", "d", "e", "f"], ["g", "h"]] {
                try await store.write { transaction in
                    for text in names {
                        _ = try await transaction.put(.service(text), metadata: ObjectLabels(), spec: [:])
                    }
                }
            }
            var reader = start
            var seen: [Name] = []
            while reader < start + 3 {
                let page = try await store.changes(.acme, after: reader, limit: limit)
                try #require(page.revision > reader, "the reader would ask for the same page for ever")
                #expect(page.isComplete == (page.revision == start + 3))
                for object in page.changed { #expect(object.revision <= page.revision, "no revision is cut in two") }
                reader = page.revision
                seen += page.changed.map(\.key.name)
            }
            #expect(seen.map(\.text).sorted() == ["a", "b", "c", "d", "e", "f", "g", "h"])
            #expect(seen.count == 8, "nothing comes twice")
        }
    }

    @Test("another mesh's and another tenant's changes are not in it")
    func otherMeshes() async throws {
        try await withStore { store in
            let start = try await store.revision()
            _ = try await store.create(.service("a", in: .globex))
            _ = try await store.create(.mesh(name("other"), of: .acme))
            _ = try await store.create(.service("a", in: MeshKey(tenant: .acme, mesh: name("other"))))
            let changes = try await store.changes(.acme, after: start, limit: 100)
            #expect(changes.changed.isEmpty)
            #expect(changes.revision == start)
            #expect(
                try await store.changes(.globex, after: 1, limit: 100).changed.map(\.key) == [
                    .service("a", in: .globex)
                ])
        }
    }

    @Test("a cluster's change is one of every mesh of its tenant, and of no other tenant's")
    func clusters() async throws {
        try await withStore { store in
            let other = MeshKey(tenant: .acme, mesh: name("other"))
            _ = try await store.create(.mesh(other.mesh, of: .acme))
            _ = try await store.create(.service("a", in: other))
            let north = ObjectKey.cluster(name("north"), of: .acme)
            let before = (try await store.revision(), try await store.revision(of: other))
            let cluster = try await store.create(north, spec: ["kind": "kubernetes"])
            for (mesh, revision) in [(MeshKey.acme, before.0), (other, before.1)] {
                let changes = try await store.changes(mesh, after: revision, limit: 100)
                #expect(changes.changed == [cluster])
                #expect(changes.revision == revision + 1)
            }
            #expect(try await store.revision(of: .globex) == 1)
            try await store.delete(north)
            #expect(try await store.changes(.acme, after: before.0, limit: 100).deleted == [north])
        }
    }

    @Test("the whole mesh is loaded as of one revision, with all clusters of the tenant")
    func load() async throws {
        try await withStore { store in
            let a = try await store.create(.service("a"))
            let north = try await store.create(.cluster(name("north"), of: .acme))
            _ = try await store.create(.service("b", in: .globex))
            let mesh = try await store.loadMesh(.acme)
            #expect(mesh.objects == [a])
            #expect(mesh.clusters == [north])
            #expect(mesh.revision == (try await store.revision()))
            await #expect(throws: StoreError.notFound) {
                try await store.loadMesh(MeshKey(tenant: .acme, mesh: name("other")))
            }
        }
    }

    @Test("of many objects every one is loaded and in the feed, as it was written", arguments: [128, 129, 1_300])
    func many(_ count: Int) async throws {
        try await withStore { store in
            let start = try await store.revision()
            try await store.write { transaction in
                for index in 0..<count {
                    let spec: JSONValue = ["n": .integer(Int64(index))]
                    _ = try await transaction.put(.service("s\(index)"), metadata: ObjectLabels(), spec: spec)
                }
            }
            let loaded = try await store.loadMesh(.acme).objects
            let changed = try await store.changes(.acme, after: start, limit: 10).changed
            for objects in [loaded, changed] {
                #expect(objects.count == count && Set(objects.map(\.key)).count == count)
                #expect(objects.allSatisfy { "s\($0.spec["n"]?.integerValue ?? -1)" == $0.key.name.text })
            }
        }
    }

    @Test("who asks for what was compacted is told to load the mesh; who is beyond it is not")
    func compaction() async throws {
        try await withStore { store in
            let start = try await store.revision()
            for text in ["a", "b"] { _ = try await store.create(.service(text)) }
            try await store.compactChanges(olderThan: .seconds(3600))
            #expect(try await store.changes(.acme, after: start, limit: 100).changed.count == 2)
            // Older than in an hour from now: everything.
            try await store.compactChanges(olderThan: .seconds(-3600))
            _ = try await store.create(.service("c"))
            let late = try await store.changes(.acme, after: start + 1, limit: 100)
            #expect(late.compacted && late.changed.isEmpty)
            #expect(late.revision == start + 3)
            let current = try await store.changes(.acme, after: start + 2, limit: 100)
            #expect(!current.compacted)
            #expect(current.changed.map(\.key.name.text) == ["c"])
        }
    }

    @Test("a mesh that does not exist has no feed")
    func unknown() async throws {
        try await withStore { store async throws in
            await #expect(throws: StoreError.notFound) {
                try await store.changes(MeshKey(tenant: name("nobody"), mesh: .defaultMesh), after: 0, limit: 1)
            }
        }
    }
}

extension MeshStore {
    /// Writes an object of a kind that there is not, with a condition, as a version of this server does that has it.
    fileprivate func writeAsNewerVersion(_ name: String) async throws {
        let key: Statement = "tenant, mesh, kind, namespace, service, name"
        let values: Statement = "'acme', 'default', 'Teleporter', 'shop', '', \(name)"
        let revision: Statement = "(SELECT revision FROM mesh WHERE tenant = 'acme' AND mesh = 'default')"
        _ = try await pool.pipeline([
            "SELECT set_config('sluice.tenant', 'acme', true)",
            "UPDATE mesh SET revision = revision + 1 WHERE tenant = 'acme' AND mesh = 'default'",
            """
            INSERT INTO object (\(key), revision, labels, annotations, spec, status)
            VALUES (\(values), \(revision), '{}', '{}', '{"to": "anywhere"}', '{}')
            """, "INSERT INTO change (\(key), revision, deleted) VALUES (\(values), \(revision), false)",
            """
            INSERT INTO condition_state (tenant, mesh, writer, lease_until) VALUES ('acme', 'default', 'newer', now())
            ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO object_condition (\(key), source, position, uid, subject, revision, type, status, reason, pointer,
                                          message, since)
            VALUES (\(values), 'compiler', 0, gen_random_uuid(), '', 1, 'Accepted', false, 'Conflict', '/spec/to', 'no', now())
            """,
        ])
    }
}
