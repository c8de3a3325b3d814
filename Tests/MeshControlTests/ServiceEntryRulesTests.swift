import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A ServiceEntry takes no name from anybody, and no address that its mesh forbids")
struct ServiceEntryRulesTests {
    private static func entry(_ host: String, _ changes: [String: JSONValue] = [:]) -> JSONValue {
        let spec: [String: JSONValue] = [
            "hosts": [.string(host)], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
            "endpoints": [["address": "192.0.2.1"]],
        ]
        return .object(spec.merging(changes) { $1 })
    }

    @Test("a service's name is its own, but for the namespace that means another host by it")
    func services() async throws {
        let forOwn: [String: JSONValue] = ["exportTo": ["."]]
        let named: [String: JSONValue] = ["exportTo": ["ops"]]
        let forShop: [String: JSONValue] = ["exportTo": ["shop"]]
        let rows: [(place: String, spec: JSONValue, answer: String, warned: [String])] = [
            ("ops/serviceEntries/a", Self.entry("reviews.shop"), "invalid: /spec/hosts/0 conflict", []),
            ("ops/serviceEntries/a", Self.entry("reviews.shop", forShop), "invalid: /spec/hosts/0 conflict", []),
            ("ops/serviceEntries/a", Self.entry("reviews.shop", forOwn), "accepted", ["/spec/hosts/0 consequence"]),
            ("ops/serviceEntries/a", Self.entry("reviews.shop", named), "accepted", ["/spec/hosts/0 consequence"]),
            ("shop/serviceEntries/a", Self.entry("reviews.shop"), "accepted", ["/spec/hosts/0 consequence"]),
            ("ops/serviceEntries/a", Self.entry("ratings.shop"), "accepted", []),
            ("ops/serviceEntries/a", Self.entry("pay.example.com"), "accepted", []),
        ]
        try await ControlFixture.runPrepared { fixture in
            for row in rows {
                var warned: [String] = []
                let answer = try await refusal {
                    warned = try await fixture.put(row.place, row.spec, validateOnly: true).warned
                }
                #expect(answer == row.answer && warned == row.warned, "\(row.place) \(row.spec)")
            }
        }
    }

    @Test("a host has one definition in a namespace, which may be written again")
    func owners() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ place: String) async throws -> String {
                try await refusal { try await fixture.put(place, Self.entry("pay.example.com")) }
            }
            var answers: [String] = []
            for place in [
                "shop/serviceEntries/a", "shop/serviceEntries/b", "shop/serviceEntries/a", "ops/serviceEntries/b",
            ] {
                answers.append(try await answer(place))
            }
            #expect(answers == ["accepted", "owned: hostOwned shop/a", "accepted", "accepted"])
        }
    }

    @Test("a mesh can forbid private addresses, and DNS, which may answer with one")
    func addresses() async throws {
        let rows: [(changes: [String: JSONValue], answer: String)] = [
            (["endpoints": [["address": "192.0.2.1"], ["address": "10.1.2.3"]]], "/spec/endpoints/1/address"),
            (["endpoints": [["address": "::1"]]], "/spec/endpoints/0/address"),
            (["resolution": "DNS", "endpoints": []], "/spec/resolution"),
            ([:], ""),
        ]
        try await ControlFixture.runPrepared { fixture in
            for isAllowed in [true, false] {
                try await fixture.put("meshes/default", ["allowPrivateHosts": .bool(isAllowed)])
                for row in rows {
                    let answer = try await refusal {
                        try await fixture.put(
                            "shop/serviceEntries/a", Self.entry("pay.example.com", row.changes), validateOnly: true)
                    }
                    let isRefused = !isAllowed && !row.answer.isEmpty
                    #expect(
                        answer == (isRefused ? "invalid: \(row.answer) invalidValue" : "accepted"), "\(row.changes)")
                }
            }
        }
    }

    @Test("of one host there are so many definitions at most, whoever's they are")
    func numbers() async throws {
        try await ControlFixture.runPrepared { fixture in
            func define(_ numbers: Range<Int>) async throws {
                _ = try await fixture.store.write(
                    tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
                ) { transaction in
                    for number in numbers {
                        _ = try await transaction.put(
                            ControlFixture.key("n\(number)/serviceEntries/pay"), metadata: ObjectLabels(),
                            spec: Self.entry("pay.example.com", ["exportTo": ["."]]))
                    }
                }
            }
            // Each is refused for another mistake, so that nothing has to be compiled.
            try await fixture.put("meshes/default", ["allowPrivateHosts": false])
            func errors(_ namespace: String, _ host: String = "pay.example.com") async throws -> String {
                try await refusal {
                    try await fixture.put(
                        "\(namespace)/serviceEntries/pay", Self.entry(host, ["endpoints": [["address": "10.0.0.1"]]]))
                }
            }
            let other = "invalid: /spec/endpoints/0/address invalidValue"
            try await define(1..<Limits.definitionsPerHost.value)
            #expect(try await errors("ops") == other)
            try await define(0..<1)
            #expect(try await errors("ops") == other + ", /spec/hosts/0 tooMany")
            #expect(try await errors("n1") == other, "it is one of them already")
            #expect(try await errors("ops", "other.example.com") == other)
        }
    }
}
