import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import Postgres
import TestSupport
import RE2
import Testing

@Suite("Rules come to so much at most, for a service and for a mesh; the way back is always open")
struct RouteLimitsTests {
    /// Rules with so many conditions.
    private static func rules(_ host: String, conditions: Int, extra: JSONValue = [:]) -> JSONValue {
        let http = stride(from: 0, to: conditions, by: 64).map { start -> JSONValue in
            let matches = (start..<min(start + 64, conditions)).map { number -> JSONValue in
                ["uri": ["exact": .string("/\(number)")]]
            }
            return ["match": .array(matches), "route": [["destination": ["host": .string(host)]]]]
        }
        return JSONValue.object(["hosts": [.string(host)], "http": .array(http)]).merged(with: extra)
    }

    private static func service(ports: Int) -> JSONValue {
        ControlFixture.service(["v1"], ports: (0..<ports).map { 8000 + $0 })
    }

    @Test("routes are counted over conditions and HTTP ports")
    func ofService() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ place: String, _ spec: JSONValue, validateOnly: Bool = false) async throws -> String {
                try await refusal { try await fixture.put(place, spec, validateOnly: validateOnly) }
            }
            let (service, rules) = ("shop/services/wide", "shop/virtualServices/wide")
            #expect(try await answer(service, Self.service(ports: 31)) == "accepted")
            #expect(try await answer(rules, Self.rules("wide", conditions: 162)) == "invalid: /spec/http tooMany")
            #expect(try await answer(rules, Self.rules("wide", conditions: 160)) == "accepted")
            #expect(try await answer(service, Self.service(ports: 32)) == "invalid: /spec/ports tooMany")
            let away: JSONValue = ["gateways": ["ingress"]]
            #expect(
                try await answer("shop/virtualServices/other", Self.rules("wide", conditions: 162, extra: away))
                    == "invalid: /spec/http tooMany", "they could be for sidecars tomorrow")

            // What came to too much before there was the bound may be made smaller, though not small enough.
            try await fixture.store(service, Self.service(ports: 32))
            #expect(try await answer(rules, Self.rules("wide", conditions: 161)) == "invalid: /spec/http tooMany")
            #expect(try await answer(rules, Self.rules("wide", conditions: 159)) == "accepted")
            #expect(try await answer(service, Self.service(ports: 31)) == "accepted")
        }
    }

    @Test("rules that no sidecar follows are no part of what a service's ports make of rules")
    func unfollowed() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/wide", Self.service(ports: 1))
            try await fixture.put(
                "shop/virtualServices/wide", Self.rules("wide", conditions: 200, extra: ["gateways": ["ingress"]]))
            #expect(
                try await refusal { try await fixture.put("shop/services/wide", Self.service(ports: 32)) } == "accepted"
            )
            try await fixture.put("shop/services/other", Self.service(ports: 1))
            try await fixture.put("shop/virtualServices/other", Self.rules("other", conditions: 200))
            #expect(
                try await refusal { try await fixture.put("shop/services/wide", Self.service(ports: 31)) } == "accepted"
            )
        }
    }

    @Test("so have the regexes of a mesh, also where there are no more routes than before")
    func regexesOfMesh() async throws {
        let regex = "(?i)/?(?:[/a-z]*){990}!"
        let size = try RE2.size(of: regex)
        // For each of eight ports, and no more than a service may have.
        let count = Limits.regexSizePerService.value / (size * 8)
        func rules(_ host: String, _ conditions: Int, regexes: Int) -> JSONValue {
            let matches = (0..<conditions).map { number -> JSONValue in
                ["uri": number < regexes ? ["regex": .string(regex)] : ["exact": .string("/\(number)")]]
            }
            return [
                "hosts": [.string(host)],
                "http": [["match": .array(matches), "route": [["destination": ["host": .string(host)]]]]],
            ]
        }
        let services = Limits.regexSizePerMesh.value / (size * 8 * count)
        try await ControlFixture.runPrepared { fixture in
            _ = try await fixture.store.write(
                tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
            ) { transaction in
                for number in 0...services {
                    let regexes = number < services ? count : 0
                    for (place, spec) in [
                        ("shop/services/s\(number)", Self.service(ports: 8)),
                        ("shop/virtualServices/s\(number)", rules("s\(number)", count, regexes: regexes)),
                    ] {
                        _ = try await transaction.put(
                            ControlFixture.key(place), metadata: ObjectLabels(), spec: spec)
                    }
                }
            }
            func answer(_ regexes: Int) async throws -> String {
                try await refusal {
                    try await fixture.put(
                        "shop/virtualServices/s\(services)", rules("s\(services)", count, regexes: regexes),
                        validateOnly: true)
                }
            }
            let all = try await answer(count)
            #expect(all == "invalid: /spec/http tooMany")
            #expect(try await answer(0) == "accepted")
        }
    }

    @Test("all rules of a mesh have a bound, too: what would grow beyond it is refused")
    func ofMesh() async throws {
        try await ControlFixture.runPrepared { fixture in
            // 20 services with 5000 routes each are as many as there may be.
            let names = (0..<20).map { "s\($0)" }
            _ = try await fixture.store.write(
                tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
            ) { transaction in
                for name in names {
                    for (place, spec) in [
                        ("shop/services/\(name)", Self.service(ports: 25)),
                        ("shop/virtualServices/\(name)", Self.rules(name, conditions: 200)),
                    ] {
                        _ = try await transaction.put(
                            ControlFixture.key(place), metadata: ObjectLabels(), spec: spec)
                    }
                }
            }
            func answer(_ place: String, _ spec: JSONValue) async throws -> String {
                try await refusal { try await fixture.put(place, spec) }
            }
            let main = ControlFixture.rules("reviews", to: ["host": "reviews"])
            #expect(try await answer("shop/virtualServices/reviews", main) == "invalid: /spec/http tooMany")
            let regex: JSONValue = [
                "hosts": ["s0"],
                "http": [["match": [["uri": ["regex": "/a.*"]]], "route": [["destination": ["host": "s0"]]]]],
            ]
            #expect(try await answer("shop/virtualServices/s0", regex) == "accepted", "fewer than before")
            #expect(try await answer("shop/virtualServices/reviews", main) == "accepted", "so there is room")
            #expect(
                try await answer("shop/virtualServices/s0", Self.rules("s0", conditions: 200))
                    == "invalid: /spec/http tooMany")
            #expect(
                try await answer("shop/virtualServices/s0", Self.rules("s0", conditions: 199)) == "accepted")
            #expect(
                try await answer("shop/services/reviews", ControlFixture.service(ports: (0..<32).map { 9080 + $0 }))
                    == "invalid: /spec/ports tooMany")
            let entry: JSONValue = [
                "hosts": ["pay.example.com"], "resolution": "STATIC",
                "ports": .array((0..<30).map { ["name": .string("p\($0)"), "number": .integer(80 + $0)] }),
                "endpoints": [["address": "192.0.2.1"]],
            ]
            let entryOfOnePort = entry.merged(with: ["ports": [["name": "p0", "number": 80]]])
            try await fixture.put("shop/serviceEntries/pay", entryOfOnePort)
            try await fixture.put(
                "shop/virtualServices/pay", ControlFixture.rules("pay.example.com", to: ["host": "pay.example.com"]))
            #expect(try await answer("shop/serviceEntries/pay", entry) == "invalid: /spec/ports tooMany")
            #expect(try await answer("shop/serviceEntries/pay", entryOfOnePort) == "accepted")
        }
    }
}
