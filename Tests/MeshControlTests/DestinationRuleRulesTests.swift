import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshFeed
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("One DestinationRule holds for a host, for as long as rules need its subsets")
struct DestinationRuleRulesTests {
    private static let rule = "shop/destinationRules/reviews"

    private static func subset(_ name: String, _ labels: JSONValue = [:]) -> JSONValue {
        ["host": "reviews", "subsets": [["name": .string(name), "labels": labels]]]
    }

    @Test("a second one for a host is refused with the first one's name")
    func owners() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(Self.rule, ["host": "reviews"])
            func answer(_ place: String, _ host: JSONValue) async throws -> String {
                try await refusal { try await fixture.put(place, ["host": host]) }
            }
            #expect(try await answer("shop/destinationRules/b", "reviews.shop") == "owned: hostOwned shop/reviews")
            #expect(try await answer(Self.rule, "reviews.shop.svc") == "accepted", "its own host")
            #expect(try await answer("ops/destinationRules/b", "reviews.shop") == "invalid: /spec/host invalidValue")
            #expect(try await answer("shop/destinationRules/b", "none") == "invalid: /spec/host unknownReference")
            let entry: JSONValue = [
                "hosts": ["pay.example.com"], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
                "endpoints": [["address": "192.0.2.1"]],
            ]
            try await fixture.put("shop/serviceEntries/pay", entry)
            #expect(try await answer("shop/destinationRules/pay", "pay.example.com") == "accepted")
            #expect(try await answer("shop/destinationRules/b", "pay.example.com") == "owned: hostOwned shop/pay")
        }
    }

    @Test(
        "who comes while another one takes the host waits for it, and is refused, also on a replica that knows no such host"
    )
    func races() async throws {
        try await ControlFixture.runPrepared { fixture in
            let (known, unheardOf) = (fixture.replica(), fixture.replica())
            _ = try await unheardOf.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            try await fixture.put("shop/services/new", ControlFixture.service())
            let entry: JSONValue = [
                "hosts": ["pay.example.com"], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
                "endpoints": [["address": "192.0.2.1"]],
            ]
            try await fixture.put("shop/serviceEntries/pay", entry)
            _ = try await known.control.mirror.state(of: ControlFixture.mesh, atLeast: .max)
            for (host, definition) in [("new", "shop/services/new"), ("pay.example.com", "shop/serviceEntries/pay")] {
                let rule: JSONValue = ["host": .string(host)]
                for replica in [known, unheardOf] {
                    let late = try await replica.answer(
                        "shop/destinationRules/late", rule, beside: "shop/destinationRules/first", rule,
                        holding: definition)
                    #expect(late == "owned: hostOwned shop/first", "\(host)")
                    try await fixture.delete("shop/destinationRules/first")
                }
            }
        }
    }

    @Test("it stays as long as rules name subsets that would mean something else without it")
    func deletion() async throws {
        let labelled: [JSONValue] = [["name": "v1", "labels": ["track": "slow"]], "v2"]
        let rows: [(subset: JSONValue, named: String, answer: String)] = [
            (Self.subset("calm", ["track": "slow"]), "calm", "conflict: inUse shop/reviews"),
            (Self.subset("calm", ["track": "slow"]), "v1", "accepted"),
            (Self.subset("v1"), "v1", "accepted"),
            (Self.subset("v2", ["track": "slow"]), "v2", "conflict: inUse shop/reviews"),
        ]
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/reviews", ControlFixture.service(labelled))
            for row in rows {
                try await fixture.put(Self.rule, row.subset)
                try await fixture.put(
                    "shop/virtualServices/reviews",
                    ControlFixture.rules("reviews", to: ["host": "reviews", "subset": .string(row.named)]))
                #expect(try await refusal { try await fixture.delete(Self.rule) } == row.answer, "\(row.named)")
                try await fixture.delete("shop/virtualServices/reviews")
            }
            // A subset that no version has any more can go: it means nothing with the rule either.
            try await fixture.put(
                "shop/virtualServices/reviews", ControlFixture.rules("reviews", to: ["host": "reviews"]))
            try await fixture.put(Self.rule, Self.subset("calm", ["track": "slow"]))
            try await fixture.put(
                "shop/virtualServices/reviews",
                ControlFixture.rules("reviews", to: ["host": "reviews", "subset": "calm"]))
            try await fixture.store("shop/services/reviews", ControlFixture.service(["v1", "v2"]))
            #expect(try await refusal { try await fixture.delete(Self.rule) } == "accepted")
        }
    }

    @Test("one about another namespace's service, which decides about nothing, can always go")
    func foreign() async throws {
        try await ControlFixture.runPrepared { fixture in
            let labelled: [JSONValue] = [["name": "v1", "labels": ["track": "slow"]], "v2"]
            try await fixture.put("shop/services/reviews", ControlFixture.service(labelled))
            try await fixture.put(Self.rule, Self.subset("calm", ["track": "slow"]))
            try await fixture.put(
                "shop/virtualServices/reviews",
                ControlFixture.rules("reviews", to: ["host": "reviews", "subset": "calm"]))
            try await fixture.store(
                "ops/destinationRules/d",
                ["host": "reviews.shop", "subsets": [["name": "calm", "labels": ["track": "slow"]]]])
            #expect(try await refusal { try await fixture.delete("ops/destinationRules/d") } == "accepted")
            #expect(try await refusal { try await fixture.delete(Self.rule) } == "conflict: inUse shop/reviews")
        }
    }
}
