import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("What others name of a service stays, and what is left out of it is nobody's")
struct ServiceRulesTests {
    private static let reviews = "shop/services/reviews"

    /// Labels by which a subset can mean one of three versions.
    private static let labelled: [JSONValue] = [
        ["name": "v1", "labels": ["track": "slow"]], ["name": "v2", "labels": ["track": "fast"]], "v3",
    ]

    private static func refused(_ fixture: ControlFixture, _ spec: JSONValue) async throws -> [String] {
        do {
            try await fixture.put(reviews, spec)
            return []
        } catch ControlError.conflict(let conflict) {
            #expect(conflict.code == "inUse")
            return conflict.errors.map { "\($0.pointer) \($0.detail)" }
        }
    }

    @Test("a version that endpoints, rules or subsets name cannot be removed, nor can the one in charge")
    func versions() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(Self.reviews, ControlFixture.service(Self.labelled))
            #expect(
                try await Self.refused(fixture, ControlFixture.service(["v2", "v3"])) == [
                    "/spec/versions version v1 cannot be removed: Endpoint shop/reviews/e1 names it at /spec/version"
                ])
            #expect(try await Self.refused(fixture, ControlFixture.service(Array(Self.labelled.prefix(2)))) == [])
            try await fixture.put(Self.reviews, ControlFixture.service(Self.labelled))
            let subsets: JSONValue = [
                "host": "reviews", "subsets": [["name": "calm", "labels": ["track": "slow"]], ["name": "v3"]],
            ]
            try await fixture.put("shop/destinationRules/reviews", subsets)
            try await fixture.put(
                "shop/virtualServices/reviews",
                ControlFixture.rules(
                    "reviews", to: ["host": "reviews", "subset": "calm"], ["host": "reviews", "subset": "v2"]))
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            let withoutV1 = try await Self.refused(fixture, ControlFixture.service(Array(Self.labelled.dropFirst())))
            #expect(
                withoutV1 == [
                    "/spec/versions version v1 cannot be removed: VirtualService shop/reviews names it at "
                        + "/spec/http/0/route/0/destination",
                    "/spec/versions version v1 cannot be removed: DestinationRule shop/reviews has a subset of it at "
                        + "/spec/subsets/0",
                ])
            let withoutV3 = try await Self.refused(fixture, ControlFixture.service(Array(Self.labelled.dropLast())))
            #expect(
                withoutV3 == [
                    "/spec/versions version v3 cannot be removed: DestinationRule shop/reviews has a subset of it at "
                        + "/spec/subsets/1"
                ])
            try await fixture.delete("shop/virtualServices/reviews")
            try await fixture.delete("shop/destinationRules/reviews")
            try await fixture.putStatus(Self.reviews, ServiceStatus(stableVersion: .known("v1")).json)
            #expect(
                try await Self.refused(fixture, ControlFixture.service(["v2"])) == [
                    "/spec/versions version v1 cannot be removed: it is the stable version; promote another one, or "
                        + "clearStable"
                ])
            #expect(try await Self.refused(fixture, ControlFixture.service(["v1"])) == [])
        }
    }

    @Test("of very many users some are told, and that there are more")
    func manyUsers() async throws {
        try await ControlFixture.runPrepared { fixture in
            func users(_ count: Int) async throws -> [String] {
                let rule: JSONValue = ["route": [["destination": ["host": "reviews", "subset": "v1"]]]]
                try await fixture.put(
                    "shop/virtualServices/reviews",
                    ["hosts": ["reviews"], "http": .array(Array(repeating: rule, count: count))])
                return try await Self.refused(fixture, ControlFixture.service(["v2"]))
            }
            // And the endpoint.
            let all = try await users(99)
            #expect(all.count == 100 && !all.contains { $0.contains("more than") })
            let more = try await users(100)
            #expect(
                more.count == 101
                    && more.last == "/spec/versions version v1 cannot be removed: more than 100 places may name it")
        }
    }

    @Test("what an active release is about stays: its versions and its ports, and the service")
    func releases() async throws {
        try await ControlFixture.runPrepared { fixture in
            let ports = [9080, 9081]
            func service(_ versions: [JSONValue] = ["v1", "v2", "v3"], ports: [Int]) -> JSONValue {
                ControlFixture.service(versions, ports: ports)
            }
            try await fixture.put(Self.reviews, service(ports: ports))
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            try await fixture.put("shop/releases/r", ControlFixture.release(["port": 9080]))
            #expect(try await Self.refused(fixture, service(["v1", "v2"], ports: ports)) == [], "it has not begun")
            try await fixture.put(Self.reviews, service(ports: ports))
            try await fixture.act(.start)
            for version in ["v1", "v2"] {
                let others = ["v1", "v2", "v3"].filter { $0 != version }.map(JSONValue.string)
                #expect(
                    try await Self.refused(fixture, service(others, ports: ports)) == [
                        "/spec/versions version \(version) cannot be removed: release r is about it"
                    ])
            }
            #expect(try await Self.refused(fixture, service(["v1", "v2"], ports: ports)) == [])
            let moved = "/spec/ports HTTP port 9080 cannot be removed: release r moves its traffic"
            #expect(try await Self.refused(fixture, service(["v1", "v2"], ports: [9081])) == [moved])
            var tcp = try #require(service(["v1", "v2"], ports: [9080]).objectValue)
            tcp["ports"] = [
                ["name": "p9080", "port": 9080, "protocol": "TCP"], ["name": "p9081", "port": 9081],
            ]
            #expect(try await Self.refused(fixture, .object(tcp)) == [moved], "no HTTP port any more")
            #expect(try await Self.refused(fixture, service(["v1", "v2"], ports: [9080])) == [])
            #expect(
                try await refusal { try await fixture.delete(Self.reviews) } == "conflict: inUse shop/r")
            #expect(
                try await refusal { try await fixture.delete("shop/releases/r") } == "conflict: activeRelease")
            try await fixture.act(.abort)
            #expect(try await Self.refused(fixture, service(["v1"], ports: [9081])) == [])
            #expect(try await refusal { try await fixture.delete("shop/releases/r") } == "accepted")
            #expect(try await refusal { try await fixture.delete(Self.reviews) } == "accepted")
        }
    }

    @Test("a release of all ports keeps the last HTTP port, and none before it")
    func lastPort() async throws {
        try await ControlFixture.runPrepared { fixture in
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            try await fixture.put(Self.reviews, ControlFixture.service(ports: [9080, 9081]))
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.act(.start)
            #expect(try await Self.refused(fixture, ControlFixture.service(ports: [9081])) == [])
            var tcp = try #require(ControlFixture.service(ports: []).objectValue)
            tcp["ports"] = [["name": "p", "port": 9081, "protocol": "TCP"]]
            #expect(
                try await Self.refused(fixture, .object(tcp)) == [
                    "/spec/ports HTTP port 9081 cannot be removed: release r moves its traffic"
                ])
        }
    }

    @Test("a change that hits others is told with what it does to them")
    func consequences() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(
                "shop/virtualServices/reviews",
                [
                    "hosts": ["reviews"],
                    "http": [["route": [["destination": ["host": "reviews", "port": ["number": 9080]]]]]],
                ])
            let moving: JSONValue = [
                "ports": [["name": "p9080", "port": 9081]], "versions": [["name": "v1"], ["name": "v2"]],
            ]
            let moved = try await fixture.put(Self.reviews, moving)
            let warning = try #require(moved.warnings.first)
            #expect(warning.line == "/spec/http/0/route/0/destination/port/number unknownReference")
            #expect(warning.object == ["kind": "VirtualService", "namespace": "shop", "name": "reviews"])
            #expect(warning.detail.hasPrefix("virtual service reviews: "))
            #expect(moved.object.conditions == [], "nothing is wrong with the service")
            let labelled = try await fixture.put(Self.reviews, moving, metadata: ["labels": ["a": "b"]])
            #expect(labelled.warned == [] && labelled.object.conditions == nil, "its labels concern nobody")
        }
    }

    @Test("who may not read them is not told of others, and of many some")
    func consequencesForOthers() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(Self.reviews, ControlFixture.service(ports: [9080, 9081]))
            try await fixture.put("ops/services/console", ControlFixture.service())
            let parts = (0..<10).map { number -> JSONValue in
                [
                    "match": [["uri": ["exact": .string("/\(number)")]]],
                    "route": [["destination": ["host": "reviews.shop", "port": ["number": 9081]]]],
                ]
            }
            for name in ["a", "b", "c"] {
                try await fixture.put("ops/services/\(name)", ControlFixture.service())
                try await fixture.put(
                    "ops/virtualServices/\(name)", ["hosts": [.string(name)], "http": .array(parts)])
            }
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            let one = ControlFixture.service(ports: [9080])
            let narrow = Caller.of(.developer, namespaces: [.known("shop")])
            #expect(try await fixture.put(Self.reviews, one, validateOnly: true, by: narrow).warned == [])
            let all = try await fixture.put(Self.reviews, one)
            #expect(all.warnings.count == 21)
            #expect(all.warnings.last?.detail == "10 more findings about other objects; see :analyze")
        }
    }
}
