import Documents
import HTTPTypes
import Testing

@testable import MeshAPI

@Suite("A mesh's metrics")
struct MeshMetricsTests {
    @Test("are answered to those who may see its proxies, as Prometheus reads them")
    func access() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let path = Fixture.mesh + "/metrics"
            let answer = try await api.get(path)
            #expect(answer.status == 200 && answer.text == "of acme/default\n")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(try await api.get("/v1/tenants/acme/meshes/other/metrics").status == 404)
            #expect(try await api.get(path + "?since=1").status == 400)

            #expect(try await api.send("PUT", "/v1/tenants/other", ["spec": [:]]).status == 201)
            for (tenant, status) in [("acme", 200), ("other", 404)] {
                let key = try await api.send("POST", "/v1/tenants/\(tenant)/apiKeys", ["id": "ci", "role": "viewer"])
                let token = try #require(key.body["token"]?.stringValue)
                #expect(try await api.get(path, ["Authorization": "Bearer \(token)"]).status == status)
            }
        }
    }
}
