import Documents
import HTTPTypes
import MeshControl
import Testing

@testable import MeshAPI

@Suite("Who may see what")
struct AccessTests {
    private func key(_ api: Fixture, _ tenant: String, _ role: String, _ extra: JSONValue = [:]) async throws -> String
    {
        let body = JSONValue.object(["role": .string(role)]).merged(with: extra)
        let answer = try await api.send("POST", "/v1/tenants/\(tenant)/apiKeys", body)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.body["token"]?.stringValue)
    }

    @Test("another tenant's objects are not there; its own may be forbidden")
    func tenants() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", "/v1/tenants/other", ["spec": [:]]).status == 201)
            let other = try await key(api, "other", "tenantAdmin")
            let paths = [
                "/v1/tenants/acme", "/v1/tenants/acme/clusters", "/v1/tenants/acme/clusters/dev",
                "/v1/tenants/acme/clusters/dev/mesh", Fixture.shop + "/services", Fixture.shop + "/services/reviews",
                Fixture.shop + "/services/reviews/endpoints/e1", Fixture.mesh + "/proxies", "/v1/tenants/acme/apiKeys",
                "/v1/tenants/acme/operations/00000000-0000-0000-0000-000000000000",
            ]
            for path in paths {
                let answer = try await api.get(path, token: other)
                #expect(answer.status == 404, "\(path): \(answer.text)")
            }
            let write = try await api.send("PUT", Fixture.shop + "/services/x", Fixture.reviews, token: other)
            #expect(write.status == 404)
            #expect(try await api.get("/v1/tenants/nobody", token: other).status == 404)
            let mine = try await api.get("/v1/tenants", token: other).body["items"]?.arrayValue ?? []
            #expect(mine.map { $0["metadata"]?["name"] } == ["other"])

            let viewer = try await key(api, "acme", "viewer")
            #expect(try await api.get(Fixture.shop + "/services/reviews", token: viewer).status == 200)
            let refused = try await api.send("PUT", Fixture.shop + "/services/x", Fixture.reviews, token: viewer)
            #expect(refused.status == 403)
            #expect(refused.body["permission"] == "services.write")
            let tenant = try await api.send("PUT", "/v1/tenants/fresh", ["spec": [:]], token: viewer)
            #expect(tenant.status == 404)
        }
    }

    @Test("a key that is narrowed to a namespace stays in it")
    func narrowing() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let token = try await key(api, "acme", "developer", ["namespaces": ["shop"]])
            #expect(try await api.get(Fixture.shop + "/services/reviews", token: token).status == 200)
            #expect(try await api.get(Fixture.mesh + "/namespaces/bank/services", token: token).status == 403)
            #expect(try await api.get("/v1/tenants/acme/clusters", token: token).status == 403)
        }
    }

    @Test("a token that is not valid is refused, a revoked one after a few seconds at most")
    func tokens() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for token in ["wrong", "", String(repeating: "x", count: 5000), Fixture.adminToken + "x"] {
                let answer = try await api.get("/v1/whoami", token: token)
                #expect(answer.status == 401)
                #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
            }
            #expect(try await api.get("/v1/whoami", token: nil).status == 401)
            #expect(try await api.get("/v1/whoami", ["Authorization": "Basic abc"], token: nil).status == 401)

            let created = try await api.send("POST", "/v1/tenants/acme/apiKeys", ["id": "ci", "role": "developer"])
            let token = try #require(created.body["token"]?.stringValue)
            let list = try await api.get("/v1/tenants/acme/apiKeys")
            #expect(!list.text.contains(token))
            #expect(list.body["items"]?.arrayValue?.first?["id"] == "ci")
            #expect(try await api.send("DELETE", "/v1/tenants/acme/apiKeys/ci").status == 204)
            #expect(try await api.get("/v1/whoami", token: token).status == 401)
            let platform = try await api.send("POST", "/v1/tenants/acme/apiKeys", ["role": "platformAdmin"])
            #expect(platform.errors == ["/role invalidValue"])
        }
    }
}
