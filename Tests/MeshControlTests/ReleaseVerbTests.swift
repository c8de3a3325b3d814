import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A release is started, moved and stopped by who may, when it can be")
struct ReleaseVerbTests {
    private static let rules = "shop/virtualServices/reviews"

    private static func rules(canary: Int64) -> JSONValue {
        [
            "hosts": ["reviews"],
            "http": [
                [
                    "name": "main",
                    "route": [
                        ["destination": ["host": "reviews", "subset": "v1"], "weight": .integer(100 - canary)],
                        ["destination": ["host": "reviews", "subset": "v2"], "weight": .integer(canary)],
                    ],
                ]
            ],
        ]
    }

    private static func scope(_ scope: JSONValue) -> [String: JSONValue] {
        [
            "strategy": [
                "type": "canary", "steps": [["setWeight": 2000], ["setWeight": 10_000]],
                "trafficRouting": ["scope": scope],
            ]
        ]
    }

    @Test("each verb takes its right, and skipping the whole plan another one")
    func permissions() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            func answer(_ verb: ReleaseVerb.Name, _ body: JSONValue = [:], _ role: Role) async throws -> String {
                try await refusal { try await fixture.act(verb, body, by: .of(role)) }
            }
            #expect(try await answer(.start, [:], .viewer) == "forbidden: releases.start")
            #expect(try await answer(.retry, [:], .viewer) == "forbidden: releases.start")
            #expect(try await answer(.rollback, [:], .viewer) == "forbidden: releases.rollback")
            #expect(try await answer(.promote, [:], .developer) == "forbidden: releases.promote")
            #expect(try await answer(.promote, ["to": "full"], .developer) == "forbidden: releases.promoteFull")
            #expect(try await answer(.promote, ["to": "full"], .releaser) == "conflict: illegalPhase")
            #expect(try await answer(.start, [:], .releaser) == "accepted")
            #expect(try await answer(.start, ["x": 1], .releaser) == "invalid: /x unknownField")
            #expect(try await answer(.retry, [:], .developer) == "conflict: illegalPhase")
        }
    }

    @Test("a start tells what becomes of every rule, and what moves as the service means its stable version")
    func started() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/services/pages", ControlFixture.service())
            try await fixture.put(
                "shop/virtualServices/pages", ControlFixture.rules("pages", to: ["host": "reviews"]))
            try await fixture.put(Self.rules, Self.rules(canary: 0))
            try await fixture.put("shop/releases/r", ControlFixture.release())
            let started = try await fixture.act(.start)
            let details = started.warnings.map(\.detail)
            #expect(details.contains { $0.hasPrefix("rule \"main\" at /spec/http/0 of VirtualService shop/reviews") })
            #expect(
                details.contains {
                    $0 == "/spec/http/0 of VirtualService shop/pages, port 9080, goes to shop/reviews v1 instead of "
                        + "all versions of shop/reviews"
                }, "\(details)")
            #expect(!details.contains { $0.hasPrefix("there is nothing to split") })
            // Where a version is in charge already, nothing moves.
            try await fixture.act(.abort)
            try await fixture.setStatus { $0.phase = .aborted }
            try await fixture.putStatus(
                "shop/services/reviews", ServiceStatus(stableVersion: .known("v1")).json)
            let again = try await fixture.act(.retry)
            #expect(!again.warnings.contains { $0.detail.contains("instead of") })
            #expect(again.warnings.contains { $0.detail.hasPrefix("rule \"main\"") }, "a retry is a start")
        }
    }

    @Test("a release that has nothing to split may start, and says so")
    func nothingToSplit() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(Self.rules, ["hosts": ["reviews"], "http": [["directResponse": ["status": 503]]]])
            try await fixture.put("shop/releases/r", ControlFixture.release())
            let started = try await fixture.act(.start)
            #expect(started.warnings.contains { $0.detail.hasPrefix("there is nothing to split") })
        }
    }

    @Test("a start is refused where the rules do not fit, or the service has changed")
    func refusedStarts() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ changes: [String: JSONValue] = [:]) async throws -> String {
                try await fixture.put("shop/releases/r", ControlFixture.release(changes))
                return try await refusal {
                    try await fixture.act(.start, [:], WriteOptions(validateOnly: true, requestId: "r"))
                }
            }
            try await fixture.put(Self.rules, Self.rules(canary: 0))
            #expect(try await answer(Self.scope(["rules": ["main"]])) == "accepted")
            #expect(
                try await answer(Self.scope(["rules": ["main", "none"]]))
                    == "invalid: /spec/strategy/trafficRouting/scope/rules/1 unknownReference")
            try await fixture.put(Self.rules, Self.rules(canary: 10))
            #expect(try await answer() == "conflict: canaryWeight")
            try await fixture.put(Self.rules, Self.rules(canary: 0))
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            try await fixture.store("shop/services/reviews", ControlFixture.service(["v1"]))
            let gone = try await refusal { try await fixture.act(.start) }
            #expect(gone == "conflict: targetMissing")
        }
    }

    @Test("copies of rules that would be too many are refused at the start, which preview says before")
    func excess() async throws {
        try await ControlFixture.runPrepared { fixture in
            let matches = (0..<64).map { index -> JSONValue in ["uri": ["exact": .string("/\(index)")]] }
            let rule: JSONValue = ["match": .array(matches), "route": [["destination": ["host": "reviews"]]]]
            try await fixture.put(
                Self.rules, ["hosts": ["reviews"], "http": .array(Array(repeating: rule, count: 50))])
            let contents = (0..<7).map { index -> JSONValue in ["headers": ["x-user": ["exact": .string("\(index)")]]] }
            let steps: JSONValue = [["setWeight": 2000], ["setMatch": ["any": .array(contents)]]]
            try await fixture.put(
                "shop/releases/r", ControlFixture.release(["strategy": ["type": "canary", "steps": steps]]))
            let refusals = try await fixture.preview()["refusals"]?.arrayValue?.compactMap(\.stringValue)
            #expect(refusals?.count == 1)
            #expect(refusals?.first?.hasPrefix("/spec/strategy/steps/1: it would make more copies") == true)
            let refused = try await refusal { try await fixture.act(.start) }
            #expect(refused == "invalid: /spec/strategy/steps/1 tooMany")
        }
    }

    @Test("a promotion tells what moves undivided, and other verbs tell nothing")
    func promotion() async throws {
        try await ControlFixture.runPrepared { fixture in
            let pages: JSONValue = [
                "name": "pages", "match": [["uri": ["prefix": "/pages"]]],
                "route": [["destination": ["host": "reviews"]]],
            ]
            let main = Self.rules(canary: 0)["http"]?.arrayValue?.first ?? [:]
            try await fixture.put(Self.rules, ["hosts": ["reviews"], "http": [pages, main]])
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.scope(["rules": ["main"]])))
            try await fixture.setProgress(2000)
            let promoted = try await fixture.act(
                .promote, ["to": "next"], WriteOptions(validateOnly: true, requestId: "r"))
            #expect(promoted.warnings.count == 1)
            #expect(promoted.warnings.first?.detail.hasPrefix("rule \"pages\" at /spec/http/0") == true)
            #expect(try await fixture.act(.pause).warned == [])
        }
    }

    @Test("an ended version of the release is not what the caller meant")
    func preconditions() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            let seen = ObjectVersion(try await fixture.fetch("shop/releases/r"))
            let options = WriteOptions(precondition: .oneOf([seen]), requestId: "r")
            #expect(try await refusal { try await fixture.act(.start, [:], options) } == "accepted")
            #expect(try await refusal { try await fixture.act(.abort, [:], options) } == "stale")
            #expect(try await refusal { try await fixture.act(.abort) } == "accepted")
        }
    }

    @Test("a release's events come in pages, oldest first")
    func events() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.act(.start)
            let key = try ControlFixture.key("shop/releases/r")
            func page(_ size: Int, after: Int64?) async throws -> ReleaseEventPage {
                try await fixture.control.releaseEvents(of: key, pageSize: size, after: after, by: .of(.viewer))
            }
            let all = try await page(100, after: nil)
            #expect(all.next == nil && all.items.count >= 2)
            #expect(all.items.first?.type == "Started")
            let first = try await page(1, after: nil)
            #expect(first.items.count == 1 && first.next == first.items.last?.sequence)
            let rest = try await page(all.items.count - 1, after: first.next)
            #expect(rest.items.map(\.sequence) == all.items.dropFirst().map(\.sequence) && rest.next == nil)
        }
    }
}
