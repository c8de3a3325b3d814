import Documents
import MeshCore
import MeshModel
import Postgres
import StoreFixtures
import TestSupport
import Testing

@testable import MeshStore

@Suite("Rows of what objects name")
struct ReferenceTests {
    private static let reviews = ObjectKey.service("reviews")

    private static func endpoint(_ text: String, of service: String = "reviews") -> ObjectKey {
        .endpoint(name(text), of: NamespacedName(namespace: .shop, name: name(service)), in: .acme)
    }

    private static func rules(_ text: String) -> ObjectKey {
        .namespaced(.virtualService, NamespacedName(namespace: .shop, name: name(text)), in: .acme)
    }

    private static func instance(
        in cluster: String = "dev", _ version: String? = "v1", at address: String = "10.0.0.1"
    ) -> JSONValue {
        .fields([
            "cluster": .string(cluster), "address": .string(address), "ports": ["http": 8080],
            "version": version.map(JSONValue.string),
        ])
    }

    /// Rules of `reviews` that send requests to services.
    private static func sending(to hosts: String...) -> JSONValue {
        let routes = hosts.map { ["route": [["destination": ["host": .string($0)]]]] as JSONValue }
        return ["hosts": ["reviews"], "http": .array(routes)]
    }

    private func users(_ store: MeshStore, _ query: ReferrerQuery) async throws -> [String] {
        try await store.write { try await $0.referrers(query) }.items.map { "\($0.object.name) \($0.pointer)" }
    }

    /// Writes an endpoint as a version of the server does that knows nothing of references.
    private func writeAsBefore(_ key: ObjectKey, in cluster: String, _ store: MeshStore) async throws {
        let spec = #"{"cluster": "\#(cluster)", "address": "10.0.0.1", "ports": {"http": 8080}, "version": "v1"}"#
        let results = try await store.pool.pipeline([
            "SELECT set_config('sluice.tenant', \(key.tenant.text), true)",
            """
            INSERT INTO object AS o (tenant, kind, mesh, namespace, service, name, revision, spec)
            VALUES (\(key.tenant.text), \(key.kind.name), \(key.mesh?.text ?? ""), \(key.namespace?.text ?? ""),
                    \(key.service?.text ?? ""), \(key.name.text), 1, \(spec)::text::jsonb)
            ON CONFLICT (tenant, kind, mesh, namespace, service, name) DO UPDATE
               SET spec = excluded.spec, generation = o.generation + 1
            RETURNING 1 AS one
            """,
        ])
        #expect(results.last?.count == 1)
    }

