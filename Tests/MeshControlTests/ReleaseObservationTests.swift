import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("What the release engine is told of the world is so")
struct ReleaseObservationTests {
    private static func observe(_ fixture: ControlFixture) async throws -> ReleaseObservations {
        let row = try #require(try await fixture.store.release(ControlFixture.key("shop/releases/r")))
        return try await fixture.control.observe(StoredRelease(row)).observations
    }

    @Test("of endpoints those count that are healthy and on a cluster of the mesh, by version")
    func endpoints() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.put("clusters/far", ["kind": "universal"])
            let endpoints: [(version: String?, changes: JSONValue)] = [
                ("v1", [:]), ("v1", ["health": "unhealthy"]), ("v2", ["health": "draining"]),
                ("v2", ["cluster": "far"]),
                (nil, [:]),
            ]
            for (number, endpoint) in endpoints.enumerated() {
                try await fixture.put(
                    "shop/services/reviews/endpoints/x\(number)",
                    ControlFixture.endpoint(endpoint.version, Int64(number + 1)).merged(with: endpoint.changes))
            }
            let seen = try await Self.observe(fixture)
            #expect(seen.readyStable == 2 && seen.readyCanary == 1 && seen.readyTotal == 4)
            #expect(seen.missing == [] && seen.rules.areSplit && seen.rules.unsplit == [])
            #expect(seen.stableVersion == nil && seen.promotions == [])
        }
    }

    @Test("what it names and what is not there is missing")
    func missing() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            for endpoint in ["e1", "e2"] { try await fixture.delete("shop/services/reviews/endpoints/\(endpoint)") }
            let tcp: JSONValue = ["ports": [["name": "p", "port": 9080, "protocol": "TCP"]]]
            let rows: [(service: JSONValue, missing: Set<ReleaseObservations.Target>)] = [
                (ControlFixture.service(["v1"]), [.canary]), (ControlFixture.service(["v2"]), [.stable]),
                (tcp, [.stable, .canary, .port]), (ControlFixture.service(), []),
            ]
            for row in rows {
                try await fixture.put("shop/services/reviews", row.service)
                #expect(try await Self.observe(fixture).missing == row.missing)
            }
            try await fixture.delete("shop/services/reviews")
            #expect(try await Self.observe(fixture).missing == [.service])
        }
    }

    @Test("what the rules leave to it: undivided at the promotion, weighted by hand, copied too often")
    func rules() async throws {
        try await ControlFixture.runPrepared { fixture in
            let rules: JSONValue = [
                "hosts": ["reviews"],
                "http": [
                    [
                        "name": "pages", "match": [["uri": ["prefix": "/pages"]]],
                        "route": [["destination": ["host": "reviews"]]],
                    ],
                    [
                        "name": "main",
                        "route": [
                            ["destination": ["host": "reviews", "subset": "v1"], "weight": 90],
                            ["destination": ["host": "reviews", "subset": "v2"], "weight": 10],
                        ],
                    ],
                ],
            ]
            try await fixture.put("shop/virtualServices/reviews", rules)
            let strategy: JSONValue = [
                "type": "canary", "steps": [["setWeight": 2000], ["setWeight": 10_000]],
                "trafficRouting": ["scope": ["rules": ["main"]]],
            ]
            try await fixture.put("shop/releases/r", ControlFixture.release(["strategy": strategy]))
            let seen = try await Self.observe(fixture).rules
            #expect(seen.areSplit && seen.leftOut == [])
            #expect(seen.unsplit.map { $0.prefix(12) } == ["rule \"pages\""])
            #expect(seen.handWeighted.map { $0.prefix(11) } == ["rule \"main\""])
        }
    }

    /// Rules of so many conditions, and a plan that copies each for 32 sorts of requests before it divides the rest.
    private static func prepareCopies(_ fixture: ControlFixture, rules count: Int, last: Int64 = 5000) async throws {
        let matches = (0..<20).map { index -> JSONValue in ["uri": ["exact": .string("/\(index)")]] }
        let rule: JSONValue = ["match": .array(matches), "route": [["destination": ["host": "reviews"]]]]
        try await fixture.put(
            "shop/virtualServices/reviews",
            ["hosts": ["reviews"], "http": .array(Array(repeating: rule, count: count))])
        let contents = (0..<32).map { index -> JSONValue in ["headers": ["x-user": ["exact": .string("\(index)")]]] }
        let steps: JSONValue = [
            ["setWeight": 1000], ["setMatch": ["any": .array(contents)]], ["setMatch": ["any": []]],
            ["setWeight": .integer(last)],
        ]
        try await fixture.put(
            "shop/releases/r", ControlFixture.release(["strategy": ["type": "canary", "steps": steps]]))
    }

    @Test("which rules are copied too often depends on the step: before the start on the worst one")
    func copies() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.prepareCopies(fixture, rules: 40)
            // 31 rules of 640 copies are within 20 000.
            #expect(try await Self.observe(fixture).rules.leftOut.count == 9)
            #expect(try await Self.observe(fixture).rules.unsplit == [], "the last step has no copies")
            try await fixture.setProgress(1000, step: 0)
            #expect(try await Self.observe(fixture).rules.leftOut == [])
            try await fixture.setProgress(1000, step: 1)
            #expect(try await Self.observe(fixture).rules.leftOut.count == 9)
            try await fixture.setProgress(0, step: 0, phase: .aborted)
            #expect(try await Self.observe(fixture).rules.leftOut.count == 9, "as if it began again")
        }
    }

    @Test("a plan that ends with less than all moves the rest at the promotion")
    func rest() async throws {
        func ends(_ fixture: ControlFixture) async throws -> Set<String> {
            let release = try await fixture.fetch("shop/releases/r")
            let rules = try await fixture.control.routes(of: release)["rules"]?.arrayValue ?? []
            return Set(rules.compactMap { $0["atPromotion"]?.stringValue })
        }
        try await ControlFixture.runPrepared { fixture in
            try await Self.prepareCopies(fixture, rules: 2)
            #expect(try await ends(fixture) == ["movesRest"])
            try await Self.prepareCopies(fixture, rules: 2, last: 10_000)
            #expect(try await ends(fixture) == ["completes"])
        }
    }

    @Test("of very many rules some are told, and how many more there are")
    func manyRules() async throws {
        try await ControlFixture.runPrepared { fixture in
            func told(_ rules: Int) async throws -> (shown: Int?, omitted: JSONValue?, warnings: [String]) {
                let http = (0..<rules).map { index -> JSONValue in
                    [
                        "match": [["uri": ["exact": .string("/\(index)")]]],
                        "route": [["destination": ["host": "reviews"]]],
                    ]
                }
                for part in 0..<3 {
                    let some = Array(http.dropFirst(part * 200).prefix(200))
                    guard !some.isEmpty else { continue }
                    let host = "s\(part)"
                    try await fixture.put("shop/services/\(host)", ControlFixture.service())
                    try await fixture.put(
                        "shop/virtualServices/\(host)", ["hosts": [.string(host)], "http": .array(some)])
                }
                let release = try await fixture.fetch("shop/releases/r")
                let routes = try await fixture.control.routes(of: release)
                let started = try await fixture.act(.start, [:], WriteOptions(validateOnly: true, requestId: "r"))
                return (routes["rules"]?.arrayValue?.count, routes["omitted"], started.warnings.map(\.detail))
            }
            try await fixture.putStatus(
                "shop/services/reviews", ServiceStatus(stableVersion: .known("v1")).json)
            try await fixture.put("shop/releases/r", ControlFixture.release())
            // And the service's own default route.
            let few = try await told(499)
            #expect(few.shown == 500 && few.omitted == nil && few.warnings.count == 500)
            let many = try await told(502)
            #expect(many.shown == 500 && many.omitted == 3 && many.warnings.count == 501)
            #expect(many.warnings.last == "and 3 more rules; preview counts them")
        }
    }

    @Test("a claimed release is the engine's until somebody else writes it")
    func claims() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("shop/releases/r", ControlFixture.release())
            try await fixture.act(.start)
            func claim() async throws -> ClaimedRelease? {
                try await fixture.control.claimReleases(by: "r1", limit: 9, lease: .seconds(60)).first
            }
            func decision(_ claimed: ClaimedRelease) async throws -> ReleaseDecision {
                let world = try await fixture.control.observe(claimed.release)
                return try ReleaseMachine.apply(
                    .abort(revertTraffic: true), by: ReleaseActor(person: "ann"), spec: claimed.release.spec,
                    status: claimed.release.status,
                    observations: world.observations, now: world.now)
            }
            try await fixture.execute("UPDATE release SET next_wakeup_at = now()")
            let claimed = try #require(try await claim())
            let decided = try await decision(claimed)
            #expect(try await fixture.control.commit(decided, of: claimed))
            #expect(try await fixture.fetch("shop/releases/r").status["phase"] == decided.status.json["phase"])
            #expect(try await !fixture.control.commit(decided, of: claimed), "the lease has ended")
        }
    }
}
