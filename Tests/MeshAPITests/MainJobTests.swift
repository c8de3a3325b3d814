import Documents
import HTTPTypes
import Testing

@testable import MeshAPI

@Suite("The main job, call by call")
struct MainJobTests {
    @Test("works as the design says it")
    func mainJob() async throws {
        try await Fixture.run { api in
            #expect(try await api.send("PUT", "/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).status == 201)

            let created = try await api.send(
                "POST", "/v1/tenants/acme/clusters",
                ["metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]]])
            #expect(created.status == 202)
            #expect(created.body["metadata"]?["verb"] == "mesh:enable")
            let location = try #require(created.headers[.location])
            #expect(created.headers[.retryAfter] != nil)
            #expect(try await api.get(location).body["done"] == true)
            #expect(try await api.get("/v1/tenants/acme/clusters/dev/mesh").body["status"]?["phase"] == "Enabled")

            let disabled = try await api.send("POST", "/v1/tenants/acme/clusters/dev/mesh:disable", [:])
            #expect(disabled.status == 202)
            #expect(try await api.get("/v1/tenants/acme/clusters/dev/mesh").body["status"]?["phase"] == "Disabled")
            let enabled = try await api.send(
                "POST", "/v1/tenants/acme/clusters/dev/mesh:enable",
                ["spec": ["mesh": "default", "injection": ["namespaces": ["shop"]]]])
            #expect(enabled.status == 202, "\(enabled.text)")
            let mesh = try await api.get("/v1/tenants/acme/clusters/dev/mesh").body
            #expect(mesh["status"]?["phase"] == "Enabled")
            #expect(mesh["spec"]?["injection"]?["namespaces"] == ["shop"])

            try await services(api)
            try await bootstrap(api)
            try await release(api)
        }
    }

    private func services(_ api: Fixture) async throws {
        let shop = Fixture.shop
        let service = try await api.send("PUT", "\(shop)/services/reviews", Fixture.reviews)
        #expect(service.status == 201)
        #expect(service.body["kind"] == "Service")
        #expect(service.body["metadata"]?["namespace"] == "shop")
        #expect(service.headers[.location] == "\(shop)/services/reviews")
        for (name, version) in [("e1", "v1"), ("e2", "v2")] {
            let answer = try await api.send(
                "PUT", "\(shop)/services/reviews/endpoints/\(name)", Fixture.endpoint(version, 18_081))
            #expect(answer.status == 201, "\(answer.text)")
        }
        let rules: JSONValue = [
            "spec": [
                "hosts": ["reviews"],
                "http": [
                    [
                        "route": [
                            ["destination": ["host": "reviews", "subset": "v1"], "weight": 80],
                            ["destination": ["host": "reviews", "subset": "v2"], "weight": 20],
                        ]
                    ]
                ],
            ]
        ]
        let answer = try await api.send("PUT", "\(shop)/virtualServices/reviews", rules)
        #expect(answer.status == 201, "\(answer.text)")

        let simulated = try await api.send(
            "POST", "\(shop)/services/reviews:simulate",
            ["request": ["method": "GET", "path": "/", "headers": [:], "cookies": [:]]])
        #expect(simulated.status == 200, "\(simulated.text)")
        #expect(simulated.body["matched"]?["kind"] == "VirtualService")
        let shares = simulated.body["destinations"]?.arrayValue?.map { ($0["version"], $0["shareBp"]) } ?? []
        #expect(shares.map(\.0) == ["v1", "v2"])
        #expect(shares.map(\.1) == [8000, 2000])
    }

    private func bootstrap(_ api: Fixture) async throws {
        let path =
            Fixture.mesh
            + "/proxies/productpage-1/bootstrap?namespace=shop&service=productpage&cluster=dev&httpProxyPort=15080&adminPort=15000"
        let yaml = try await api.get(path)
        #expect(yaml.status == 200, "\(yaml.text)")
        #expect(yaml.headers[.contentType] == "application/yaml")
        #expect(yaml.headers[.cacheControl] == "no-store")
        #expect(yaml.text.contains("id: shop/productpage-1"))
        let json = try await api.get(path, ["Accept": "application/json"])
        #expect(json.body["port"] == 15080)
        #expect(json.body["token"]?.stringValue?.split(separator: ".").count == 3)
        #expect(try await api.get(Fixture.mesh + "/proxies").body["items"] == [])
    }

    private func release(_ api: Fixture) async throws {
        let path = Fixture.shop + "/releases/reviews-v2"
        let created = try await api.send("PUT", path, Fixture.release)
        #expect(created.status == 201, "\(created.text)")
        #expect(created.body["spec"]?["port"] == nil, "all ports, also those that the service gets later")
        #expect(created.body["spec"]?["promotion"] == nil, "its default depends on the scope")
        #expect(created.body["status"]?["phase"] == "Draft")
        let byHand = try await api.send("POST", "\(path):start", [:])
        #expect(byHand.code == "canaryWeight", "the rule has given v2 a fifth so far")
        let rules: JSONValue = [
            "spec": [
                "hosts": ["reviews"], "http": [["route": [["destination": ["host": "reviews", "subset": "v1"]]]]],
            ]
        ]
        let yielded = try await api.send(
            "PUT", Fixture.shop + "/virtualServices/reviews", rules, ["If-Match": "*"])
        #expect(yielded.status == 200, "\(yielded.text)")
        let started = try await api.send("POST", "\(path):start", [:])
        #expect(started.status == 200, "\(started.text)")
        let current = try await api.get(path)
        #expect(current.body["status"]?["traffic"]?["desired"] == ["canary": 2000, "stable": 8000])
        #expect(current.body["status"]?["traffic"]?["applied"]?["totalProxies"] == 0)
        #expect(current.body["status"]?["phase"] != "Draft")

        let second = try await api.send("PUT", Fixture.shop + "/releases/second", Fixture.release)
        #expect(second.status == 201)
        let refused = try await api.send("POST", Fixture.shop + "/releases/second:start", [:])
        #expect(refused.status == 409)
        #expect(refused.body["activeRelease"] == "reviews-v2")

        let illegal = try await api.send("POST", "\(path):start", [:])
        #expect(illegal.status == 409)
        #expect(illegal.body["allowedActions"]?.arrayValue?.contains("abort") == true)
        let rolledBack = try await api.send("POST", "\(path):rollback", ["reason": "test"])
        #expect(rolledBack.status == 200, "\(rolledBack.text)")
        let events = try await api.get("\(path)/events").body["items"]?.arrayValue ?? []
        #expect(events.first?["type"] == "Started")
        #expect(events.first?["actor"] == "platformAdministrator")
    }
}
