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

@Suite("A preview tells the steps of a release one by one")
struct ReleasePreviewStepTests {
    private static let plan: [String: JSONValue] = [
        "strategy": [
            "type": "canary",
            "steps": [
                ["name": "insiders", "setMatch": ["any": [["headers": ["x-canary": ["exact": "yes"]]]]]],
                ["pause": [:]],
                ["setMirror": ["percentage": 20, "methods": ["GET"]]], ["setWeight": 2000], ["setWeight": 10_000],
            ],
        ]
    ]

    private static func report(
        _ fixture: ControlFixture, _ name: String, _ namespace: String = "shop", isKnown: Bool = true
    )
        async throws
    {
        try await fixture.store.report([
            ProxyRow(
                mesh: ControlFixture.mesh, name: NamespacedName(namespace: .known(namespace), name: .known(name)),
                replica: "r", connected: true, connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:],
                client: isKnown ? ProxyClient(.envoy(httpProxyPort: 15_080), service: .known("p")) : nil)
        ])
    }

    /// A route that says how many stages there were, and for whom.
    private static let source: RouteDifferenceSource = { proxy, before, stages, _ in
        stages.indices.map { index in
            [
                RouteDifference(
                    host: .service(NamespacedName(namespace: .known("shop"), name: .known("reviews"))), resource: "all",
                    index: 7, before: .integer(Int64(index)), after: .integer(Int64(index) + 1))
            ]
        }
    }

    @Test("with kind, gate, traffic, rules and the difference of a proxy's routes; first the start, last the promotion")
    func steps() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put(
                "shop/virtualServices/reviews", ControlFixture.rules("reviews", to: ["host": "reviews"]))
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.plan))
            try await Self.report(fixture, "p")
            let preview = try await fixture.preview(routesFrom: Self.source)
            let steps = preview["steps"]?.arrayValue ?? []
            #expect(preview["proxy"] == "shop/p" && preview["truncated"] == nil)
            #expect(
                steps.map {
                    "\($0["index"]?.integerValue ?? -1) \($0["kind"]?.stringValue ?? "") \($0["gate"]?.stringValue ?? "-")"
                }
                    == [
                        "-1 start -", "0 setMatch -", "1 pause pause", "2 setMirror -", "3 setWeight -",
                        "4 setWeight -", "-1 promotion -",
                    ])
            #expect(
                steps.map { $0["traffic"]?["canary"]?.integerValue } == [0, 0, 0, 0, 2000, 10_000, 10_000])
            #expect(steps.map { $0["traffic"]?["matches"]?.arrayValue?.count ?? 0 } == [0, 1, 1, 1, 1, 1, 0])
            #expect(steps[3]["traffic"]?["mirror"] == ["canary": 2000, "methods": ["GET"]])
            #expect(
                steps.map { $0["rules"]?.arrayValue?.compactMap { $0["effect"]?.stringValue } ?? [] }
                    == [["moves"], ["split"], ["split"], ["split"], ["split"], ["split"], ["completes"]])
            #expect(
                steps[1]["rules"]?.arrayValue?.first?["object"] == [
                    "kind": "VirtualService", "namespace": "shop", "name": "reviews",
                ])
            #expect(
                steps.map { $0["routes"] }
                    == (0..<7).map { index in
                        [["op": "replace", "path": "/all/virtual_hosts/7", "value": .integer(Int64(index) + 1)]]
                    })
            #expect(preview["warnings"]?.arrayValue?.map { $0["pointer"] } == ["/spec/strategy/steps/3"])
            let other = try await fixture.preview(["spec": ControlFixture.release()], routesFrom: Self.source)
            #expect(other["steps"]?.arrayValue?.count == 5)
        }
    }

    @Test("with the gate of those who may not promote, once, before the canary gets most of the requests")
    func gates() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.plan))
            func gates(_ spec: JSONValue? = nil, by role: Role) async throws -> [String] {
                let body: JSONValue = spec.map { ["spec": $0] } ?? [:]
                let steps = try await fixture.preview(body, by: .of(role))["steps"]?.arrayValue ?? []
                return steps.map { $0["gate"]?.stringValue ?? "-" }
            }
            #expect(try await gates(by: .releaser) == ["-", "-", "pause", "-", "-", "-", "-"])
            #expect(try await gates(by: .developer) == ["-", "-", "pause", "-", "-", "promotion", "-"])
            func plan(_ steps: JSONValue, _ routing: JSONValue = [:]) -> JSONValue {
                ControlFixture.release(["strategy": ["type": "canary", "steps": steps, "trafficRouting": routing]])
            }
            let wide: JSONValue = [["setMatch": ["any": [["path": ["prefix": "/a"]]]]], ["setWeight": 6000]]
            #expect(try await gates(plan(wide), by: .developer) == ["-", "promotion", "-", "-"])
            let small: JSONValue = [["setWeight": 5000], ["setWeight": 100]]
            #expect(try await gates(plan(small), by: .developer) == ["-", "-", "-", "promotion"])
            try await fixture.put(
                "shop/virtualServices/reviews", ControlFixture.rules("reviews", to: ["host": "reviews"]))

            // What a running release may do was decided by who started it.
            try await fixture.setStatus { status in
                status.phase = .progressing
                status.people.mayPromote = false
            }
            #expect(try await gates(by: .releaser)[5] == "promotion")
        }
    }

    @Test("holds while documents and endpoints are the same")
    func basis() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.plan))
            func basis() async throws -> [JSONValue?] {
                let basis = try await fixture.preview()["unchangedWhile"]
                return [basis?["documents"], basis?["endpoints"]]
            }
            let first = try await basis()
            #expect(try await basis() == first)
            try await fixture.put("shop/services/reviews/endpoints/e3", ControlFixture.endpoint("v1", 3))
            let second = try await basis()
            #expect(second[0] == first[0] && second[1] != first[1])
            try await fixture.delete("shop/services/reviews/endpoints/e1")
            let third = try await basis()
            #expect(third[0] == first[0] && third[1] != second[1])
            try await fixture.put("shop/virtualServices/v", ControlFixture.rules("reviews", to: ["host": "reviews"]))
            let fourth = try await basis()
            #expect(fourth[0] != third[0] && fourth[1] == third[1])
        }
    }

    @Test("for the proxy that was named, or the first that the caller may know of")
    func proxies() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.plan))
            func proxy(_ body: JSONValue = [:], by caller: Caller = .of(.viewer)) async throws -> String {
                var shown = "none"
                let answer = try await refusal {
                    let preview = try await fixture.preview(body, by: caller, routesFrom: Self.source)
                    if let name = preview["proxy"]?.stringValue { shown = name }
                    let routes = preview["steps"]?.arrayValue?.compactMap { $0["routes"]?.arrayValue } ?? []
                    #expect((shown == "none") == routes.isEmpty)
                }
                return answer == "accepted" ? shown : answer
            }
            #expect(try await proxy() == "none")
            try await Self.report(fixture, "a", "cart")
            try await Self.report(fixture, "b", "shop")
            try await Self.report(fixture, "b", "cart")
            try await Self.report(fixture, "odd", "shop", isKnown: false)
            #expect(try await proxy() == "cart/a")
            #expect(try await proxy(by: .of(.viewer, namespaces: [.known("shop")])) == "shop/b")
            #expect(try await proxy(["proxy": "a"]) == "cart/a")
            #expect(try await proxy(["proxy": "shop/b"]) == "shop/b")
            #expect(try await proxy(["proxy": "b"]) == "invalid: /query/namespace required")
            #expect(try await proxy(["proxy": "b"], by: .of(.viewer, namespaces: [.known("shop")])) == "shop/b")
            #expect(
                try await proxy(["proxy": "a"], by: .of(.viewer, namespaces: [.known("shop")])) == "not found: proxy a")
            #expect(
                try await proxy(["proxy": "cart/a"], by: .of(.viewer, namespaces: [.known("shop")]))
                    == "forbidden: proxies.read")
            #expect(try await proxy(["proxy": "none"]) == "not found: proxy none")
            #expect(try await proxy(["proxy": "odd"]) == "invalid: /proxy invalidValue")
            for wrong in ["", "/", "a/", "A", "a/b/c"] {
                #expect(try await proxy(["proxy": .string(wrong)]) == "invalid: /proxy invalidFormat")
            }
            #expect(try await proxy(["proxy": 1]) == "invalid: /proxy wrongType")
        }
    }

    @Test("as far as there is place, and counts the rest")
    func bounds() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release(Self.plan))
            try await Self.report(fixture, "p")
            let large = JSONValue.string(String(repeating: "\u{1}", count: Limits.previewBytes.value / 24))
            let preview = try await fixture.preview(routesFrom: { _, _, stages, _ in
                stages.map { _ in
                    [
                        RouteDifference(
                            host: .service(NamespacedName(namespace: .known("shop"), name: .known("reviews"))),
                            resource: "all", index: 0, before: .null, after: large)
                    ]
                }
            })
            let steps = preview["steps"]?.arrayValue ?? []
            #expect(steps.map { $0["routes"] == nil } == [false, false, false, true, true, true, true])
            #expect(steps.map { $0["omittedRoutes"] ?? 0 } == [0, 0, 0, 1, 1, 1, 1] && preview["truncated"] == 4)
        }
    }
}
