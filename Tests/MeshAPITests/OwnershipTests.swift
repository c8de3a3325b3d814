import Documents
import MeshControl
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import Testing

@testable import MeshAPI

@Suite("A host has one owner")
struct OwnershipTests {
    private static let ops = Fixture.mesh + "/namespaces/ops"

    /// Rules that send everything for a host to one version of it.
    static func rules(_ host: String, _ version: String = "v1", _ extra: JSONValue = [:]) -> JSONValue {
        [
            "spec": JSONValue.object([
                "hosts": [.string(host)],
                "http": [["route": [["destination": ["host": .string(host), "subset": .string(version)]]]]],
            ]).merged(with: extra)
        ]
    }

    private static let policies: JSONValue = ["spec": ["host": "reviews", "trafficPolicy": [:]]]

    private func key(_ api: Fixture, namespaces: JSONValue) async throws -> String {
        let body: JSONValue = ["role": "developer", "namespaces": namespaces]
        let answer = try await api.send("POST", "/v1/tenants/acme/apiKeys", body)
        return try #require(answer.body["token"]?.stringValue)
    }

    @Test("a second VirtualService for a host is refused with the owner's name, however the host is spelled")
    func virtualServices() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/a", Self.rules("reviews")).status == 201)
            let second = Fixture.shop + "/virtualServices/b"
            for host in ["reviews", "reviews.shop", "reviews.shop.svc", "reviews.shop.svc.cluster.local"] {
                let refused = try await api.send("PUT", second, Self.rules(host))
                #expect(refused.status == 422)
                #expect(refused.code == "hostOwned")
                #expect(refused.errors == ["/spec/hosts/0 conflict"])
                #expect(refused.body["owner"] == ["kind": "VirtualService", "namespace": "shop", "name": "a"])
                #expect(refused.body["detail"]?.stringValue?.contains("VirtualService shop/a") == true)
            }
            #expect(try await api.get(second).status == 404)
            // The owner may be written again, and others when it is gone.
            let any = ["If-Match": "*"]
            #expect(
                try await api.send("PUT", Fixture.shop + "/virtualServices/a", Self.rules("reviews", "v2"), any).status
                    == 200)
            #expect(try await api.send("DELETE", Fixture.shop + "/virtualServices/a", headers: any).status == 204)
            #expect(try await api.send("PUT", second, Self.rules("reviews.shop")).status == 201)
        }
    }

    @Test("an older VirtualService cannot take a host over by naming it later")
    func olderTakesNothing() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/services/cart", Fixture.reviews).status == 201)
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/a", Self.rules("cart")).status == 201)
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/b", Self.rules("reviews")).status == 201)
            let both = Self.rules("cart", "v1", ["hosts": ["cart", "reviews"]])
            let refused = try await api.send(
                "PUT", Fixture.shop + "/virtualServices/a", both, ["If-Match": "*"])
            #expect(refused.status == 422)
            #expect(refused.errors == ["/spec/hosts/1 conflict"])
            #expect(refused.body["owner"]?["name"] == "b")
        }
    }

    @Test("of many who want one host at the same moment one gets it")
    func races() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await Self.statuses(api, "virtualServices", Self.rules("reviews")) == Self.oneOfMany)
            #expect(try await Self.statuses(api, "destinationRules", Self.policies) == Self.oneOfMany)
        }
    }

    @Test("so it is at a replica that has not heard of the host yet", arguments: 0..<3)
    func racesUnheard(_ round: Int) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            // Nothing signals changes here, so what comes later is not in this replica's memory.
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            _ = try await api.control.mirror.state(of: mesh, atLeast: .max)
            #expect(try await api.send("PUT", Fixture.shop + "/services/cart", Fixture.reviews).status == 201)
            #expect(try await Self.statuses(api, "virtualServices", Self.rules("cart")) == Self.oneOfMany)
            let policies: JSONValue = ["spec": ["host": "cart", "trafficPolicy": [:]]]
            #expect(try await Self.statuses(api, "destinationRules", policies) == Self.oneOfMany)
        }
    }

    private static let oneOfMany = [201] + Array(repeating: 422, count: 7)

    /// The statuses of eight writes at the same moment, sorted.
    private static func statuses(_ api: Fixture, _ collection: String, _ body: JSONValue) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask { try await api.send("PUT", Fixture.shop + "/\(collection)/r\(number)", body).status }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
    }

    @Test("a VirtualService of another namespace needs to be let in, and the right to write there if it is not")
    func otherNamespaces() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let narrow = try await key(api, namespaces: ["ops"])
            let wide = try await key(api, namespaces: ["ops", "shop"])
            let foreign = Self.ops + "/virtualServices/x"

            let forbidden = try await api.send("PUT", foreign, Self.rules("reviews.shop"), token: narrow)
            #expect(forbidden.status == 403)
            #expect(forbidden.body["namespace"] == "shop")
            #expect(forbidden.body["permission"] == "virtualServices.write")
            #expect(forbidden.body["pointer"] == "/spec/hosts/0")
            // Nobody has let it in: it would not be in force, whoever writes it.
            let homeless = try await api.send("PUT", foreign, Self.rules("reviews.shop"), token: wide)
            #expect(homeless.status == 422)
            #expect(homeless.errors == ["/spec/hosts/0 conflict"])

            let owner = Fixture.shop + "/virtualServices/a"
            #expect(try await api.send("PUT", owner, Self.rules("reviews")).status == 201)
            let owned = try await api.send("PUT", foreign, Self.rules("reviews.shop"), token: wide)
            #expect(owned.status == 422)
            #expect(owned.body["owner"]?["name"] == "a")

            let delegating = Self.rules(
                "reviews", "v1", ["delegateHosts": [["host": "reviews.shop", "namespaces": ["ops"]]]])
            #expect(try await api.send("PUT", owner, delegating, ["If-Match": "*"]).status == 200)
            #expect(try await api.send("PUT", foreign, Self.rules("reviews.shop", "v2"), token: narrow).status == 201)
            let simulated = try await api.send(
                "POST", Fixture.shop + "/services/reviews:simulate", ["request": ["path": "/"]])
            #expect(simulated.body["matched"]?["namespace"] == "ops")
            #expect(simulated.body["destinations"]?.arrayValue?.first?["version"] == "v2")
            let third = try await api.send("PUT", Self.ops + "/virtualServices/y", Self.rules("reviews.shop"))
            #expect(third.status == 422)
            #expect(third.body["owner"] == ["kind": "VirtualService", "namespace": "ops", "name": "x"])
        }
    }

    @Test("a row of another namespace that was written before there was this rule decides about nothing")
    func oldRows() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let name = NamespacedName(namespace: try #require(Name("ops")), name: try #require(Name("evil")))
            _ = try await api.control.store.write(
                tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "1"
            ) { transaction in
                try await transaction.put(
                    .namespaced(.virtualService, name, in: mesh), metadata: .init(),
                    spec: Self.rules("reviews.shop", "v2")["spec"] ?? [:])
            }
            let simulated = try await api.send(
                "POST", Fixture.shop + "/services/reviews:simulate", ["request": ["path": "/"]])
            #expect(simulated.body["matched"]?["kind"] == "Service")
            // Nor does it keep the service's own namespace from having rules.
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/a", Self.rules("reviews")).status == 201)
        }
    }

    @Test("only a host of one's own can be let go")
    func delegations() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let cases: [(JSONValue, [String])] = [
                ([["host": "ratings", "namespaces": ["ops"]]], ["/spec/delegateHosts/0/host invalidValue"]),
                ([["host": "reviews", "namespaces": []]], ["/spec/delegateHosts/0/namespaces required"]),
                ([["host": "reviews", "namespaces": ["Ops"]]], ["/spec/delegateHosts/0/namespaces/0 invalidFormat"]),
                ([["host": "reviews", "namespaces": ["a", "a"]]], ["/spec/delegateHosts/0/namespaces/1 duplicate"]),
                ([["namespaces": ["a"]]], ["/spec/delegateHosts/0/host required"]),
                ("ops", ["/spec/delegateHosts wrongType"]),
            ]
            for (delegation, errors) in cases {
                let answer = try await api.send(
                    "PUT", Fixture.shop + "/virtualServices/a",
                    Self.rules("reviews", "v1", ["delegateHosts": delegation]))
                #expect(answer.status == 400)
                #expect(answer.errors == errors)
            }
        }
    }

    @Test("a second DestinationRule for a host is refused with the first one's name")
    func destinationRules() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/destinationRules/d1", Self.policies).status == 201)
            let refused = try await api.send(
                "PUT", Fixture.shop + "/destinationRules/d2", ["spec": ["host": "reviews.shop"]])
            #expect(refused.status == 422)
            #expect(refused.errors == ["/spec/host conflict"])
            #expect(refused.body["owner"] == ["kind": "DestinationRule", "namespace": "shop", "name": "d1"])
            let again = try await api.send(
                "PUT", Fixture.shop + "/destinationRules/d1", Self.policies, ["If-Match": "*"])
            #expect(again.status == 200)
        }
    }

    @Test(
        "a DestinationRule stays as long as rules name subsets that would mean something else without it"
    )
    func subsetsInUse() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let policies = Fixture.shop + "/destinationRules/reviews"
            func declare(_ name: String, version: String = "v1") async throws {
                let subset: JSONValue = ["name": .string(name), "labels": ["version": .string(version)]]
                let spec: JSONValue = ["host": "reviews", "subsets": [subset]]
                #expect(try await api.send("PUT", policies, ["spec": spec], ["If-Match": "*"]).status < 300)
            }
            func delete() async throws -> Fixture.Answer {
                try await api.send("DELETE", policies, headers: ["If-Match": "*"])
            }
            #expect(try await api.send("PUT", policies, ["spec": ["host": "reviews"]]).status == 201)
            try await declare("stable")
            let rules = Fixture.shop + "/virtualServices/reviews"
            #expect(try await api.send("PUT", rules, Self.rules("reviews", "stable")).status == 201)
            let refused = try await delete()
            #expect(refused.status == 409 && refused.code == "inUse", "\(refused.text)")
            #expect(refused.body["usedBy"] == [["kind": "VirtualService", "namespace": "shop", "name": "reviews"]])
            let dry = try await api.send("DELETE", policies + "?validateOnly=true", headers: ["If-Match": "*"])
            #expect(dry.status == 409)

            let plain = try await api.send("PUT", rules, Self.rules("reviews", "v1"), ["If-Match": "*"])
            #expect(plain.status == 200, "\(plain.text)")
            try await declare("v1", version: "v2")
            #expect(try await delete().status == 409)
            try await declare("v1")
            #expect(try await delete().status == 204)
        }
    }
}
