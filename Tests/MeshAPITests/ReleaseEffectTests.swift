import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshModel
import MeshStore
import Testing

@Suite("What a release does to the rules of the mesh is told before, while and by whom it is done")
struct ReleaseEffectTests {
    private static let release = Fixture.shop + "/releases/reviews-v2"
    private static let rules = Fixture.shop + "/virtualServices/reviews"

    /// Rules of every sort: the names say what becomes of them.
    private static func document(canary: Int64 = 0) -> JSONValue {
        let v1: JSONValue = ["host": "reviews", "subset": "v1"]
        let v2: JSONValue = ["host": "reviews", "subset": "v2"]
        return [
            "spec": [
                "hosts": ["reviews"],
                "http": [
                    ["name": "gone", "match": [["uri": ["prefix": "/gone"]]], "directResponse": ["status": 410]],
                    [
                        "name": "pin", "match": [["headers": ["x-pin": ["exact": "v1"]]]],
                        "route": [["destination": v1]],
                    ],
                    [
                        "name": "try", "match": [["headers": ["x-try": ["exact": "v2"]]]],
                        "route": [["destination": v2]],
                    ],
                    [
                        "name": "main",
                        "route": [
                            ["destination": v1, "weight": .integer(100 - canary)],
                            ["destination": v2, "weight": .integer(canary)],
                        ],
                    ],
                ],
            ]
        ]
    }

