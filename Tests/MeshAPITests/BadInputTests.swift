import Documents
import HTTPTypes
import Testing

@testable import MeshAPI

@Suite("Bad input")
struct BadInputTests {
    /// A request that says something wrong: what it is, and what is said about it.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var path: String
        var body: JSONValue
        var errors: [String]
        var testDescription: String { name }
    }

    private static func rules(_ http: JSONValue) -> JSONValue { ["spec": ["hosts": ["reviews"], "http": [http]]] }
    private static func route(_ weights: [JSONValue], subset: JSONValue = "v1") -> JSONValue {
        rules(["route": .array(weights.map { ["destination": ["host": "reviews", "subset": subset], "weight": $0] })])
    }

    static let invalid: [Case] = [
        Case(
            name: "several things at once", path: "/services/s",
            body: ["spec": ["ports": [["name": "HTTP", "port": 70000, "x": 1]], "versions": 3]],
            errors: [
                "/spec/ports/0/name invalidFormat", "/spec/ports/0/port outOfRange", "/spec/versions wrongType",
                "/spec/ports/0/x unknownField",
            ]),
        Case(
            name: "a name in the body that is not the URL's", path: "/services/s",
            body: ["metadata": ["name": "t"], "spec": ["ports": [["name": "http", "port": 80]]]],
            errors: ["/metadata/name conflict"]),
        Case(
            name: "duplicate names", path: "/services/s",
            body: ["spec": ["ports": [["name": "a", "port": 1], ["name": "a", "port": 1]]]],
            errors: ["/spec/ports/1/name duplicate", "/spec/ports/1/port duplicate"]),
        Case(name: "no body to speak of", path: "/services/s", body: [:], errors: ["/spec/ports required"]),
        Case(
            name: "an array for an object", path: "/services/s", body: [1],
            errors: [" wrongType", "/spec/ports required"]),
        Case(
            name: "an endpoint of a version, a port and a cluster that are not there",
            path: "/services/reviews/endpoints/e9",
            body: ["spec": ["cluster": "nope", "address": "10.0.0.1", "ports": ["grpc": 1], "version": "v9"]],
            errors: [
                "/spec/cluster unknownReference", "/spec/version unknownReference", "/spec/ports/grpc unknownReference",
            ]),
        Case(
            name: "a host name for an address", path: "/services/reviews/endpoints/e9",
            body: ["spec": ["cluster": "dev", "address": "example.com"]], errors: ["/spec/address invalidFormat"]),
        Case(
            name: "a destination rule for another namespace's service", path: "/destinationRules/d",
            body: ["spec": ["host": "reviews.other"]], errors: ["/spec/host invalidValue"]),
        Case(
            name: "a destination rule for what is not there", path: "/destinationRules/d",
            body: [
                "spec": [
                    "host": "reviews", "subsets": [["name": "v9"]],
                    "trafficPolicy": ["portLevelSettings": [["port": ["number": 1]]]],
                ]
            ],
            errors: ["/spec/subsets/0/name unknownReference", "/spec/trafficPolicy/portLevelSettings unknownReference"]),
        Case(
            name: "policies that cannot be", path: "/destinationRules/d",
            body: [
                "spec": [
                    "host": "*",
                    "trafficPolicy": [
                        "tls": ["mode": "SIMPLE"],
                        "loadBalancer": [
                            "simple": "RANDOM",
                            "consistentHash": [
                                "httpHeaderName": "x y", "useSourceIp": true, "maglev": ["tableSize": 10],
                                "minimumRingSize": 0,
                            ],
                        ],
                        "connectionPool": [
                            "tcp": ["maxConnections": 0, "connectTimeout": "0s"], "http": ["maxRetries": "3"],
                        ],
                        "outlierDetection": ["consecutive5xxErrors": -1, "maxEjectionPercent": 101, "interval": "x"],
                    ],
                    "subsets": [["name": "v1"], ["name": "v1"], [:]],
                ]
            ],
            errors: [
                "/spec/host unsupported", "/spec/trafficPolicy/tls unsupported",
                "/spec/trafficPolicy/loadBalancer conflict",
                "/spec/trafficPolicy/loadBalancer/consistentHash conflict",
                "/spec/trafficPolicy/loadBalancer/consistentHash/httpHeaderName invalidFormat",
                "/spec/trafficPolicy/loadBalancer/consistentHash/maglev/tableSize invalidValue",
                "/spec/trafficPolicy/loadBalancer/consistentHash/minimumRingSize outOfRange",
                "/spec/trafficPolicy/connectionPool/tcp/maxConnections outOfRange",
                "/spec/trafficPolicy/connectionPool/tcp/connectTimeout outOfRange",
                "/spec/trafficPolicy/connectionPool/http/maxRetries wrongType",
                "/spec/trafficPolicy/outlierDetection/consecutive5xxErrors outOfRange",
                "/spec/trafficPolicy/outlierDetection/maxEjectionPercent outOfRange",
                "/spec/trafficPolicy/outlierDetection/interval invalidFormat",
                "/spec/subsets/1/name duplicate", "/spec/subsets/2/name required",
            ]),
        Case(
            name: "a negative weight", path: "/virtualServices/v", body: route([-5, 105]),
            errors: ["/spec/http/0/route/0/weight outOfRange", "/spec/http/0/route/1/weight outOfRange"]),
        Case(
            name: "a weight beyond 64 bits", path: "/virtualServices/v", body: route([.number(1e30), 0]),
            errors: ["/spec/http/0/route/0/weight wrongType"]),
        Case(
            name: "weights that do not add up", path: "/virtualServices/v", body: route([50, 40]),
            errors: ["/spec/http/0/route invalidValue"]),
        Case(
            name: "an unknown subset", path: "/virtualServices/v", body: route([100], subset: "v9"),
            errors: ["/spec/http/0/route/0/destination/subset unknownReference"]),
        Case(
            name: "an unknown host", path: "/virtualServices/v",
            body: ["spec": ["hosts": ["nope"], "http": [["route": [["destination": ["host": "reviews"]]]]]]],
            errors: ["/spec/hosts/0 unknownReference"]),
        Case(
            name: "a regex that RE2 refuses", path: "/virtualServices/v",
            body: rules([
                "match": [["headers": ["cookie": ["regex": "(?=x)"]]]], "route": [["destination": ["host": "reviews"]]],
            ]),
            errors: ["/spec/http/0/match/0/headers/cookie/regex invalidFormat"]),
        Case(
            name: "a release of what is not there", path: "/releases/r",
            body: [
                "spec": [
                    "service": "nope", "stable": ["version": "v1"], "canary": ["version": "v2"],
                    "strategy": ["type": "canary"],
                ]
            ], errors: ["/spec/service unknownReference"]),
        Case(
            name: "a release of unknown versions", path: "/releases/r",
            body: [
                "spec": [
                    "service": "reviews", "stable": ["version": "v8"], "canary": ["version": "v9"],
                    "strategy": ["type": "canary"],
                ]
            ], errors: ["/spec/stable/version unknownReference", "/spec/canary/version unknownReference"]),
    ]

    @Test("says all that is wrong, and where")
    func violations() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            for item in Self.invalid {
                let answer = try await api.send("PUT", Fixture.shop + item.path, item.body)
                #expect(answer.status == 400, "\(item.name): \(answer.text)")
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(answer.errors.sorted() == item.errors.sorted(), "\(item.name): \(answer.text)")
                #expect(try await api.get(Fixture.shop + item.path).status == 404, "\(item.name) changed something")
            }
        }
    }

    @Test("a request that cannot be read is refused as what it is")
    func malformed() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let path = Fixture.shop + "/services/s"
            let json = ["Content-Type": "application/json"]
            let deep = String(repeating: "[", count: 66) + String(repeating: "]", count: 66)
            let texts = [
                "", "{", "{\"spec\":{}} x", "nul", "{\"a\":1e999}", "\"\\ud800\"", "\"\\u0000\"",
                "{\"a\" 1}", "01", "\"\u{1}\"", deep,
            ]
            for text in texts {
                let answer = try await api.send("PUT", path, bytes: Array(text.utf8), headers: json)
                #expect(answer.status == 400, "\(text): \(answer.text)")
                #expect(answer.code == "malformedBody", "\(text): \(answer.text)")
            }
            let utf8 = try await api.send("PUT", path, bytes: [0x22, 0xff, 0xfe, 0x22], headers: json)
            #expect(utf8.body["detail"]?.stringValue?.contains("UTF-8") == true)
            let large = [UInt8](repeating: 0x20, count: (1 << 20) + 1)
            #expect(try await api.send("PUT", path, bytes: large, headers: json).status == 413)
            let form = try await api.send("PUT", path, bytes: [0x7b, 0x7d], headers: ["Content-Type": "text/plain"])
            #expect(form.status == 415)
            #expect(try await api.send("PATCH", path, bytes: [0x7b, 0x7d], headers: json).status == 415)
            #expect(try await api.get("/v1/tenants/" + String(repeating: "a", count: 9000)).status == 414)
            #expect(try await api.get("/v1/whoami", ["X-Long": String(repeating: "a", count: 40_000)]).status == 431)
            #expect(try await api.get("/v1/nothing/here").status == 404)
            #expect(try await api.send("PUT", "/v1/tenants/Not_A_Label", ["spec": [:]]).status == 400)
            #expect(try await api.get("/v1/tenants/Not_A_Label").status == 404)
        }
    }

    @Test(
        "a parameter that is wrong is named",
        arguments: [
            ("?pageSize=0", "/query/pageSize outOfRange"), ("?pageSize=1001", "/query/pageSize outOfRange"),
            ("?pageSize=x", "/query/pageSize outOfRange"), ("?pageToken=AAAA", "/query/pageToken invalidValue"),
            ("?labelSelector=a%21%3Db", "/query/labelSelector invalidFormat"),
            ("?color=red", "/query/color unknownField"),
            ("?pageSize=1&pageSize=2", "/query/pageSize duplicate"), ("?pageSize=%zz", "/query/pageSize invalidFormat"),
        ])
    func parameters(query: String, error: String) async throws {
        try await Fixture.run { api in
            let answer = try await api.get("/v1/tenants" + query)
            #expect(answer.status == 400)
            #expect(answer.errors == [error])
        }
    }

    @Test("what others need stays")
    func inUse() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let service = Fixture.shop + "/services/reviews"
            let any = ["If-Match": "*"]
            let deletion = try await api.send("DELETE", service, headers: any)
            #expect(deletion.status == 409)
            #expect(deletion.body["usedBy"]?.arrayValue?.first?["name"] == "e1")
            #expect(try await api.send("DELETE", "/v1/tenants/acme/clusters/dev", headers: any).status == 409)
            #expect(try await api.send("DELETE", "/v1/tenants/acme", headers: any).status == 409)
            let smaller: JSONValue = [
                "spec": ["ports": [["name": "http", "port": 9080]], "versions": [["name": "v1"]]]
            ]
            let removal = try await api.send("PUT", service, smaller, any)
            #expect(removal.status == 409)
            #expect(removal.errors == ["/spec/versions conflict"])

            // By the subset that means it, and by the DestinationRule that has the subset.
            #expect(
                try await api.send("DELETE", service + "/endpoints/e2", headers: any).status == 204,
                "the endpoint of v2")
            let labelled: JSONValue = [
                "spec": [
                    "ports": [["name": "http", "port": 9080]],
                    "versions": [["name": "v1"], ["name": "v2", "labels": ["tier": "gold"]]],
                ]
            ]
            #expect(try await api.send("PUT", service, labelled, any).status == 200)
            let policies: JSONValue = [
                "spec": ["host": "reviews", "subsets": [["name": "best", "labels": ["tier": "gold"]]]]
            ]
            let rules: JSONValue = [
                "spec": [
                    "hosts": ["reviews"],
                    "http": [["route": [["destination": ["host": "reviews", "subset": "best"]]]]],
                ]
            ]
            #expect(try await api.send("PUT", Fixture.shop + "/destinationRules/d", policies).status == 201)
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/v", rules).status == 201)
            let named = try await api.send("PUT", service, smaller, any)
            #expect(named.status == 409 && named.errors.count == 2, "\(named.text)")
            #expect(named.text.contains("VirtualService shop/v names it at /spec/http/0/route/0/destination"))
            #expect(named.text.contains("DestinationRule shop/d has a subset of it at /spec/subsets/0"))
            #expect(try await api.send("DELETE", Fixture.shop + "/virtualServices/v", headers: any).status == 204)
            #expect(try await api.send("DELETE", Fixture.shop + "/destinationRules/d", headers: any).status == 204)

            let release = Fixture.shop + "/releases/r"
            #expect(try await api.send("PUT", release, Fixture.release).status == 201)
            #expect(try await api.send("POST", "\(release):start", [:]).status == 200)
            #expect(try await api.send("DELETE", release, headers: any).status == 409)
            let changed = try await api.send("PATCH", release, ["spec": ["canary": ["version": "v1"]]], any)
            #expect(changed.status == 400)
            let cluster = try await api.send(
                "PATCH", "/v1/tenants/acme/clusters/dev", ["spec": ["mesh": ["enabled": false]]], any)
            #expect(cluster.errors == ["/spec/mesh immutable"])
        }
    }
}
