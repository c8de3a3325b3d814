import Documents
import MeshControl
import MeshCore
import MeshModel
import MeshStore
import StoreFixtures
import TestSupport
import Testing

@testable import MeshAPI

@Suite("Event streams of lists of objects", .timeLimit(.minutes(2)))
struct WatchTests {
    private static let services = Fixture.shop + "/services"

    private func put(_ api: Fixture, _ name: String, labels: JSONValue = [:]) async throws {
        let body = Fixture.reviews.merged(with: ["metadata": ["labels": labels]])
        let answer = try await api.send("PUT", "\(Self.services)/\(name)", body, ["If-Match": "*"])
        #expect([200, 201, 412].contains(answer.status), "\(answer.text)")
        if answer.status == 412 {
            #expect(try await api.send("PUT", "\(Self.services)/\(name)", body).status == 201)
        }
    }

    private func delete(_ api: Fixture, _ name: String) async throws {
        #expect(try await api.send("DELETE", "\(Self.services)/\(name)", headers: ["If-Match": "*"]).status == 204)
    }

    @Test("begins with what is there, as the list has it, and goes on with what another server writes")
    func liveEvents() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            try await put(api.writer, "ratings")
            let list = try await api.writer.get(Self.services).body["items"]?.arrayValue ?? []
            try await api.watch(Self.services) { events in
                let present = try await events.events(through: "synced")
                #expect(present.map(\.name) == ["changed", "changed", "synced"])
                #expect(Set(present.dropLast().map(\.data)) == Set(list))
                let revisions = present.dropLast().map { $0.data["metadata"]?["revision"]?.integerValue }
                #expect(present.dropLast().map(\.id) == revisions)
                #expect(present.map { $0.id ?? 0 } == present.map { $0.id ?? 0 }.sorted())

                try await put(api.writer, "details")
                let created = try #require(try await events.next())
                #expect(created.summary == "changed details")
                #expect(created.data == (try await api.writer.get(Self.services + "/details").body))

                try await put(api.writer, "details", labels: ["tier": "back"])
                #expect(try await events.next()?.data["metadata"]?["labels"] == ["tier": "back"])

                try await delete(api.writer, "details")
                let deleted = try #require(try await events.next())
                let expected: JSONValue = [
                    "apiVersion": "sluice/v1", "kind": "Service",
                    "metadata": .fields([
                        "name": "details", "tenant": "acme", "mesh": "default", "namespace": "shop",
                        "revision": deleted.id.map(JSONValue.integer),
                    ]),
                ]
                #expect(deleted.name == "deleted" && deleted.data == expected)
                #expect((deleted.id ?? 0) > (created.id ?? 0))
            }
            try await until("the stream is given up with its client") { api.streams == 0 }
        }
    }

    @Test("whoever comes back with the last id is told exactly what it missed, from wherever it left off")
    func resumption() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            for name in ["a", "b", "c"] { try await put(api.writer, name) }
            // Left in the middle of what was there: the rest is what was missed.
            let first = try await api.watch(Self.services) { try await $0.take(2) }
            #expect(first.map(\.summary) == ["changed reviews", "changed a"])
            try await put(api.writer, "d")
            try await delete(api.writer, "b")
            try await put(api.writer, "a", labels: ["n": "1"])
            let id = try #require(first.last?.id)
            let missed = try await api.watch(Self.services, ["Last-Event-ID": "\(id)"]) {
                try await $0.events(through: "synced")
            }
            #expect(missed.map(\.summary) == ["changed c", "changed d", "deleted b", "changed a", "synced -"])
            let last = try #require(missed.last?.id)
            let nothing = try await api.watch(Self.services, ["Last-Event-ID": "\(last)"]) {
                try await $0.events(through: "synced")
            }
            #expect(nothing.map(\.summary) == ["synced -"])
        }
    }

    @Test("several objects of one revision are told together: only the last one has the id")
    func sharedRevision() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let shop = try #require(Name("shop"))
            try await api.watch(Self.services) { events in
                _ = try await events.events(through: "synced")
                try await api.writer.control.store.write(
                    tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r"
                ) { transaction in
                    for name in ["x", "y", "z"] {
                        let key = ObjectKey.namespaced(
                            .service, NamespacedName(namespace: shop, name: try #require(Name(name))), in: mesh)
                        _ = try await transaction.put(key, metadata: ObjectLabels(), spec: [:])
                    }
                }
                let together = try await events.take(3)
                #expect(together.map(\.summary) == ["changed x", "changed y", "changed z"])
                #expect(together.map { $0.id == nil } == [true, true, false])
            }
        }
    }

    @Test("is of its list alone: other kinds, namespaces, services and tenants are not in it")
    func scope() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            #expect(try await api.writer.send("PUT", "/v1/tenants/other", ["spec": [:]]).status == 201)
            let endpoints = Self.services + "/reviews/endpoints"
            try await api.watch(endpoints) { events in
                let present = try await events.events(through: "synced")
                #expect(present.map(\.summary) == ["changed e1", "changed e2", "synced -"])
                let others = ["/v1/tenants/other/meshes/default/namespaces/shop/services/reviews"]
                for path in others + [Fixture.mesh + "/namespaces/bank/services/reviews", Self.services + "/details"] {
                    #expect(try await api.writer.send("PUT", path, Fixture.reviews).status == 201)
                    let endpoint = try await api.writer.send(
                        "PUT", path + "/endpoints/e9", Fixture.endpoint("v1", 18_089))
                    // The other tenant has no such cluster.
                    #expect(endpoint.status == (path.contains("/other/") ? 400 : 201), "\(endpoint.text)")
                }
                #expect(
                    try await api.writer.send("PUT", endpoints + "/e3", Fixture.endpoint("v1", 18_083)).status == 201)
                #expect(try await events.next()?.summary == "changed e3")
            }
        }
    }

    @Test("clusters, which are in no mesh, have a stream of their own")
    func clusters() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            try await api.watch("/v1/tenants/acme/clusters") { events in
                let present = try await events.events(through: "synced")
                #expect(present.map(\.summary) == ["changed dev", "synced -"])
                let cluster: JSONValue = ["spec": ["kind": "universal"]]
                #expect(try await api.writer.send("PUT", "/v1/tenants/acme/clusters/west", cluster).status == 201)
                #expect(try await events.next()?.summary == "changed west")
                #expect(
                    try await api.writer.send(
                        "DELETE", "/v1/tenants/acme/clusters/west", headers: ["If-Match": "*"]
                    ).status == 204)
                #expect(try await events.next()?.summary == "deleted west")
            }
        }
    }

    @Test("an object that loses the labels that are asked for is deleted from the stream")
    func labels() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            try await put(api.writer, "a", labels: ["app": "web"])
            try await api.watch(Self.services + "?labelSelector=app=web") { events in
                #expect(try await events.events(through: "synced").map(\.summary) == ["changed a", "synced -"])
                try await put(api.writer, "b", labels: ["app": "web"])
                #expect(try await events.next()?.summary == "changed b")
                try await put(api.writer, "a", labels: ["app": "db"])
                #expect(try await events.next()?.summary == "deleted a")
            }
        }
    }

    @Test("a list that is longer than a page is told whole")
    func manyObjects() async throws {
        try await WatchFixture.run { api in
            try await api.writer.prepare()
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let shop = try #require(Name("shop"))
            // Three revisions of 150 each: pages end between revisions.
            for batch in 0..<3 {
                try await api.writer.control.store.write(
                    tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r"
                ) { transaction in
                    for number in 0..<150 {
                        let name = try #require(Name("s\(batch)-\(number)"))
                        _ = try await transaction.put(
                            .namespaced(.service, NamespacedName(namespace: shop, name: name), in: mesh),
                            metadata: ObjectLabels(), spec: [:])
                    }
                }
            }
            let all = try await api.watch(Self.services) { try await $0.events(through: "synced") }
            #expect(all.count == 1 + 450 + 1)
            #expect(Set(all.map(\.summary)).count == all.count, "nothing comes twice")
            #expect(all.filter { $0.id != nil }.count == 5, "one id a revision")
            // Resumed from before all of them, through the feed.
            let first = try #require(all.first?.id)
            let again = try await api.watch(Self.services, ["Last-Event-ID": "\(first)"]) {
                try await $0.events(through: "synced")
            }
            #expect(again.map(\.summary).sorted() == all.dropFirst().map(\.summary).sorted())
        }
    }
}