    @Test("come, change and go with their object")
    func life() async throws {
        try await withStore { store in
            _ = try await store.mendReferences()
            let dev = ObjectKey.cluster(name("dev"), of: .acme)
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance())
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == ["e1 /spec/cluster"])
            #expect(try await users(store, ReferrerQuery(to: Self.reviews, limit: 9)) == ["e1 /spec/version"])
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance(in: "prod", nil))
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == [])
            #expect(try await users(store, ReferrerQuery(to: Self.reviews, limit: 9)) == [])
            let prod = ObjectKey.cluster(name("prod"), of: .acme)
            #expect(try await users(store, ReferrerQuery(to: prod, limit: 9)) == ["e1 /spec/cluster"])
            // Another generation that names the same, and labels, leave the rows right.
            _ = try await store.create(
                Self.endpoint("e1"), spec: Self.instance(in: "prod", nil, at: "10.0.0.2"))
            _ = try await store.create(
                Self.endpoint("e1"), spec: Self.instance(in: "prod", nil, at: "10.0.0.2"),
                metadata: ObjectLabels(labels: ["a": "b"]))
            #expect(try await store.mendReferences(of: .acme) == 0, "the tenant's rows are right as they are")
            #expect(try await users(store, ReferrerQuery(to: prod, limit: 9)) == ["e1 /spec/cluster"])
            try await store.delete(Self.endpoint("e1"))
            #expect(try await users(store, ReferrerQuery(to: prod, limit: 9)) == [])
        }
    }

    @Test("are of one tenant, one mesh and one kind")
    func separate() async throws {
        try await withStore { store in
            _ = try await store.create(Self.rules("r"), spec: Self.sending(to: "ratings"))
            let own = ObjectKey.service("ratings")
            let others = [
                ObjectKey.service("ratings", in: .globex), .service("ratings", namespace: name("other")),
                .service("ratings", in: MeshKey(tenant: .acme, mesh: name("blue"))), Self.rules("ratings"),
            ]
            #expect(try await users(store, ReferrerQuery(to: own, limit: 9)).count == 1)
            for key in others {
                let found = try await store.write(in: MeshKey(tenant: key.tenant, mesh: .defaultMesh)) {
                    try await $0.referrers(ReferrerQuery(to: key, limit: 9))
                }
                #expect(found.items == [], "\(key)")
            }
        }
    }

    @Test("are asked for by part, by strength, and once an object")
    func filters() async throws {
        try await withStore { store in
            _ = try await store.create(Self.rules("r"), spec: Self.sending(to: "reviews", "reviews.shop", "ratings"))
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance())
            _ = try await store.create(Self.endpoint("e2"), spec: Self.instance(in: "dev", "v2"))
            let all = try await users(store, ReferrerQuery(to: Self.reviews, limit: 9))
            #expect(
                all == [
                    "e1 /spec/version", "e2 /spec/version", "r /spec/hosts/0", "r /spec/http/0/route/0/destination",
                    "r /spec/http/1/route/0/destination", "r /spec/http/2/route/0/destination",
                ])
            #expect(
                try await users(store, ReferrerQuery(to: Self.reviews, keeping: true, limit: 9))
                    == all.filter { !$0.contains("hosts") })
            #expect(
                try await users(store, ReferrerQuery(to: Self.reviews, keeping: true, onePerObject: true, limit: 9))
                    == ["e1 /spec/version", "e2 /spec/version", "r /spec/http/0/route/0/destination"])
            let parts: [Reference.Part] = [.version(name("v2")), .subset(name("ratings"))]
            #expect(
                try await users(store, ReferrerQuery(to: Self.reviews, parts: parts, limit: 9))
                    == ["e2 /spec/version", "r /spec/http/2/route/0/destination"])
            #expect(try await users(store, ReferrerQuery(to: Self.reviews, parts: [], limit: 9)) == [])
            #expect(try await users(store, ReferrerQuery(to: Self.reviews, limit: 2)) == Array(all.prefix(2)))
        }
    }

    @Test("of what a version without them has written are not gone by, and made when somebody asks or sweeps")
    func versionBefore() async throws {
        try await withStore { store in
            #expect(try await store.mendReferences() > 0, "the fixture's meshes are made by a trigger")
            let (dev, prod) = (ObjectKey.cluster(name("dev"), of: .acme), ObjectKey.cluster(name("prod"), of: .acme))
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance())
            _ = try await store.create(Self.endpoint("e2"), spec: Self.instance())
            try await writeAsBefore(Self.endpoint("e1"), in: "prod", store)
            try await writeAsBefore(Self.endpoint("e3"), in: "prod", store)
            for _ in 0..<2 {
                #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == ["e2 /spec/cluster"])
                #expect(
                    try await users(store, ReferrerQuery(to: prod, limit: 9)) == [
                        "e1 /spec/cluster", "e3 /spec/cluster",
                    ])
                #expect(try await users(store, ReferrerQuery(to: prod, limit: 1)) == ["e1 /spec/cluster"])
                // The second time by rows.
                _ = try await store.mendReferences()
            }
            #expect(try await store.mendReferences() == 0)

            // A write that names the same does not make rows right that were not.
            try await writeAsBefore(Self.endpoint("e2"), in: "prod", store)
            _ = try await store.create(
                Self.endpoint("e2"), spec: Self.instance(in: "prod", at: "10.0.0.9"))
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == [])
            #expect(try await users(store, ReferrerQuery(to: prod, limit: 9)).count == 3)
            #expect(try await store.referrers(ReferrerQuery(to: prod, limit: 9)).items.count == 3)
            #expect(try await store.mendReferences() == 0, "asking made them right")

            // It deletes them like any other.
            _ = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true)", "DELETE FROM object WHERE name = 'e2'",
            ])
            #expect(try await users(store, ReferrerQuery(to: prod, limit: 9)).count == 2)
        }
    }

    @Test("are made by one sweep at a time, and not while somebody writes the object")
    func sweeps() async throws {
        try await withStore { store in
            _ = try await store.mendReferences()
            for number in 0..<30 {
                try await writeAsBefore(Self.endpoint("e\(number)"), in: "dev", store)
            }
            try await store.write { transaction in
                _ = try await transaction.fetch(Self.endpoint("e7"), forUpdate: true)
                let mended = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<3 { group.addTask { try await store.mendReferences() } }
                    return try await group.reduce(0, +)
                }
                #expect(mended == 29)
            }
            #expect(try await store.mendReferences() == 1)
            let dev = ObjectKey.cluster(name("dev"), of: .acme)
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 99)).count == 30)
        }
    }

    @Test("are listed in pages, none twice and none left out")
    func pages() async throws {
        try await withStore { store in
            for number in 10..<17 {
                _ = try await store.create(Self.endpoint("e\(number)"), spec: Self.instance(in: "dev", "v\(number)"))
            }
            _ = try await store.create(Self.rules("r"), spec: Self.sending(to: "reviews", "reviews", "reviews"))
            for size in 1...4 {
                var query = ReferrerQuery(to: Self.reviews, limit: size)
                var found: [String] = []
                repeat {
                    let page = try await store.referrers(query)
                    #expect(page.items.count <= size)
                    found += page.items.map { "\($0.object.name) \($0.pointer)" }
                    query.after = try page.next.map { try #require(ReferrerCursor(parts: $0.parts)) }
                } while query.after != nil
                #expect(found == (try await users(store, ReferrerQuery(to: Self.reviews, limit: 99))))
                #expect(found.count == 11)
            }
            for parts in [
                [], ["Service", "a", "b", "c", "d", "x"], ["Gadget", "", "", "", "a", "1"],
                ["Service", "'", "", "", "a", "1"],
            ] {
                #expect(ReferrerCursor(parts: parts) == nil, "\(parts)")
            }
        }
    }

    @Test("that are not right are listed in their places, in whatever pieces they are made")
    func mixed() async throws {
        try await withStore { store in
            _ = try await store.mendReferences()
            let dev = ObjectKey.cluster(name("dev"), of: .acme)
            for number in 10..<30 {
                let key = Self.endpoint("e\(number)")
                if number.isMultiple(of: 3) {
                    try await writeAsBefore(key, in: "dev", store)
                } else {
                    _ = try await store.create(key, spec: Self.instance())
                }
            }
            let expected = (10..<30).map { "e\($0) /spec/cluster" }
            for size in [1, 4, 7] {
                var (query, found) = (ReferrerQuery(to: dev, limit: size), [String]())
                repeat {
                    let page = try await store.write { try await $0.referrers(query) }
                    #expect(page.items.count <= size)
                    found += page.items.map { "\($0.object.name) \($0.pointer)" }
                    query.after = page.next
                } while query.after != nil
                #expect(found == expected, "\(size)")
            }
            #expect(try await store.mendReferences(atOnce: 2) == 6)
            #expect(try await store.mendReferences(atOnce: 2) == 0)
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 99)) == expected)
        }
    }

    @Test("of another version of the functions are made anew, and those of a newer one are left")
    func otherFunctions() async throws {
        try await withStore { store in
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance())
            _ = try await store.create(Self.endpoint("e2"), spec: Self.instance())
            _ = try await store.mendReferences()
            _ = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true)", "UPDATE reference SET to_name = 'moon'",
                "UPDATE object SET references_version = 0 WHERE name = 'e1'",
                "UPDATE object SET references_version = 2 WHERE name = 'e2'",
            ])
            let dev = ObjectKey.cluster(name("dev"), of: .acme)
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == ["e1 /spec/cluster"])
            // The same again by a write: of the older ones it makes none right.
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance(at: "10.0.0.3"))
            #expect(try await store.mendReferences() == 1)
            #expect(try await users(store, ReferrerQuery(to: dev, limit: 9)) == ["e1 /spec/cluster"])
            let moon = ObjectKey.cluster(name("moon"), of: .acme)
            #expect(try await users(store, ReferrerQuery(to: moon, limit: 9)) == ["e2 /spec/cluster"])
        }
    }

    @Test(
        "of objects that only a newer version knows are told as such, and what cannot be read keeps the rows that it has"
    )
    func unknown() async throws {
        try await withStore { store in
            _ = try await store.create(Self.endpoint("e1"), spec: Self.instance())
            _ = try await store.mendReferences()
            _ = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true)",
                """
                INSERT INTO object (tenant, kind, mesh, namespace, service, name, revision, spec)
                VALUES ('acme', 'Gadget', 'default', 'shop', '', 'x', 1, '{}')
                """,
                """
                INSERT INTO reference (tenant, kind, mesh, namespace, service, name, position, pointer, to_kind, to_mesh,
                                       to_namespace, to_service, to_name, part, strength)
                VALUES ('acme', 'Gadget', 'default', 'shop', '', 'x', 0, '/spec', 'Cluster', '', '', '', 'dev', '', 'firm')
                """,
                "UPDATE object SET references_generation = generation, references_version = 9 WHERE kind = 'Gadget'",
                "UPDATE object SET spec = '{\"cluster\": 1}', references_version = 0 WHERE name = 'e1'",
            ])
            #expect(try await store.mendReferences() == 1)
            let dev = ObjectKey.cluster(name("dev"), of: .acme)
            let page = try await store.write { try await $0.referrers(ReferrerQuery(to: dev, keeping: true, limit: 9)) }
            #expect(page.items.map(\.object.name.text) == ["e1"])
            #expect(page.unknown == ["Gadget shop/x"])
            let visibility = ReferrerQuery.Visibility(kinds: kinds.all, meshes: [], namespaces: [])
            let visible = try await store.referrers(ReferrerQuery(to: dev, visibleIn: visibility, limit: 9))
            #expect(visible.items.count == 1 && visible.unknown == [])
        }
    }

    @Test("are waited for while more is not right than may be read at once")
    func unprepared() async throws {
        try await withStore { store in
            _ = try await store.mendReferences()
            for number in 0..<5 { try await writeAsBefore(Self.endpoint("e\(number)"), in: "dev", store) }
            _ = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true)",
                "UPDATE object SET annotations = jsonb_build_object('a', repeat('x', 1048576)) WHERE kind = 'Endpoint'",
            ])
            let query = ReferrerQuery(to: .cluster(name("dev"), of: .acme), limit: 9)
            await #expect(throws: StoreError.unavailable(retryAfter: .seconds(1), because: .unprepared)) {
                try await store.write { _ = try await $0.referrers(query) }
            }
            #expect(try await store.referrers(query).items.count == 5)
            #expect(try await users(store, query).count == 5)
        }
    }

    @Test("that are not right are found by an index, which says the version of the functions")
    func index() async throws {
        try await withStore { store in
            let definition: String = try #require(
                try await store.pool.query(
                    "SELECT pg_get_indexdef('object_references'::regclass) AS text"
                ).first)["text"]
            #expect(definition.contains("(references_version < \(Reference.version))"), "\(definition)")
            #expect(ReferenceRow.isStale.sql.contains("references_version < \(Reference.version))"))
            // Small tables are read as a whole whatever there is.
            let plan = try await store.pool.pipeline([
                "SELECT set_config('sluice.tenant', 'acme', true), set_config('enable_seqscan', 'off', true)",
                "EXPLAIN \(ReferenceRow.selectStale(of: .acme, after: nil, limit: 9))",
            ])
            let lines = try #require(plan.last).map { try $0["QUERY PLAN", as: String.self] }
            #expect(lines.contains { $0.contains("object_references") }, "\(lines)")
        }
    }
}
