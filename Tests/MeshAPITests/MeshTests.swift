import Documents
import HTTPTypes
import MeshCore
import MeshStore
import Testing

@testable import MeshAPI

@Suite("Meshes are objects of their tenant")
struct MeshTests {
    private static let meshes = "/v1/tenants/acme/meshes"

    private static func names(_ api: Fixture) async throws -> [String] {
        let items = try await api.get(meshes).body["items"]?.arrayValue ?? []
        return items.compactMap { $0["metadata"]?["name"]?.stringValue }
    }

    @Test("the default one comes and goes with the tenant, and stays as long")
    func standard() async throws {
        try await Fixture.run { api in
            #expect(try await api.send("PUT", "/v1/tenants/acme", ["spec": [:]]).status == 201)
            let found = try await api.get(Self.meshes + "/default")
            #expect(found.status == 200, "\(found.text)")
            #expect(found.body["kind"] == "Mesh" && found.body["metadata"]?["tenant"] == "acme")
            #expect(try await Self.names(api) == ["default"])
            let named = try await api.send(
                "PATCH", Self.meshes + "/default", ["spec": ["displayName": "Main"]], ["If-Match": found.tag])
            #expect(named.status == 200 && named.body["spec"] == ["displayName": "Main"], "\(named.text)")
            let refused = try await api.send("DELETE", Self.meshes + "/default", headers: ["If-Match": "*"])
            #expect(refused.status == 409 && refused.code == "inUse")
            #expect(try await api.send("DELETE", "/v1/tenants/acme", headers: ["If-Match": "*"]).status == 204)
            #expect(try await api.get(Self.meshes + "/default").status == 404)
            #expect(try await api.send("PUT", "/v1/tenants/acme", ["spec": [:]]).status == 201)
            #expect(try await api.get(Self.meshes + "/default").body["spec"] == [:])
        }
    }

    @Test("one that is deleted while something is written into it stays, and says why")
    func deletionRaces() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for number in 0..<10 {
                let mesh = Self.meshes + "/m\(number)"
                #expect(try await api.send("PUT", mesh, ["spec": [:]]).status == 201)
                async let written = api.send("PUT", mesh + "/namespaces/shop/services/reviews", Fixture.reviews)
                async let deleted = api.send("DELETE", mesh, headers: ["If-Match": "*"])
                let statuses = try await [written.status, deleted.status]
                if statuses == [201, 503] {
                    let deletion = try await deleted
                    #expect(deletion.body["detail"] == "something was written into it at the same moment")
                } else {
                    #expect(statuses == [201, 409] || statuses == [404, 204], "\(statuses)")
                }
            }
        }
    }

    @Test("another one is used like the first, and can go when nothing is in it")
    func another() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let service = Self.meshes + "/blue/namespaces/shop/services/reviews"
            #expect(try await api.send("PUT", service, Fixture.reviews).status == 404)
            let created = try await api.send("PUT", Self.meshes + "/blue", ["spec": [:]])
            #expect(created.status == 201, "\(created.text)")
            #expect(try await Self.names(api) == ["blue", "default"])
            let written = try await api.send("PUT", service, Fixture.reviews)
            #expect(written.status == 201, "\(written.text)")
            // Revisions are each mesh's own.
            #expect(written.body["metadata"]?["revision"] == 2)
            let cluster: JSONValue = [
                "metadata": ["name": "far"], "spec": ["kind": "universal", "mesh": ["enabled": true, "mesh": "blue"]],
            ]
            #expect(try await api.send("POST", "/v1/tenants/acme/clusters", cluster).status == 202)

            let unknown = try await api.send(
                "POST", "/v1/tenants/acme/clusters/dev/mesh:enable", ["spec": ["mesh": "green"]])
            #expect(unknown.body["errors"]?.arrayValue?.first?["choices"] == ["blue", "default"], "\(unknown.text)")

            func delete() async throws -> Fixture.Answer {
                try await api.send("DELETE", Self.meshes + "/blue", headers: ["If-Match": "*"])
            }
            #expect(try await delete().body["usedBy"]?.arrayValue?.map { $0["kind"] } == ["Service", "Cluster"])
            #expect(try await api.send("DELETE", service, headers: ["If-Match": "*"]).status == 204)
            let disabled = try await api.send("POST", "/v1/tenants/acme/clusters/far/mesh:disable", [:])
            #expect(disabled.status == 202, "\(disabled.text)")
            let tenant = try await api.send("DELETE", "/v1/tenants/acme", headers: ["If-Match": "*"])
            #expect(tenant.status == 409)
            #expect(try await delete().status == 204)
            #expect(try await api.send("PUT", service, Fixture.reviews).status == 404)
            #expect(try await api.send("PUT", Self.meshes + "/blue", ["spec": [:]]).status == 201)
            // It is another one, which begins anew.
            #expect(try await api.send("PUT", service, Fixture.reviews).body["metadata"]?["revision"] == 2)
        }
    }

    @Test("a key that is narrowed to a mesh sees that one")
    func narrowed() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for mesh in ["blue", "green"] {
                #expect(try await api.send("PUT", Self.meshes + "/\(mesh)", ["spec": [:]]).status == 201)
            }
            let key = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["role": "meshAdmin", "meshes": ["blue"]])
            let token = try #require(key.body["token"]?.stringValue)
            #expect(try await api.get(Self.meshes + "/blue", token: token).status == 200)
            #expect(try await api.get(Self.meshes + "/green", token: token).status == 403)
            #expect(try await api.get(Self.meshes, token: token).status == 403)
            let named: JSONValue = ["spec": ["displayName": "B"]]
            let change = try await api.send(
                "PUT", Self.meshes + "/blue", named, ["If-Match": "*"], token: token)
            #expect(change.status == 200, "\(change.text)")
            let created = try await api.send("PUT", Self.meshes + "/red", ["spec": [:]], token: token)
            #expect(created.status == 403)
        }
    }

    @Test("a tenant has so many at most")
    func limit() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for index in 1..<19 {
                #expect(try await api.send("PUT", Self.meshes + "/m\(index)", ["spec": [:]]).status == 201)
            }
            // For one more there is room, however many come at the same time.
            let answers = try await withThrowingTaskGroup(of: Fixture.Answer.self) { group in
                for index in 0..<6 {
                    group.addTask { try await api.send("PUT", Self.meshes + "/more\(index)", ["spec": [:]]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0.status == 201 }.count == 1)
            for refused in answers where refused.status != 201 {
                #expect(refused.status == 400 && refused.errors == [" tooMany"])
                #expect(refused.text.contains("at most 20 meshes (limit meshesPerTenant)"))
            }
            let changed = try await api.send(
                "PUT", Self.meshes + "/m1", ["spec": ["displayName": "One"]], ["If-Match": "*"])
            #expect(changed.status == 200)
        }
    }
}
