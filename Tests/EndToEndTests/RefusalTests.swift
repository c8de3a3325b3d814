import Documents
import MeshLab
import TestSupport
import Testing

/// What a real Envoy refuses, from its words to the object that they are about.
@Suite("What Envoy refuses", .serialized)
struct RefusalTests {
    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let rules = mesh + "/namespaces/shop/virtualServices/reviews"

    /// An empty regex is good RE2, but Envoy wants one that is not empty (`RegexMatcher.regex` of its type.matcher.v3).
    private static func rules(regex: String) -> JSONValue {
        let destination: JSONValue = ["destination": ["host": "reviews", "subset": "v1"]]
        return [
            "spec": [
                "hosts": ["reviews"],
                "http": [
                    ["match": [["uri": ["prefix": "/a"]]], "route": [destination]],
                    [
                        "match": [["uri": ["prefix": "/b"]], ["uri": ["regex": .string(regex)]]],
                        "route": [destination],
                    ],
                    ["route": [destination]],
                ],
            ]
        ]
    }

    @Test("is told with the proxy, and by the object itself as long as it is so", arguments: ["delta", "sotw"])
    func virtualService(_ variant: String) async throws {
        try await TestTools.withServer { server, directory in
            let api = server.api
            try await Self.prepare(api)
            try await api.put(Self.rules, Self.rules(regex: "/c.*")).expectingSuccess("virtual service")
            let sidecar = try await Sidecar(
                name: "productpage-1", service: "productpage", namespace: "shop", cluster: "dev", mesh: Self.mesh,
                api: api, envoy: TestTools.envoy(), directory: directory, variant: variant)
            do {
                try await Self.refuse(api)
            } catch {
                await sidecar.stop()
                throw error
            }
            await sidecar.stop()
        }
    }

    private static func refuse(_ api: APIClient) async throws {
        try await eventually("the sidecar has its routes") {
            try await api.get("\(mesh)/proxies/productpage-1").body["types"]?["RDS"]?["state"] == "synced"
        }
        #expect(try await accepted(api)["status"] == "True")
        let config = try await api.get("\(mesh)/proxies/productpage-1/config?type=RDS").body
        #expect(config["types"]?["RDS"]?["source"] == "stream")
        let routes = config["items"]?.arrayValue?.first
        #expect(routes?["name"] == "http_proxy" && routes?["resource"]?["virtual_hosts"]?.arrayValue?.count == 2)
        let difference = try await api.get("\(mesh)/proxies/productpage-1/config?diff=true").body
        #expect(difference["items"] == [], "it has all that there is")
        try await refuseRules(api)
    }

    private static func refuseRules(_ api: APIClient) async throws {
        try await api.put(rules, rules(regex: ""), headers: ["If-Match": "*"]).expectingSuccess("rules")
        try await eventually("the object says that it is refused") {
            try await accepted(api)["status"] == "False"
        }
        let condition = try await accepted(api)
        let message = condition["message"]?.stringValue ?? ""
        #expect(condition["reason"] == "ProxyRejected")
        #expect(message.hasPrefix("1 of 1 proxies rejects /spec/http/1/match/1/uri/regex: "), "\(message)")
        #expect(message.contains("RegexMatcherValidationError.Regex"), "\(message)")

        let proxy = try await api.get("\(mesh)/proxies/productpage-1").body
        let routes = proxy["types"]?["RDS"]
        #expect(routes?["state"] == "rejected" && proxy["types"]?["CDS"]?["state"] == "synced")
        let rejection = routes?["rejections"]?.arrayValue?.first
        #expect(rejection?["resource"] == "http_proxy")
        #expect(rejection?["object"] == ["kind": "VirtualService", "namespace": "shop", "name": "reviews"])
        #expect(rejection?["pointer"] == "/spec/http/1/match/1/uri/regex")

        try await api.put(rules, rules(regex: "/d.*"), headers: ["If-Match": "*"]).expectingSuccess("rules")
        try await eventually("the object is accepted again") { try await accepted(api)["status"] == "True" }
        try await eventually("the sidecar is in step again") {
            let proxy = try await api.get("\(mesh)/proxies/productpage-1").body
            return proxy["types"]?["RDS"]?["state"] == "synced" && proxy["lastError"] == nil
        }
    }

    private static func accepted(_ api: APIClient) async throws -> JSONValue {
        let conditions = try await api.get(rules).body["status"]?["conditions"]?.arrayValue ?? []
        return conditions.first { $0["type"] == "Accepted" } ?? .null
    }

    private static func prepare(_ api: APIClient) async throws {
        try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
        let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
        try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
        let service: JSONValue = [
            "spec": [
                "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]], "versions": [["name": "v1"]],
            ]
        ]
        try await api.put("\(mesh)/namespaces/shop/services/reviews", service).expectingSuccess("service")
    }
}
