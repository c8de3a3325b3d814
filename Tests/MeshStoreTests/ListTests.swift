import Documents
import MeshCore
import MeshModel
import MeshStore
import Testing

@Suite("Lists")
struct ListTests {
    @Test(
        "pages of any size together have every object once, in the order of namespace and name",
        arguments: [1, 2, 3, 7, 8])
    func paging(_ size: Int) async throws {
        try await withStore { store in
            let names = ["b", "a", "a-b", "a0", "z"]
            for text in names { _ = try await store.create(.service(text)) }
            for text in ["m", "a"] { _ = try await store.create(.service(text, namespace: name("api"))) }
            // Neither of these belongs into the list.
            _ = try await store.create(.service("c", in: .globex))
            _ = try await store.create(.cluster(name("c"), of: .acme))

            let pages = try await store.pages(
                ListQuery(kind: .service, tenant: .acme, mesh: .defaultMesh, pageSize: size))
            let found = pages.flatMap { $0 }.map { $0.key.namespacedName?.description ?? "" }
            // Byte order: "-" before digits before letters.
            #expect(found == ["api/a", "api/m", "shop/a", "shop/a-b", "shop/a0", "shop/b", "shop/z"])
            #expect(pages.dropLast().allSatisfy { $0.count == size })
            #expect(pages.count == (7 + size - 1) / size, "the last page is never empty")
        }
    }

    @Test("an object that is written behind the cursor appears, one before it does not, and none comes twice")
    func changingList() async throws {
        try await withStore { store in
            for text in ["b", "d", "f"] { _ = try await store.create(.service(text)) }
            var query = ListQuery(kind: .service, tenant: .acme, pageSize: 2)
            let first = try await store.list(query)
            #expect(first.items.map(\.key.name.text) == ["b", "d"])
            try await store.delete(.service("d"))
            for text in ["a", "e"] { _ = try await store.create(.service(text)) }
            query.after = first.next
            let second = try await store.list(query)
            #expect(second.items.map(\.key.name.text) == ["e", "f"])
            #expect(second.next == nil)
        }
    }

    @Test("a list may be narrowed to a namespace or to the endpoints of one service")
    func narrowing() async throws {
        try await withStore { store async throws in
            for namespace in [Name.shop, name("api")] {
                for service in ["cart", "pay"] {
                    let key = NamespacedName(namespace: namespace, name: name(service))
                    for endpoint in ["one", "two"] {
                        _ = try await store.create(.endpoint(name(endpoint), of: key, in: .acme))
                    }
                }
            }
            func count(_ namespace: Name?, _ service: Name?) async throws -> Int {
                try await store.list(
                    ListQuery(
                        kind: .endpoint, tenant: .acme, mesh: .defaultMesh, namespace: namespace, service: service)
                ).items.count
            }
            #expect(try await count(nil, nil) == 8)
            #expect(try await count(.shop, nil) == 4)
            #expect(try await count(.shop, name("cart")) == 2)
            #expect(try await count(.shop, name("nobody")) == 0)
        }
    }

    @Test("labels narrow a list to objects that have all of them, with these very values")
    func labels() async throws {
        try await withStore { store in
            let all: [(String, [String: String])] = [
                ("a", ["app": "cart", "tier": "web"]), ("b", ["app": "cart"]), ("c", ["app": "Cart"]), ("d", [:]),
                ("e", ["app": "cart\" OR \"1\"=\"1"]),
            ]
            for (text, labels) in all {
                _ = try await store.create(.service(text), metadata: ObjectLabels(labels: labels))
            }
            func found(_ labels: [(name: String, value: String)]) async throws -> [String] {
                try await store.list(ListQuery(kind: .service, tenant: .acme, labels: labels)).items.map(
                    \.key.name.text)
            }
            #expect(try await found([("app", "cart")]) == ["a", "b"])
            #expect(try await found([("app", "cart"), ("tier", "web")]) == ["a"])
            #expect(try await found([("app", "cart\" OR \"1\"=\"1")]) == ["e"])
            #expect(try await found([("missing", "")]) == [])
            #expect(try await found([]).count == 5)
        }
    }

    @Test("without a tenant the tenants themselves are listed, and a transaction sees its own only")
    func tenants() async throws {
        try await withStore { store in
            let pages = try await store.pages(ListQuery(kind: .tenant, tenant: nil, pageSize: 1))
            #expect(pages.map { $0.map(\.key.name) } == [[.acme], [.globex]])
            let seen = try await store.write {
                try await $0.list(ListQuery(kind: .tenant, tenant: nil)).items.map(\.key.name)
            }
            #expect(seen == [.acme])
        }
    }

    @Test("a cursor is five names or empty parts, and nothing else")
    func cursors() throws {
        #expect(PageCursor(parts: ["acme", "", "", "", "a"])?.parts == ["acme", "", "", "", "a"])
        for parts in [
            [], ["a"], ["a", "b", "c", "d"], ["a", "b", "c", "d", "e", "f"], ["A", "", "", "", ""],
            ["a", "'", "", "", ""],
        ] {
            #expect(PageCursor(parts: parts) == nil, "\(parts)")
        }
    }

    @Test("what may want an endpoint's address or sidecar is found, the first that were there first")
    func rivals() async throws {
        try await withStore { store in
            func create(_ text: String, of service: String, at address: String, behind proxy: String?) async throws {
                let sidecar = proxy.map { JSONValue.object(["proxy": .string($0)]) }
                _ = try await store.create(
                    .endpoint(name(text), of: NamespacedName(namespace: .shop, name: name(service)), in: .acme),
                    spec: .fields(["address": .string(address), "sidecar": sidecar]))
            }
            try await create("z", of: "pay", at: "10.0.0.9", behind: "pod")
            try await create("twin", of: "cart", at: "10.0.0.1", behind: nil)
            try await create("both", of: "cart", at: "10.0.0.1", behind: "pod")
            try await create("far", of: "cart", at: "10.0.0.2", behind: "other")
            try await create("there", of: "pay", at: "10.0.0.1", behind: nil)
            try await create("own", of: "cart", at: "10.0.0.1", behind: "pod")
            try await create("own", of: "pay", at: "10.0.0.1", behind: "pod")
            let own = ObjectKey.endpoint(
                name("own"), of: NamespacedName(namespace: .shop, name: name("cart")), in: .acme)
            let found = try await store.write { transaction in
                [
                    try await transaction.endpoints(besides: own, at: "10.0.0.1", orBehind: name("pod")),
                    try await transaction.endpoints(besides: own, at: "10.0.0.1", orBehind: nil),
                ].map { $0.map { "\($0.key.service?.text ?? "")/\($0.key.name)" } }
            }
            #expect(found == [["pay/z", "cart/twin", "cart/both", "pay/own"], ["cart/twin", "cart/both"]])
        }
    }
}

extension MeshStore {
    func pages(_ query: ListQuery) async throws -> [[StoredObject]] {
        var query = query
        var pages: [[StoredObject]] = []
        repeat {
            let (items, next) = try await list(query)
            pages.append(items)
            query.after = next
        } while query.after != nil
        return pages
    }
}
