import Documents
import MeshLab
import TestSupport
import Testing

/// "The main job, call by call" of the API's contract: REST in, traffic out of a real Envoy.
@Suite("The main job, call by call", .serialized)
struct MainJobTests {
    @Test(
        "Calls of the contract set up a mesh that a real sidecar serves traffic by",
        arguments: TestTools.Envoy.allCases, ["delta", "sotw"])
    func verbatim(envoy: TestTools.Envoy, variant: String) async throws {
        try await TestTools.withServer { server, directory in
            let api = server.api
            let mesh = "/v1/tenants/acme/meshes/default"
            let ports = try (0..<2).map { _ in try FreePort.next() }

            try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
            let created = try await api.post(
                "/v1/tenants/acme/clusters",
                ["metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]]])
            #expect(created.status == 202)
            #expect(created.headers["location"]?.contains("/operations/") == true)
            try await eventually("cluster dev has the mesh") {
                try await api.get("/v1/tenants/acme/clusters/dev/mesh").body["status"]?["phase"] == "Enabled"
            }

            let service: JSONValue = [
                "spec": [
                    "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]],
                    "versions": [["name": "v1"], ["name": "v2"]],
                ]
            ]
            try await api.put("\(mesh)/namespaces/shop/services/reviews", service).expectingSuccess("service")
            for (index, port) in ports.enumerated() {
                let endpoint: JSONValue = [
                    "spec": [
                        "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
                        "version": .string("v\(index + 1)"),
                    ]
                ]
                try await api.put("\(mesh)/namespaces/shop/services/reviews/endpoints/e\(index + 1)", endpoint)
                    .expectingSuccess("endpoint")
            }

            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, port) in ports.enumerated() {
                    group.addTask { try await Workload(version: "v\(index + 1)", port: port).run() }
                }
                defer { group.cancelAll() }
                let sidecar = try await Sidecar(
                    name: "productpage-1", service: "productpage", namespace: "shop", cluster: "dev", mesh: mesh,
                    api: api, envoy: TestTools.envoy(envoy), directory: directory, variant: variant)
                do {
                    try await drive(api, mesh, sidecar)
                } catch {
                    await sidecar.stop()
                    throw error
                }
                await sidecar.stop()
            }
        }
    }

    private func drive(_ api: APIClient, _ mesh: String, _ sidecar: Sidecar) async throws {
        for host in [
            "reviews", "reviews:9080", "reviews.shop", "reviews.shop:9080", "reviews.shop.svc.cluster.local",
            "reviews.shop.svc.cluster.local.", "reviews.shop.svc.cluster.local.:9080",
        ] {
            try await eventually("traffic for Host \(host)") {
                let load = Load(proxy: sidecar.httpProxyPort, host: host)
                await load.once()
                return load.total.successes == 1
            }
        }
        try await rules(api, mesh, sidecar)
        try await release(api, mesh, sidecar)
    }

    private func rules(_ api: APIClient, _ mesh: String, _ sidecar: Sidecar) async throws {
        let answer = try await api.put(
            "\(mesh)/namespaces/shop/virtualServices/reviews", ["spec": SeedExamples.byContent])
        try answer.expectingSuccess("virtual service")
        try await eventually("the cookie group=dev goes to v1 and all else to v2") {
            let developer = Load(proxy: sidecar.httpProxyPort, host: "reviews", headers: [("Cookie", "group=dev")])
            let anybody = Load(proxy: sidecar.httpProxyPort, host: "reviews")
            for _ in 0..<5 {
                await developer.once()
                await anybody.once()
            }
            return developer.total.versions == ["v1": 5] && anybody.total.versions == ["v2": 5]
        }
        try await api.delete("\(mesh)/namespaces/shop/virtualServices/reviews").expectingSuccess("deletion")
    }

    private func release(_ api: APIClient, _ mesh: String, _ sidecar: Sidecar) async throws {
        let path = "\(mesh)/namespaces/shop/releases/reviews-v2"
        let plan: JSONValue = [
            "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": [
                "type": "canary",
                "steps": [["setWeight": 2000], ["pause": [:]], ["setWeight": 10000]],
            ], "retainStable": "1s",
        ]
        try await api.put(path, ["spec": plan]).expectingSuccess("release")
        try await api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("start")
        try await eventually("the release waits at its pause step") {
            try await api.get(path).body["status"]?["phase"] == "Paused"
        }
        let traffic = try await api.get(path).body["status"]?["traffic"]
        #expect(traffic?["desired"]?["canary"] == 2000)
        #expect(traffic?["desired"]?["stable"] == 8000)
        #expect(traffic?["applied"]?["ackedProxies"] == 1)
        #expect(traffic?["applied"]?["totalProxies"] == 1)

        let simulated = try await api.post(
            "\(mesh)/namespaces/shop/services/reviews:simulate",
            ["request": ["method": "GET", "path": "/", "headers": [:], "cookies": [:]]])
        let destinations = simulated.body["destinations"]?.arrayValue ?? []
        #expect(destinations.contains { $0["version"] == "v2" && $0["shareBp"] == 2000 })
        #expect(destinations.contains { $0["version"] == "v1" && $0["shareBp"] == 8000 })

        let load = Load(proxy: sidecar.httpProxyPort, host: "reviews")
        for _ in 0..<2000 { await load.once() }
        // 2000 draws at 20 %: six standard deviations are 5.4 percentage points.
        #expect(abs(load.total.share(of: "v2") - 0.2) < 0.054)
        #expect(load.total.failures == 0, "\(load.total.examples)")

        try await api.post("\(path):resume", headers: ["Idempotency-Key": "resume"]).expectingSuccess("resume")
        try await eventually("the release succeeds") {
            try await api.get(path).body["status"]?["phase"] == "Succeeded"
        }
        try await eventually("all traffic goes to v2") {
            let after = Load(proxy: sidecar.httpProxyPort, host: "reviews")
            for _ in 0..<50 { await after.once() }
            return after.total.versions == ["v2": 50]
        }
    }
}
