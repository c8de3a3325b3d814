import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshModel
import MeshStore
import Testing

@Suite("Services and what releases have made of them")
struct PromotionTests {
    private static let service = Fixture.shop + "/services/reviews"
    private static let retired = ServiceStatus(
        stableVersion: Name("v2"), promotions: [.init(from: Name.defaultVersion, at: Timestamp(microseconds: 1))])

    /// A rule for everybody that names v1, and one for some.
    private static let rules: JSONValue = [
        "spec": [
            "hosts": ["reviews"],
            "http": [
                [
                    "match": [["headers": ["x-pin": ["exact": "v1"]]]],
                    "route": [["destination": ["host": "reviews", "subset": "v1"]]],
                ],
                ["timeout": "5s", "route": [["destination": ["host": "reviews", "subset": "v1"]]]],
            ],
        ]
    ]

    private static func put(_ status: ServiceStatus, _ api: Fixture) async throws {
        let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
        let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("reviews")))
        _ = try await api.control.store.write(tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r") {
            try await $0.putStatus(.namespaced(.service, name, in: mesh), status.json)
        }
    }

    private static func warnings(_ answer: Fixture.Answer) -> [String] {
        (answer.body["warnings"]?.arrayValue ?? []).compactMap { $0["detail"]?.stringValue }
    }

    @Test("clearing promotions ends them and tells what moves; pins that never followed do not")
    func clearPromotions() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/reviews", Self.rules).status == 201)
            try await Self.put(Self.retired, api)
            let before = try await api.get(Self.service)
            #expect(before.body["status"]?["promotions"] == [["from": "v1", "at": "1970-01-01T00:00:00.000001Z"]])

            let unknown = try await api.send("POST", Self.service + ":clearPromotions", ["from": "v2"])
            #expect(unknown.status == 400)
            #expect(unknown.errors == ["/from unknownReference"])
            #expect(unknown.body["errors"]?.arrayValue?.first?["choices"] == ["v1"])

            let cleared = try await api.send("POST", Self.service + ":clearPromotions", ["from": "v1"])
            #expect(cleared.status == 200, "\(cleared.text)")
            #expect(cleared.body["status"]?["promotions"] == nil)
            #expect(cleared.body["status"]?["stableVersion"] == "v2")
            #expect(
                Self.warnings(cleared) == [
                    "/spec/http/1 of VirtualService shop/reviews, port 9080, goes to shop/reviews v1 instead of "
                        + "shop/reviews v2"
                ])
            let again = try await api.send("POST", Self.service + ":clearPromotions", [:])
            #expect(again.status == 200, "all of none is none")
            #expect(Self.warnings(again) == [])
        }
    }

    @Test("clearing the stable version clears the promotions too, and a dry run does neither")
    func clearStable() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            try await Self.put(Self.retired, api)
            let dry = try await api.send("POST", Self.service + ":clearStable?validateOnly=true", [:])
            #expect(dry.status == 200)
            #expect(
                Self.warnings(dry) == [
                    "the default route of service shop/reviews, port 9080, goes to all versions of shop/reviews instead of "
                        + "shop/reviews v2"
                ])
            #expect(try await api.get(Self.service).body["status"]?["stableVersion"] == "v2")
            #expect(try await api.send("POST", Self.service + ":clearStable", [:]).status == 200)
            let after = try await api.get(Self.service)
            #expect(after.body["status"]?["stableVersion"] == nil)
            #expect(after.body["status"]?["promotions"] == nil)
        }
    }

    @Test(
        "neither is done while a release is active, nor for who may not promote", arguments: ["Stable", "Promotions"])
    func refused(_ verb: String) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let path = "\(Self.service):clear\(verb)"
            let key = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["id": "dev", "role": "developer"])
            let token = try #require(key.body["token"]?.stringValue, "\(key.text)")
            let forbidden = try await api.send("POST", path, [:], token: token)
            #expect(forbidden.status == 403)
            #expect(forbidden.body["permission"]?.stringValue == "services.clear\(verb)")
            #expect(try await api.send("PUT", Fixture.shop + "/releases/r", Fixture.release).status == 201)
            #expect(try await api.send("POST", Fixture.shop + "/releases/r:start", [:]).status == 200)
            let conflict = try await api.send("POST", path, [:])
            #expect(conflict.status == 409)
            #expect(conflict.body["usedBy"] == [["kind": "Release", "name": "r"]])
        }
    }

    @Test("a version stays while it is in charge, or while an endpoint, a release or a rule names it; all are told")
    func removal() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/reviews", Self.rules).status == 201)
            let other: JSONValue = [
                "spec": [
                    "hosts": ["ratings"],
                    "http": [["route": [["destination": ["host": "reviews.shop", "subset": "v1"]]]]],
                ]
            ]
            let ratings: JSONValue = ["spec": ["ports": [["name": "http", "port": 80]]]]
            let elsewhere = Fixture.mesh + "/namespaces/elsewhere"
            #expect(try await api.send("PUT", elsewhere + "/services/ratings", ratings).status == 201)
            #expect(try await api.send("PUT", elsewhere + "/virtualServices/other", other).status == 201)
            #expect(try await api.send("PUT", Fixture.shop + "/releases/r", Fixture.release).status == 201)
            #expect(try await api.send("POST", Fixture.shop + "/releases/r:start", [:]).status == 200)
            try await Self.put(ServiceStatus(stableVersion: Name("v1")), api)

            var spec = try await api.get(Self.service).body["spec"] ?? [:]
            spec = spec.replacing("versions", with: [["name": "v2"]])
            let refused = try await api.send("PUT", Self.service, ["spec": spec], ["If-Match": "*"])
            #expect(refused.status == 409)
            #expect(refused.code == "inUse")
            #expect(
                (refused.body["errors"]?.arrayValue ?? []).map { $0["detail"]?.stringValue } == [
                    "version v1 cannot be removed: it is the stable version; promote another one, or clearStable",
                    "version v1 cannot be removed: release r is about it",
                    "version v1 cannot be removed: Endpoint shop/reviews/e1 names it at /spec/version",
                    "version v1 cannot be removed: VirtualService elsewhere/other names it at /spec/http/0/route/0/destination",
                    "version v1 cannot be removed: VirtualService shop/reviews names it at /spec/http/0/route/0/destination",
                    "version v1 cannot be removed: VirtualService shop/reviews names it at /spec/http/1/route/0/destination",
                ])
            let unused = spec.replacing("versions", with: [["name": "v1"], ["name": "v2"], ["name": "v3"]])
            for versions in [unused, unused.replacing("versions", with: [["name": "v1"], ["name": "v2"]])] {
                #expect(try await api.send("PUT", Self.service, ["spec": versions], ["If-Match": "*"]).status == 200)
            }
        }
    }

    @Test("a service stays while a rule sends requests to it, and can go when none does")
    func deletion() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/reviews", Self.rules).status == 201)
            for endpoint in ["e1", "e2"] {
                #expect(
                    try await api.send(
                        "DELETE", "\(Self.service)/endpoints/\(endpoint)", headers: ["If-Match": "*"]
                    ).status == 204)
            }
            let refused = try await api.send("DELETE", Self.service, headers: ["If-Match": "*"])
            #expect(refused.status == 409)
            #expect(refused.body["usedBy"] == [["kind": "VirtualService", "namespace": "shop", "name": "reviews"]])
            let rules = Fixture.shop + "/virtualServices/reviews"
            #expect(try await api.send("DELETE", rules, headers: ["If-Match": "*"]).status == 204)
            #expect(try await api.send("DELETE", Self.service, headers: ["If-Match": "*"]).status == 204)
        }
    }
}

extension Name {
    fileprivate static var defaultVersion: Name {
        guard let name = Name("v1") else { preconditionFailure("v1 is a name") }
        return name
    }
}

extension JSONValue {
    fileprivate func replacing(_ member: String, with value: JSONValue) -> JSONValue {
        var members = objectValue ?? [:]
        members[member] = value
        return .object(members)
    }
}
