import Documents
import MeshCore
import MeshModel
import MeshStore
import Testing

@Suite("Objects")
struct ObjectTests {
    static let spec: JSONValue = ["ports": [["port": 80, "protocol": "HTTP"]]]

    @Test("a created object begins at generation 1 with the mesh's new revision, and is fetched as it was returned")
    func create() async throws {
        try await withStore { store in
            let before = try await store.revision()
            let metadata = ObjectLabels(labels: ["app": "cart"], annotations: ["note": "für \"alle\" ☕"])
            let cart = try await store.create(
                .service("cart"), spec: Self.spec, status: ["ready": true], metadata: metadata)
            #expect(cart.generation == 1)
            #expect(cart.revision == before + 1)
            #expect(cart.metadata == metadata)
            #expect(cart.spec == Self.spec)
            #expect(cart.status == ["ready": true])
            #expect(cart.createTime == cart.updateTime)
            #expect(try await store.fetch(.service("cart")) == cart)
            #expect(try await store.revision() == before + 1)
        }
    }

    @Test("a document comes back as it was written")
    func documents() async throws {
        try await withStore { store in
            let spec: JSONValue = [
                "text": "\\ \" / \n \u{1F600} \u{7F}", "empty": "", "null": nil, "yes": true, "no": false,
                "large": .integer(.max), "small": .integer(.min), "fraction": .number(0.1), "tiny": .number(1.5e-300),
                "nested": [[], [:], [nil, 1, "1"]],
            ]
            _ = try await store.create(.service("cart"), spec: spec)
            #expect(try await store.fetch(.service("cart"))?.spec == spec)
        }
    }

    @Test("generation grows with the spec alone; revision and update time with every write")
    func update() async throws {
        try await withStore { store in
            let first = try await store.create(.service("cart"), spec: Self.spec)
            let labelled = try await store.create(
                .service("cart"), spec: Self.spec, metadata: ObjectLabels(labels: ["app": "cart"]))
            #expect(labelled.generation == 1)
            #expect(labelled.revision == first.revision + 1)
            #expect(labelled.updateTime > first.updateTime)
            let changed = try await store.create(.service("cart"), spec: ["ports": []])
            #expect(changed.generation == 2)
            #expect(changed.uid == first.uid)
            #expect(changed.createTime == first.createTime)
            #expect(changed.metadata == ObjectLabels())
        }
    }

    @Test("a write that changes nothing raises no revision")
    func noChange() async throws {
        try await withStore { store in
            let first = try await store.create(.service("cart"), spec: Self.spec, status: ["a": 1])
            #expect(try await store.create(.service("cart"), spec: Self.spec) == first)
            #expect(try await store.create(.service("cart"), spec: Self.spec, status: ["a": 1]) == first)
            #expect(try await store.revision() == first.revision)
        }
    }

    @Test("a write without a status keeps it; one with a status replaces it and leaves the generation")
    func status() async throws {
        try await withStore { store in
            _ = try await store.create(.service("cart"), spec: Self.spec, status: ["a": 1])
            #expect(try await store.create(.service("cart"), spec: [:]).status == ["a": 1])
            let put = try await store.write { try await $0.putStatus(.service("cart"), ["b": 2]) }
            #expect(put.status == ["b": 2])
            #expect(put.generation == 2)
            #expect(try await store.create(.service("cart"), spec: [:], status: ["c": 3]).status == ["c": 3])
        }
    }

    @Test("the status of what does not exist cannot be written")
    func statusOfNothing() async throws {
        try await withStore { store in
            let before = try await store.revision()
            await #expect(throws: StoreError.notFound) {
                try await store.write { try await $0.putStatus(.service("cart"), [:]) }
            }
            #expect(try await store.revision() == before)
        }
    }

    @Test("a deleted object is gone, and one of the same name begins anew")
    func delete() async throws {
        try await withStore { store in
            let first = try await store.create(.service("cart"), spec: Self.spec)
            try await store.delete(.service("cart"))
            #expect(try await store.fetch(.service("cart")) == nil)
            await #expect(throws: StoreError.notFound) { try await store.delete(.service("cart")) }
            let second = try await store.create(.service("cart"), spec: Self.spec)
            #expect(second.uid != first.uid)
            #expect(second.generation == 1)
            #expect(second.revision == first.revision + 2)
        }
    }

    @Test("all writes of a transaction have one revision and are undone together")
    func atomic() async throws {
        struct Stop: Error {}
        try await withStore { store in
            let before = try await store.revision()
            let revisions = try await store.write { transaction in
                var revisions: [Revision] = []
                for text in ["a", "b", "c"] {
                    revisions.append(
                        try await transaction.put(.service(text), metadata: ObjectLabels(), spec: [:]).revision)
                }
                return revisions
            }
            #expect(revisions == [before + 1, before + 1, before + 1])
            await #expect(throws: Stop.self) {
                try await store.write { transaction in
                    try await transaction.delete(.service("a"))
                    _ = try await transaction.put(.service("d"), metadata: ObjectLabels(), spec: [:])
                    throw Stop()
                }
            }
            let kept = try await store.fetch([.service("a"), .service("b"), .service("c"), .service("d")])
            #expect(Set(kept.map(\.key.name.text)) == ["a", "b", "c"])
            #expect(try await store.revision() == before + 1)
        }
    }

    @Test("the same name may be used in other tenants, namespaces and kinds, and each is found by its own key")
    func keys() async throws {
        try await withStore { store in
            let cart = NamespacedName(namespace: .shop, name: name("cart"))
            let keys: [ObjectKey] = [
                .service("cart"), .service("cart", in: .globex), .service("cart", namespace: name("other")),
                .namespaced(.virtualService, cart, in: .acme), .endpoint(name("cart"), of: cart, in: .acme),
                .cluster(name("cart"), of: .acme), .tenant(name("cart")),
            ]
            for (index, key) in keys.enumerated() {
                _ = try await store.create(key, spec: ["n": .integer(Int64(index))])
            }
            for (index, key) in keys.enumerated() {
                #expect(try await store.fetch(key)?.key == key)
                #expect(try await store.fetch(key)?.spec == ["n": .integer(Int64(index))])
            }
            #expect(try await Set(store.fetch(Array(keys.filter { $0.tenant == .acme })).map(\.key)).count == 5)
        }
    }

    @Test("nothing at all is fetched for no keys")
    func noKeys() async throws {
        try await withStore { store async throws in
            #expect(try await store.fetch([]).isEmpty)
            #expect(try await store.write { try await $0.fetch([]) }.isEmpty)
        }
    }
}
