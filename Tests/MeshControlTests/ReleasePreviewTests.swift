import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A preview tells what a release would do, and does nothing")
struct ReleasePreviewTests {
    private static let rules: JSONValue = [
        "hosts": ["reviews"],
        "http": [
            [
                "name": "pages", "match": [["uri": ["prefix": "/pages"]]],
                "route": [["destination": ["host": "reviews"]]],
            ],
            ["name": "main", "route": [["destination": ["host": "reviews", "subset": "v1"]]]],
        ],
    ]

    private static func plan(_ scope: JSONValue?, _ changes: [String: JSONValue] = [:]) -> JSONValue {
        var strategy: [String: JSONValue] = [
            "type": "canary", "steps": [["setWeight": 2000], ["setWeight": 10_000]],
        ]
        strategy["trafficRouting"] = scope.map { ["scope": $0] }
        return ControlFixture.release(["strategy": .object(strategy)].merging(changes) { $1 })
    }

    private static func effects(_ document: JSONValue?) -> [String] {
        (document?["rules"]?.arrayValue ?? []).map { rule in
            ["rule", "effect", "atPromotion"].map { rule[$0]?.stringValue ?? "-" }.joined(separator: " ")
        }
    }

    @Test("to every rule, and what the promotion moves undivided")
    func promotion() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/virtualServices/reviews", Self.rules)
            try await fixture.put("shop/releases/r", Self.plan(nil))
            let whole = try await fixture.preview()
            #expect(Self.effects(whole) == ["pages split completes", "main split completes"])
            #expect(whole["promotion"]?["waitsForAcknowledgement"] == false)
            #expect(Self.effects(whole["promotion"]) == [])
            #expect(whole["refusals"] == nil)

            let narrow = try await fixture.preview(["spec": Self.plan(["rules": ["main"]])])
            #expect(Self.effects(narrow) == ["pages outOfScope moves", "main split completes"])
            #expect(Self.effects(narrow["promotion"]) == ["pages outOfScope moves"])
            #expect(narrow["promotion"]?["unsplit"] == "hold")
            #expect(narrow["promotion"]?["waitsForAcknowledgement"] == true)
            let moving = try await fixture.preview([
                "spec": Self.plan(["rules": ["main"]], ["promotion": ["unsplit": "move"]])
            ])
            #expect(moving["promotion"]?["waitsForAcknowledgement"] == false)
            try await fixture.setStatus { $0.isUnsplitAcknowledged = true }
            let known = try await fixture.preview(["spec": Self.plan(["rules": ["main"]])])
            #expect(known["promotion"]?["waitsForAcknowledgement"] == false, "somebody has acknowledged it")
            let all = try await fixture.preview(["spec": Self.plan(["rules": ["*", "main"]])])
            #expect(all["promotion"]?["waitsForAcknowledgement"] == false, "nothing moves")
        }
    }

    @Test("to what the service means, and whether its stable version can carry that")
    func stableVersion() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", Self.plan(nil))
            for number in 3..<6 {
                try await fixture.put(
                    "shop/services/reviews/endpoints/e\(number)", ControlFixture.endpoint(nil, Int64(number)))
            }
            let before = try await fixture.preview()["stableVersion"]
            // v1, and three of no version.
            #expect(before?["before"] == .null && before?["after"] == "v1")
            #expect(before?["readyStable"] == 1 && before?["readyTotal"] == 5 && before?["neededStable"] == 2)
            #expect(before?["moves"]?.arrayValue?.count == 1)
            let move = before?["moves"]?.arrayValue?.first
            #expect(move?["pointer"] == nil && move?["virtualService"] == nil && move?["service"] == "reviews")
            #expect(move?["before"] == ["all versions of shop/reviews"] && move?["after"] == ["shop/reviews v1"])
            // With a version in charge nothing has to be carried besides.
            try await fixture.putStatus(
                "shop/services/reviews", ServiceStatus(stableVersion: .known("v1")).json)
            let after = try await fixture.preview()["stableVersion"]
            #expect(after?["before"] == "v1" && after?["after"] == "v1" && after?["neededStable"] == 0)
            #expect(after?["moves"] == [])
        }
    }

    @Test("and for what a start would be refused")
    func refusals() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", Self.plan(nil))
            func refusals(_ spec: JSONValue? = nil) async throws -> [String] {
                let body: JSONValue = spec.map { ["spec": $0] } ?? [:]
                return try await fixture.preview(body)["refusals"]?.arrayValue?.compactMap(\.stringValue) ?? []
            }
            #expect(try await refusals() == [])
            #expect(
                try await refusals(Self.plan(["rules": ["none"]])) == [
                    "/spec/strategy/trafficRouting/scope/rules/0: no rule that sends requests to reviews is called none"
                ])
            #expect(
                try await refusals(Self.plan(nil, ["canary": ["version": "v9"]])) == [
                    "/spec/canary/version: the service reviews has no version v9"
                ])
            try await fixture.putStatus(
                "shop/services/reviews", ServiceStatus(stableVersion: .known("v2")).json)
            #expect(try await refusals() == ["/spec/stable/version: the service's stable version is v2"])
            try await fixture.putStatus(
                "shop/services/reviews", ServiceStatus(stableVersion: .known("v1")).json)
            #expect(try await refusals() == [])
            try await fixture.setProgress(2000)
            #expect(try await refusals() == [], "it is no rival of itself")
            try await fixture.setStatus { $0 = ReleaseStatus() }
            try await fixture.put("shop/releases/other", Self.plan(nil))
            try await fixture.act(.start, on: "shop/releases/other")
            #expect(try await refusals() == ["/spec/service: release other of the same service is active"])
        }
    }

    @Test("of a document that is wrong, or of a service that is not there, nothing")
    func wrong() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", Self.plan(nil))
            func answer(_ body: JSONValue, by caller: Caller = .of(.viewer)) async throws -> String {
                try await refusal { try await fixture.preview(body, by: caller) }
            }
            #expect(try await answer([:]) == "accepted")
            #expect(try await answer(["x": 1]) == "invalid: /x unknownField")
            #expect(
                try await answer(["spec": Self.plan(nil, ["canary": ["version": "v1"]])])
                    == "invalid: /spec/canary/version conflict")
            #expect(
                try await answer(["spec": Self.plan(nil, ["service": "none"])]) == "conflict: targetMissing")
            #expect(try await answer([:], by: .of(.viewer, tenant: "globex")) == "not found: tenant acme")
        }
    }

    @Test("the release itself goes on telling until it has ended")
    func routes() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/virtualServices/reviews", Self.rules)
            try await fixture.put("shop/releases/r", Self.plan(nil))
            func routes() async throws -> [String] {
                let release = try await fixture.fetch("shop/releases/r")
                return Self.effects(.object(try await fixture.control.routes(of: release)))
            }
            #expect(try await routes().count == 2)
            try await fixture.setProgress(2000)
            #expect(try await routes().count == 2)
            try await fixture.setStatus { $0.phase = .aborted }
            #expect(try await routes() == [])
        }
    }
}
