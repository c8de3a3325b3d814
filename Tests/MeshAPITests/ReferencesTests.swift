import Documents
import MeshControl
import Testing

@testable import MeshAPI

@Suite("What uses what")
struct ReferencesTests {
    private static let any = ["If-Match": "*"]
    private static let ops = Fixture.mesh + "/namespaces/ops"
    private static let reviews = Fixture.shop + "/services/reviews"

    /// `kind namespace/service/name pointer strength version subset` of each.
    private static func lines(_ list: JSONValue?) -> [String] {
        (list?.arrayValue ?? []).map { item in
            let object = item["object"]
            let place = ["namespace", "service", "name"].compactMap { object?[$0]?.stringValue }.joined(separator: "/")
            let words = [object?["kind"], item["pointer"], item["strength"], item["version"], item["subset"]].map {
                $0?.stringValue ?? "-"
            }
            return "\(words[0]) \(place) \(words.dropFirst().joined(separator: " "))"
        }
    }

    /// Rules for a host that send requests to services.
    private static func rules(for host: String, to destinations: JSONValue...) -> JSONValue {
        ["spec": ["hosts": [.string(host)], "http": .array(destinations.map { ["route": [["destination": $0]]] })]]
    }

    private func prepare(_ api: Fixture) async throws {
        try await api.prepare()
        #expect(try await api.send("PUT", Fixture.shop + "/services/cart", Fixture.reviews).status == 201)
        #expect(try await api.send("PUT", Self.ops + "/services/console", Fixture.reviews).status == 201)
        let cart = Self.rules(for: "cart", to: ["host": "reviews", "subset": "v1"], ["host": "cart"])
        #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/cart", cart).status == 201)
        let console = Self.rules(for: "console", to: ["host": "reviews.shop"])
        #expect(try await api.send("PUT", Self.ops + "/virtualServices/console", console).status == 201)
        let policies: JSONValue = ["spec": ["host": "reviews"]]
        #expect(try await api.send("PUT", Fixture.shop + "/destinationRules/reviews", policies).status == 201)
    }

    @Test("is told in both directions, in pages")
    func directions() async throws {
        try await Fixture.run { api in
            try await prepare(api)
            let rules = try await api.get(Fixture.shop + "/virtualServices/cart:references")
            #expect(rules.status == 200)
            #expect(
                Self.lines(rules.body["uses"]) == [
                    "Service shop/cart /spec/hosts/0 weak - -",
                    "Service shop/reviews /spec/http/0/route/0/destination strong - v1",
                    "Service shop/cart /spec/http/1/route/0/destination strong - -",
                ])
            #expect(rules.body["uses"]?.arrayValue?.allSatisfy { $0["exists"] == true } == true)
            #expect(rules.body["usedBy"] == [])
            let cluster = try await api.get("/v1/tenants/acme/clusters/dev:references")
            #expect(Self.lines(cluster.body["uses"]) == ["Mesh default /spec/mesh/mesh strong - -"])
            #expect(
                Self.lines(cluster.body["usedBy"]) == [
                    "Endpoint shop/reviews/e1 /spec/cluster strong - -",
                    "Endpoint shop/reviews/e2 /spec/cluster strong - -",
                ])

            let expected = [
                "DestinationRule shop/reviews /spec/host weak - -",
                "Endpoint shop/reviews/e1 /spec/version strong v1 -",
                "Endpoint shop/reviews/e2 /spec/version strong v2 -",
                "VirtualService ops/console /spec/http/0/route/0/destination strong - -",
                "VirtualService shop/cart /spec/http/0/route/0/destination strong - v1",
            ]
            #expect(Self.lines(try await api.get(Self.reviews + ":references").body["usedBy"]) == expected)
            var (found, token) = ([String](), "")
            repeat {
                let page = try await api.get(Self.reviews + ":references?pageSize=2\(token)")
                found += Self.lines(page.body["usedBy"])
                token = page.body["nextPageToken"]?.stringValue.map { "&pageToken=\($0)" } ?? ""
            } while !token.isEmpty
            #expect(found == expected)