    private static func plan(_ scope: JSONValue? = nil, _ more: [String: JSONValue] = [:]) -> JSONValue {
        var strategy: [String: JSONValue] = ["type": "canary", "steps": [["setWeight": 2000], ["setWeight": 10_000]]]
        if let scope { strategy["trafficRouting"] = ["scope": scope] }
        let spec: [String: JSONValue] = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": .object(strategy),
        ]
        return ["spec": .object(spec.merging(more) { $1 })]
    }

    /// `rule effect atPromotion` of each.
    private static func effects(_ document: JSONValue?) -> [String] {
        (document?["rules"]?.arrayValue ?? []).map { rule in
            ["rule", "effect", "atPromotion"].map { rule[$0]?.stringValue ?? "-" }.joined(separator: " ")
        }
    }

    private static let all = [
        "pin pinned unchanged", "try keptCanaryOnly unchanged", "main split completes", "gone untouched unchanged",
    ]

    @Test("preview, the answer of the start, and the release's status name every rule, pinned and kept ones first")
    func told() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            #expect(preview.status == 200, "\(preview.text)")
            #expect(Self.effects(preview.body) == Self.all)
            #expect(preview.body["rules"]?.arrayValue?.first?["pointer"] == "/spec/http/1")
            #expect(
                preview.body["rules"]?.arrayValue?.first?["virtualService"] == ["namespace": "shop", "name": "reviews"])
            #expect(preview.body["refusals"] == nil)
            #expect(preview.body["promotion"]?["unsplit"] == "move")
            #expect(preview.body["promotion"]?["waitsForAcknowledgement"] == false)
            #expect(preview.body["stableVersion"]?["before"] == .null)
            #expect(preview.body["stableVersion"]?["after"] == "v1")
            #expect(preview.body["stableVersion"]?["neededStable"] == 1)
            #expect(preview.body["stableVersion"]?["readyTotal"] == 2)
            #expect(try await api.get(Self.release).body["status"]?["phase"] == "Draft", "a preview does nothing")

            let draft = try await api.get(Self.release)
            #expect(Self.effects(draft.body["status"]?["routes"]) == Self.all)
            let started = try await api.send("POST", Self.release + ":start", [:])
            #expect(started.status == 200, "\(started.text)")
            let warnings = (started.body["warnings"]?.arrayValue ?? []).compactMap { $0["detail"]?.stringValue }
            #expect(warnings.count == 4)
            #expect(warnings.first?.hasPrefix("rule \"pin\" at /spec/http/1 of VirtualService shop/reviews") == true)
            #expect(warnings.first?.contains("pinned") == true)
            let cached = try await api.get(Self.release, ["If-None-Match": started.tag])
            #expect(cached.status == 200, "rules may have changed though the release did not")
            #expect(Self.effects(cached.body["status"]?["routes"]) == Self.all)

            #expect(try await api.send("DELETE", Self.rules, headers: ["If-Match": "*"]).status == 204)
            let without = try await api.get(Self.release)
            #expect(Self.effects(without.body["status"]?["routes"]) == ["- split completes"])
        }
    }

    @Test("rules that no request gets to, or that send the service none, are not split: the release stands still")
    func maintenance() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let away: JSONValue = ["directResponse": ["status": 503]]
            let main: JSONValue = ["name": "main", "route": [["destination": ["host": "reviews"]]]]
            let pages: JSONValue = ["spec": ["ports": [["name": "http", "port": 9080]]]]
            #expect(try await api.send("PUT", Fixture.shop + "/services/pages", pages).status == 201)
            let weightless: JSONValue = [
                "route": [
                    ["destination": ["host": "reviews"], "weight": 0],
                    ["destination": ["host": "pages"], "weight": 100],
                ]
            ]
            func write(_ rules: [JSONValue]) async throws -> Fixture.Answer {
                try await api.send(
                    "PUT", Self.rules, ["spec": ["hosts": ["reviews"], "http": .array(rules)]], ["If-Match": "*"])
            }
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            try await Self.expose(api)
            for rules in [[away, main], [weightless]] {
                let written = try await write(rules)
                #expect(written.status == 200, "\(written.text)")
                #expect(written.text.contains("left nothing to split"), "\(written.text)")
                let shown = Self.effects(try await api.get(Self.release).body["status"]?["routes"])
                #expect(!shown.contains { $0.hasPrefix("main") })
            }
            #expect(try await write([main]).text.contains("left nothing to split") == false)
        }
    }

    @Test("a plan whose copies of the rules would be too many is not started, and preview says so")
    func copies() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let matches = (0..<64).map { index -> JSONValue in ["uri": ["exact": .string("/\(index)")]] }
            let rule: JSONValue = ["match": .array(matches), "route": [["destination": ["host": "reviews"]]]]
            let rules: JSONValue = ["spec": ["hosts": ["reviews"], "http": .array(Array(repeating: rule, count: 50))]]
            #expect(try await api.send("PUT", Self.rules, rules).status == 201)
            let contents = (0..<7).map { index -> JSONValue in
                ["headers": ["x-user": ["exact": .string("\(index)")]]]
            }
            let steps: JSONValue = [["setWeight": 2000], ["setMatch": ["any": .array(contents)]]]
            let plan = Self.plan(nil, ["strategy": ["type": "canary", "steps": steps]])
            let written = try await api.send("PUT", Self.release, plan)
            #expect(written.status == 201, "\(written.text)")
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            #expect(preview.text.contains("/spec/strategy/steps/1: it would make more copies"), "\(preview.text)")
            let refused = try await api.send("POST", Self.release + ":start", [:])
            #expect(refused.status == 400 && refused.errors == ["/spec/strategy/steps/1 tooMany"], "\(refused.text)")
            #expect(refused.text.contains("limit copiesPerService"))
        }
    }

    @Test("rules that grow too many for a running release's copies are told, and are no part of what is split")
    func copiesOfARunningRelease() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            func rules(_ count: Int) -> JSONValue {
                let matches = (0..<20).map { index -> JSONValue in ["uri": ["exact": .string("/\(index)")]] }
                let rule: JSONValue = ["match": .array(matches), "route": [["destination": ["host": "reviews"]]]]
                return ["spec": ["hosts": ["reviews"], "http": .array(Array(repeating: rule, count: count))]]
            }
            #expect(try await api.send("PUT", Self.rules, rules(2)).status == 201)
            let contents = (0..<32).map { index -> JSONValue in
                ["headers": ["x-user": ["exact": .string("\(index)")]]]
            }
            let steps: JSONValue = [["setMatch": ["any": .array(contents)]], ["pause": [:]], ["setWeight": 5000]]
            let plan = Self.plan(nil, ["strategy": ["type": "canary", "steps": steps]])
            #expect(try await api.send("PUT", Self.release, plan).status == 201)
            let key = try Self.key()
            let row = try #require(try await api.control.store.release(key))
            var stored = try StoredRelease(row)
            try await Self.expose(api) { status in
                status.traffic.matches = stored.spec.strategy.traffic(through: 0).matches
                let step: JSONValue = [
                    "index": 1, "kind": "pause", "state": "Waiting", "startedAt": "2026-11-30T00:00:00Z", "visit": 1,
                ]
                status.currentStep = ReleaseStatus(["currentStep": step]).currentStep
                stored.status = status
            }
            let before = Self.effects(try await api.get(Self.release).body["status"]?["routes"])
            #expect(Set(before) == ["- split movesRest"])
            #expect(try await api.control.observe(stored).observations.rules.leftOut.isEmpty)

            let grown = try await api.send("PUT", Self.rules, rules(40), ["If-Match": "*"])
            #expect(grown.status == 200 && grown.text.contains("left as they are"), "\(grown.text)")
            let after = try await api.get(Self.release).body["status"]?["routes"]
            // 31 rules of 640 copies are within 20000.
            #expect(Self.effects(after).filter { $0 == "- split movesRest" }.count == 31)
            #expect(Self.effects(after).filter { $0 == "- tooManyCopies moves" }.count == 9)
            #expect(after?["rules"]?.arrayValue?.first?["effect"] == "tooManyCopies", "first what people have to know")
            #expect(after?["rules"]?.arrayValue?.first?["why"]?.stringValue?.contains("limit copiesPerService") == true)
            let seen = try await api.control.observe(stored).observations.rules
            #expect(seen.leftOut.count == 9 && seen.areSplit)
            #expect(seen.unsplit.count == 9, "the promotion would move them at once")
        }
    }

    @Test("a scope that is added later narrows the release: its default follows")
    func addedScope() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            let created = try await api.send("PUT", Self.release, Self.plan())
            #expect(created.status == 201 && created.body["spec"]?["promotion"] == nil, "\(created.text)")
            let patch: JSONValue = ["spec": ["strategy": ["trafficRouting": ["scope": ["rules": ["pin"]]]]]]
            let patched = try await api.send(
                "PATCH", Self.release, patch, ["If-Match": "*", "Content-Type": "application/merge-patch+json"])
            #expect(patched.status == 200, "\(patched.text)")
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            #expect(preview.body["promotion"]?["unsplit"] == "hold")
            #expect(preview.body["promotion"]?["waitsForAcknowledgement"] == true)
        }
    }

    @Test("a mirror beside a share, and weights that are written by hand before a planned start, are told")
    func toldBeforehand() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            let steps: JSONValue = [["setMirror": ["percentage": 10]], ["setWeight": 500], ["pause": [:]]]
            let plan = Self.plan(
                nil,
                [
                    "strategy": ["type": "mirror", "steps": steps], "schedule": ["startAt": "2099-01-01T00:00:00Z"],
                ])
            let created = try await api.send("PUT", Self.release, plan)
            let started = try await api.send("POST", Self.release + ":start", [:])
            #expect(started.body["status"]?["phase"] == "Pending", "\(started.text)")
            for answer in [created, started] {
                #expect(
                    Self.warnings(answer).contains {
                        $0.hasPrefix("/spec/strategy/steps/1 from this step on the canary gets mirrored copies")
                    }, "\(answer.text)")
            }
            let byHand = try await api.send("PUT", Self.rules, Self.document(canary: 10), ["If-Match": "*"])
            #expect(byHand.status == 200)
            #expect(
                Self.warnings(byHand).contains {
                    $0.hasPrefix("/spec/http/3/route/1/weight while the release shop/reviews-v2")
                }, "\(byHand.text)")
        }
    }

    @Test("what the service means before and after: other services' rules that name it are told as well")
    func stableVersion() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let pages: JSONValue = ["spec": ["ports": [["name": "http", "port": 80]]]]
            #expect(try await api.send("PUT", Fixture.shop + "/services/pages", pages).status == 201)
            let rules: JSONValue = [
                "spec": ["hosts": ["pages"], "http": [["route": [["destination": ["host": "reviews"]]]]]]
            ]
            #expect(try await api.send("PUT", Fixture.shop + "/virtualServices/pages", rules).status == 201)
            for number in 0..<5 {
                let path = Fixture.shop + "/services/reviews/endpoints/more\(number)"
                var endpoint = Fixture.endpoint("v1", 19_000 + Int64(number)).objectValue?["spec"]?.objectValue ?? [:]
                endpoint["version"] = nil
                #expect(try await api.send("PUT", path, ["spec": .object(endpoint)]).status == 201)
            }
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            let stable = try #require(preview.body["stableVersion"])
            #expect(stable["readyStable"] == 1)
            #expect(stable["readyTotal"] == 7)
            #expect(stable["neededStable"] == 3)
            #expect(
                stable["moves"] == [
                    [
                        "namespace": "shop", "service": "pages", "port": 80, "pointer": "/spec/http/0",
                        "virtualService": ["namespace": "shop", "name": "pages"],
                        "before": ["all versions of shop/reviews"], "after": ["shop/reviews v1"],
                    ],
                    [
                        "namespace": "shop", "service": "reviews", "port": 9080,
                        "before": ["all versions of shop/reviews"], "after": ["shop/reviews v1"],
                    ],
                ])
        }
    }

    @Test("a scope that leaves rules out: they move at the promotion, and the plan waits unless it says move")
    func scope() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            #expect(try await api.send("PUT", Self.release, Self.plan(["rules": ["pin"]])).status == 201)
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            #expect(Self.effects(preview.body).contains("main outOfScope moves"), "\(preview.text)")
            #expect(Self.effects(preview.body).contains("pin split completes"))
            #expect(Self.effects(preview.body["promotion"]) == ["main outOfScope moves"])
            #expect(preview.body["promotion"]?["waitsForAcknowledgement"] == true)
            let other = try await api.send(
                "POST", Self.release + ":preview", Self.plan(["rules": ["pin"]], ["promotion": ["unsplit": "move"]]))
            #expect(other.body["promotion"]?["waitsForAcknowledgement"] == false)
        }
    }

    @Test(
        "users can be told apart by the key of a destination's hashing only, and of another one that comes later is told"
    )
    func stickiness() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            func hash(_ header: String) -> JSONValue {
                let balancer: JSONValue = ["consistentHash": ["httpHeaderName": .string(header)]]
                return ["spec": ["host": "reviews", "trafficPolicy": ["loadBalancer": balancer]]]
            }
            let policies = Fixture.shop + "/destinationRules/reviews"
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            #expect(try await api.send("PUT", policies, hash("x-session")).status == 201)
            let strategy: JSONValue = [
                "type": "canary", "steps": [["setWeight": 2000]],
                "trafficRouting": ["stickiness": ["source": ["header": "X-User"]]],
            ]
            let plan = Self.plan(nil, ["strategy": strategy])
            #expect(try await api.send("PUT", Self.release, plan).status == 201)
            let refused = try await api.send("POST", Self.release + ":start", [:])
            let place = "/spec/strategy/trafficRouting/stickiness"
            #expect(refused.status == 400 && refused.errors == ["\(place) conflict"], "\(refused.text)")
            for name in ["header x-user", "header x-session", "DestinationRule shop/reviews"] {
                #expect(refused.text.contains(name), "\(refused.text)")
            }
            let preview = try await api.send("POST", Self.release + ":preview", [:])
            #expect(preview.body["refusals"]?.arrayValue?.count == 1, "\(preview.text)")

            #expect(try await api.send("PUT", policies, hash("X-USER"), ["If-Match": "*"]).status == 200)
            let rules = try await api.send("POST", Self.release + ":preview", [:]).body["rules"]?.arrayValue ?? []
            let told = rules.first { $0["effect"] == "split" }?["stickiness"]?.stringValue ?? ""
            #expect(told.hasPrefix("while both versions have a share, users are kept on one of them by header x-user"))
            #expect(rules.filter { $0["stickiness"] != nil }.count == 1)
            try await Self.expose(api)
            let later = try await api.send("PUT", policies, hash("x-session"), ["If-Match": "*"])
            #expect(later.status == 200, "\(later.text)")
            #expect(later.text.contains("there, users are not kept on a version"), "\(later.text)")
            // So is a rule that brings such a destination.
            #expect(try await api.send("PUT", policies, hash("x-user"), ["If-Match": "*"]).status == 200)
            let pages: JSONValue = ["spec": ["ports": [["name": "http", "port": 9080]]]]
            #expect(try await api.send("PUT", Fixture.shop + "/services/pages", pages).status == 201)
            let other = hash("x-session").merged(with: ["spec": ["host": "pages"]])
            #expect(try await api.send("PUT", Fixture.shop + "/destinationRules/pages", other).status == 201)
            let parts: JSONValue = [
                ["destination": ["host": "reviews"], "weight": 50], ["destination": ["host": "pages"], "weight": 50],
            ]
            let mixed = try await api.send(
                "PUT", Self.rules, ["spec": ["hosts": ["reviews"], "http": [["route": parts]]]], ["If-Match": "*"])
            #expect(mixed.text.contains("by DestinationRule shop/pages by header x-session"), "\(mixed.text)")
            let shown = try await api.get(Self.release).body["status"]?["routes"]?["rules"]?.arrayValue ?? []
            #expect(
                shown.contains {
                    $0["stickiness"]?.stringValue?.hasPrefix("users are not kept on a version: ") == true
                })
        }
    }

    @Test(
        "a start is refused if a rule gives the canary requests by hand, or if the scope names a rule that is not there"
    )
    func refusals() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document(canary: 10)).status == 201)
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            let byHand = try await api.send("POST", Self.release + ":start", [:])
            #expect(byHand.status == 409)
            #expect(byHand.code == "canaryWeight")
            #expect(byHand.errors == ["/spec/http/3/route/1/weight conflict"])
            let refusals = try await api.send("POST", Self.release + ":preview", [:]).body["refusals"]?.arrayValue ?? []
            #expect(refusals.count == 1)
            #expect(refusals.first?.stringValue?.hasPrefix("/spec/http/3/route/1/weight: ") == true)

            #expect(try await api.send("PUT", Self.rules, Self.document(), ["If-Match": "*"]).status == 200)
            let plan = Self.plan(["rules": ["*", "reviews/main", "reviews/none", "nothing"]])
            #expect(try await api.send("PUT", Self.release, plan, ["If-Match": "*"]).status == 200)
            let unknown = try await api.send("POST", Self.release + ":start", [:])
            #expect(unknown.status == 400)
            let scope = "/spec/strategy/trafficRouting/scope/rules"
            #expect(unknown.errors == ["\(scope)/2 unknownReference", "\(scope)/3 unknownReference"])
            #expect(try await api.get(Self.release).body["status"]?["phase"] == "Draft")
        }
    }

    @Test(
        "a plan that ends before the canary has all says that the promotion moves the rest, and who moves to stable first"
    )
    func ends() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let contents: JSONValue = [["headers": ["x-user": ["exact": "jason"]]]]
            for (steps, end) in [
                ([["setWeight": 500]], "movesRest"), ([["setMatch": ["any": contents]]], "movesRest"),
                ([["setWeight": 500], ["setWeight": 10_000], ["pause": [:]]], "completes"),
            ] as [(JSONValue, String)] {
                let plan = Self.plan(nil, ["strategy": ["type": "canary", "steps": steps]])
                #expect(try await api.send("DELETE", Self.release, headers: ["If-Match": "*"]).status != 409)
                #expect(try await api.send("PUT", Self.release, plan).status == 201)
                let preview = try await api.send("POST", Self.release + ":preview", [:])
                #expect(Self.effects(preview.body) == ["- split \(end)"], "\(preview.text)")
                #expect(preview.body["promotion"]?["rules"] == [])
            }
            let started = try await api.send("POST", Self.release + ":start", [:])
            let warnings = Self.warnings(started)
            #expect(warnings.count == 2, "\(started.text)")
            #expect(warnings.first?.contains("the promotion finds it on the canary already") == true)
            #expect(
                warnings.last
                    == " the default route of service shop/reviews, port 9080, goes to shop/reviews v1 instead of "
                    + "all versions of shop/reviews")
        }
    }

    @Test("preview and start tell of another active release, and of rules that leave nothing to split")
    func startsForNothing() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            let page: JSONValue = ["spec": ["hosts": ["reviews"], "http": [["directResponse": ["status": 503]]]]]
            #expect(try await api.send("PUT", Self.rules, page).status == 201)
            let started = try await api.send("POST", Self.release + ":start", [:])
            #expect(started.status == 200, "\(started.text)")
            #expect(Self.warnings(started).contains { $0.hasPrefix(" there is nothing to split") }, "\(started.text)")
            let second = Fixture.shop + "/releases/second"
            #expect(try await api.send("PUT", second, Self.plan()).status == 201)
            let preview = try await api.send("POST", second + ":preview", [:])
            #expect(
                preview.body["refusals"] == ["/spec/service: release reviews-v2 of the same service is active"],
                "\(preview.text)")
        }
    }

    @Test("a plan that was stored before a default was written down is no other one when it is sent again")
    func storedBefore() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let written = try await api.send("PUT", Self.release, Self.plan())
            var spec = try #require(written.body["spec"]?.objectValue)
            #expect(spec.removeValue(forKey: "retainStable") != nil)
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("reviews-v2")))
            let old = JSONValue.object(spec)
            _ = try await api.control.store.write(tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r") {
                try await $0.put(.namespaced(.release, name, in: mesh), metadata: ObjectLabels(), spec: old)
            }
            let again = try await api.send("PUT", Self.release, Self.plan(), ["If-Match": "*"])
            #expect(again.status == 200 && again.body["metadata"]?["generation"] == 2, "\(again.text)")
        }
    }

    @Test("a release that does not fit its service is no preview but a mistake")
    func badPreview() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("POST", Self.release + ":preview", [:]).status == 404)
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            let bad = try await api.send("POST", Self.release + ":preview", ["spec": ["service": 3], "proxies": "p"])
            #expect(bad.status == 400)
            #expect(bad.errors.contains("/proxies unknownField"))
            #expect(bad.errors.contains("/spec/service wrongType"))
            let none = try await api.send("POST", Self.release + ":preview", Self.plan(nil, ["service": "nothing"]))
            #expect(none.status == 409)
            let version = Self.plan(nil, ["canary": ["version": "v9"]])
            let refusals = try await api.send("POST", Self.release + ":preview", version).body["refusals"]?.arrayValue
            #expect(refusals?.first?.stringValue?.hasPrefix("/spec/canary/version: ") == true)
        }
    }

    @Test("rules are edited while a release runs: what leaves it nothing to split, or its canary a weight, is told")
    func editing() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.rules, Self.document()).status == 201)
            #expect(try await api.send("PUT", Self.release, Self.plan()).status == 201)
            try await Self.expose(api)
            let byHand = try await api.send("PUT", Self.rules, Self.document(canary: 10), ["If-Match": "*"])
            #expect(byHand.status == 200, "\(byHand.text)")
            #expect(
                Self.warnings(byHand).contains {
                    $0.hasPrefix("/spec/http/3/route/1/weight while the release shop/reviews-v2")
                })
            let page: JSONValue = [
                "spec": ["hosts": ["reviews"], "http": [["directResponse": ["status": 503]]]]
            ]
            for query in ["?validateOnly=true", ""] {
                let taken = try await api.send("PUT", Self.rules + query, page, ["If-Match": "*"])
                #expect(taken.status == 200)
                #expect(
                    Self.warnings(taken).contains {
                        $0.hasPrefix(" the release shop/reviews-v2 is left nothing to split")
                    })
            }
            // An answer that is given again says the same.
            #expect(try await api.send("DELETE", Self.rules, headers: ["If-Match": "*"]).status == 204)
            let named = page.merged(with: ["metadata": ["name": "reviews"]])
            var answers: [Fixture.Answer] = []
            for _ in 0..<2 {
                answers.append(
                    try await api.send(
                        "POST", Fixture.shop + "/virtualServices", named, ["Idempotency-Key": "k1"]))
            }
            #expect(answers.map(\.status) == [201, 201] && answers[0].text == answers[1].text)
            #expect(
                Self.warnings(answers[1]).contains {
                    $0.hasPrefix(" the release shop/reviews-v2 is left nothing to split")
                })
            let back = try await api.send("PUT", Self.rules, Self.document(), ["If-Match": "*"])
            #expect(!Self.warnings(back).contains { $0.contains("reviews-v2") })
        }
    }

    private static func warnings(_ answer: Fixture.Answer) -> [String] {
        (answer.body["warnings"]?.arrayValue ?? []).map {
            "\($0["pointer"]?.stringValue ?? "") \($0["detail"]?.stringValue ?? "")"
        }
    }

    /// Gives the canary a fifth, as the engine would.
    private static func expose(_ api: Fixture, _ change: (inout ReleaseStatus) -> Void = { _ in }) async throws {
        var status = ReleaseStatus()
        status.phase = .progressing
        status.traffic.canaryShare = try #require(TrafficShare(basisPoints: 2000))
        change(&status)
        let document = status.json
        let key = try key()
        _ = try await api.control.store.write(
            tenant: key.tenant, mesh: .defaultMesh, actor: "test", requestId: "r"
        ) {
            try await $0.putStatus(key, document)
        }
    }

    /// Of the release.
    private static func key() throws -> ObjectKey {
        let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
        let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("reviews-v2")))
        return .namespaced(.release, name, in: mesh)
    }
}