            // What is weak may be missing.
            #expect(try await api.send("PUT", Fixture.shop + "/services/gone", Fixture.reviews).status == 201)
            let gone = ["spec": ["host": "gone"]] as JSONValue
            #expect(try await api.send("PUT", Fixture.shop + "/destinationRules/gone", gone).status == 201)
            #expect(
                try await api.send("DELETE", Fixture.shop + "/services/gone", headers: Self.any).status == 204)
            let weak = try await api.get(Fixture.shop + "/destinationRules/gone:references")
            #expect(weak.body["uses"]?.arrayValue?.map { $0["exists"] } == [false])

            #expect(
                try await api.send("DELETE", Self.ops + "/virtualServices/console", headers: Self.any).status == 204)
            for name in ["cart", "console"] {
                let path = (name == "cart" ? Fixture.shop : Self.ops) + "/services/\(name)"
                #expect(try await api.send("DELETE", path, headers: Self.any).status == (name == "cart" ? 409 : 204))
            }
        }
    }

    @Test("is told as far as the caller may read, and only of what there is")
    func narrowed() async throws {
        try await Fixture.run { api in
            try await prepare(api)
            let key = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["role": "developer", "namespaces": ["ops"]])
            let token = try #require(key.body["token"]?.stringValue)
            let own = try await api.get(Self.ops + "/virtualServices/console:references", token: token)
            #expect(Self.lines(own.body["uses"]) == ["Service ops/console /spec/hosts/0 weak - -"])
            #expect(try await api.get(Self.reviews + ":references", token: token).status == 403)
            #expect(try await api.get(Self.reviews + ":references", token: nil).status == 401)
            for path in ["/services/none", "/virtualServices/none"] {
                #expect(try await api.get(Fixture.shop + path + ":references").status == 404)
            }
            #expect(
                try await api.get(Self.reviews + ":references?pageToken=x").errors == ["/query/pageToken invalidValue"])
            // Others' rules are none of its business: no item, no page, and no place of one.
            for name in ["a", "z"] {
                let foreign = Self.rules(for: name, to: ["host": "console.ops"])
                #expect(try await api.send("PUT", Fixture.shop + "/services/\(name)", Fixture.reviews).status == 201)
                #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/\(name)", foreign).status == 201)
            }
            let console = Self.ops + "/services/console:references?pageSize=1"
            let narrow = try await api.get(console, token: token)
            #expect(Self.lines(narrow.body["usedBy"]) == ["VirtualService ops/console /spec/hosts/0 weak - -"])
            #expect(narrow.body["nextPageToken"] == nil)
            #expect(try await api.get(console).body["nextPageToken"] != nil)
            let wide = try await api.get(Self.ops + "/services/console:references")
            #expect(wide.body["usedBy"]?.arrayValue?.count == 3)
            let elsewhere = try await api.send(
                "PUT", Self.ops + "/services/console/endpoints/e",
                Fixture.endpoint("v1", 9).merged(with: ["spec": ["cluster": "moon"]]),
                token: token)
            #expect(elsewhere.errors == ["/spec/cluster unknownReference"])
            #expect(elsewhere.body["errors"]?.arrayValue?.first?["choices"] == nil, "clusters are the tenant's")
        }
    }

    @Test("keeps what is used: who uses it is told with where it stands")
    func deletion() async throws {
        try await Fixture.run { api in
            try await prepare(api)
            let service = try await api.send("DELETE", Self.reviews, headers: Self.any)
            #expect(service.status == 409 && service.code == "inUse")
            let users = service.body["usedBy"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
            #expect(users == ["e1", "e2", "console", "cart"])
            let detail = try #require(service.body["detail"]?.stringValue)
            #expect(detail.contains("Endpoint shop/reviews/e1") && detail.contains("VirtualService ops/console"))
            let cluster = try await api.send("DELETE", "/v1/tenants/acme/clusters/dev", headers: Self.any)
            #expect(cluster.body["usedBy"]?.arrayValue?.count == 2)
            let mesh = try await api.send("PUT", "/v1/tenants/acme/meshes/blue", ["spec": [:]])
            #expect(mesh.status == 201)
            let joining: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true, "mesh": "blue"]]]
            #expect(try await api.send("PUT", "/v1/tenants/acme/clusters/prod", joining).status == 202)
            let used = try await api.send("DELETE", "/v1/tenants/acme/meshes/blue", headers: Self.any)
            #expect(used.status == 409)
            #expect(used.body["usedBy"] == [["kind": "Cluster", "name": "prod"]])
            let left = try await api.send(
                "POST", "/v1/tenants/acme/clusters/prod/mesh:disable", [:], Self.any)
            #expect(left.status == 202, "\(left.text)")
            #expect(try await api.send("DELETE", "/v1/tenants/acme/meshes/blue", headers: Self.any).status == 204)
        }
    }

    @Test("must be there: what is missing is told with what there is")
    func missing() async throws {
        try await Fixture.run { api in
            try await prepare(api)
            let elsewhere = Fixture.endpoint("v1", 1).merged(with: ["spec": ["cluster": "moon"]])
            let endpoint = try await api.send("PUT", Self.reviews + "/endpoints/e9", elsewhere)
            #expect(endpoint.errors == ["/spec/cluster unknownReference"])
            #expect(endpoint.body["errors"]?.arrayValue?.first?["choices"] == ["dev"])
            let joining: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true, "mesh": "moon"]]]
            let cluster = try await api.send("PUT", "/v1/tenants/acme/clusters/prod", joining)
            #expect(cluster.errors == ["/spec/mesh/mesh unknownReference"])
            #expect(cluster.body["errors"]?.arrayValue?.first?["choices"] == ["default"])
        }
    }

    @Test("are at most as many as the limit says, also where a name may mean one of many")
    func many() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let hosts = (0..<30).map { JSONValue.string("h\($0)") }
            let rules = (0..<60).map { rule -> JSONValue in
                let routes = (0..<20).map {
                    ["destination": ["host": .string("v\(rule)-\($0)")], "weight": 5] as JSONValue
                }
                return ["route": .array(routes)]
            }
            let body: JSONValue = ["spec": ["hosts": .array(hosts), "http": .array(rules)]]
            let refused = try await api.send("PUT", Fixture.shop + "/virtualServices/many", body)
            #expect(refused.errors == ["/spec tooMany"], "\(refused.text.prefix(300))")
            #expect(refused.text.contains("referencesPerObject"))
        }
    }

    @Test("a destination rule cannot go in the moment in which rules begin to use its subsets")
    func subsets() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let service: JSONValue = [
                "spec": [
                    "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]],
                    "versions": [["name": "v1", "labels": ["track": "slow"]], ["name": "v2"]],
                ]
            ]
            #expect(try await api.send("PUT", Self.reviews, service, Self.any).status == 200)
            let (rules, policies) = (Fixture.shop + "/virtualServices/r", Fixture.shop + "/destinationRules/reviews")
            let subsets: JSONValue = [
                "spec": ["host": "reviews", "subsets": [["name": "calm", "labels": ["track": "slow"]]]]
            ]
            let body = Self.rules(for: "reviews", to: ["host": "reviews", "subset": "calm"])
            for _ in 0..<12 {
                #expect(try await api.send("PUT", policies, subsets).status == 201)
                async let used = api.send("PUT", rules, body)
                async let removed = api.send("DELETE", policies, headers: Self.any)
                let statuses = try await [used.status, removed.status]
                #expect(statuses == [201, 409] || statuses == [400, 204], "\(statuses)")
                if statuses[0] == 201 { #expect(try await api.send("DELETE", rules, headers: Self.any).status == 204) }
                if statuses[1] != 204 {
                    #expect(try await api.send("DELETE", policies, headers: Self.any).status == 204)
                }
            }
        }
    }

    @Test("a version cannot go in the moment in which rules of another host begin to use it")
    func races() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/services/cart", Fixture.reviews).status == 201)
            #expect(try await api.send("DELETE", Self.reviews + "/endpoints/e2", headers: Self.any).status == 204)
            let rules = Fixture.shop + "/virtualServices/cart"
            let smaller = Fixture.reviews.merged(with: ["spec": ["versions": [["name": "v1"]]]])
            for _ in 0..<12 {
                async let used = api.send(
                    "PUT", rules, Self.rules(for: "cart", to: ["host": "reviews", "subset": "v2"]))
                async let removed = api.send("PUT", Self.reviews, smaller, Self.any)
                let statuses = try await [used.status, removed.status]
                #expect(statuses == [201, 409] || statuses == [400, 200], "\(statuses)")
                if statuses[0] == 201 { #expect(try await api.send("DELETE", rules, headers: Self.any).status == 204) }
                #expect(try await api.send("PUT", Self.reviews, Fixture.reviews, Self.any).status == 200)
            }
        }
    }
}
