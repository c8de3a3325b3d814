import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("What a release leaves undivided, as its copies of rules would be too many")
struct ReleaseExcessTests {
    private static func mesh(rules: Int, conditions: Int, host: String = "reviews", to destination: String = "reviews")
        throws
        -> MeshState
    {
        let matches = (0..<conditions).map { index -> JSONValue in ["uri": ["exact": .string("/\(index)")]] }
        let rule: JSONValue = ["match": .array(matches), "route": [["destination": ["host": .string(destination)]]]]
        let service: JSONValue = [
            "spec": ["ports": [["name": "http", "port": 80]], "versions": [["name": "v1"], ["name": "v2"]]]
        ]
        return try MeshDocument.read([
            "services": ["shop/reviews": service, "shop/pages": service],
            "virtualServices": [
                "shop/rules": [
                    "spec": ["hosts": [.string(host)], "http": .array(Array(repeating: rule, count: rules))]
                ]
            ],
        ])
    }

    private static func traffic(_ service: String = "shop/reviews", matches: Int) throws -> ReleaseTraffic {
        ReleaseTraffic(
            service: try MeshDocument.namespaced(service), stable: try MeshDocument.name("v1"),
            canary: try MeshDocument.name("v2"),
            matches: (0..<matches).map { ContentMatch(headers: ["x": .exact("\($0)")]) })
    }

    private static let release = "shop/r"

    @Test("each rule once, with the limit; nothing where all copies are within it")
    func excess() throws {
        let name = try MeshDocument.namespaced(Self.release)
        func excess(_ state: MeshState, _ matches: Int) throws -> [ReleaseExcess] {
            try Self.traffic(matches: matches).excess(as: name, in: RuleIndex(state))
        }
        let state = try Self.mesh(rules: 40, conditions: 20)
        #expect(try excess(state, 0).isEmpty && excess(state, 24).isEmpty)
        // 31 rules of 640 copies are within 20 000.
        let found = try excess(state, 32)
        #expect(found.map(\.rule) == Array(31..<40) && Set(found.map(\.limit)).count == 1)
        #expect(found.allSatisfy { $0.port == 80 && $0.virtualService?.description == "shop/rules" })
        #expect(found[0].limit.contains("limit copiesPerService"))
        // Other hosts' rules that send to the service, too.
        #expect(
            try excess(Self.mesh(rules: 40, conditions: 20, host: "pages"), 32).map(\.host.description).first
                == "shop/pages")
        #expect(try excess(Self.mesh(rules: 40, conditions: 20, host: "pages", to: "pages"), 32).isEmpty)
    }

    @Test("what several releases make of a rule multiplies")
    func several() throws {
        let name = try MeshDocument.namespaced(Self.release)
        var state = try Self.mesh(rules: 1, conditions: 1)
        let rule: HTTPRule = try MeshDocument.spec([
            "route": [
                ["destination": ["host": "reviews"], "weight": 50], ["destination": ["host": "pages"], "weight": 50],
            ]
        ])
        state.virtualServices[try MeshDocument.namespaced("shop/rules")]?.spec.http = [rule]
        // What the release of the first destination makes of the rule is what the other one begins with.
        let other = try MeshDocument.namespaced("shop/other")
        state.releases[other] = try Self.traffic("shop/pages", matches: 32)
        for (matches, count) in [(0, 0), (1, 0), (32, 1)] {
            state.releases[name] = try Self.traffic(matches: matches)
            // 33 routes with 32 copies each.
            let found = try Self.traffic("shop/pages", matches: 32).excess(as: other, in: RuleIndex(state))
            #expect(found.count == count, "\(matches)")
            #expect(found.allSatisfy { $0.limit.contains("limit copiesPerRoute") })
            // It is asked about before it begins, too.
            var before = state
            before.releases[other] = nil
            #expect(try Self.traffic("shop/pages", matches: 32).excess(as: other, in: RuleIndex(before)) == found)
            #expect(try Self.traffic(matches: matches).excess(as: name, in: RuleIndex(state)).isEmpty, "not this one's")
        }
    }

    @Test("effects are told apart by what is left out now and at the end, port by port")
    func leavingOut() throws {
        let host = Host.service(try MeshDocument.namespaced("shop/reviews"))
        let rules = try MeshDocument.namespaced("shop/rules")
        let rule: HTTPRule = try MeshDocument.spec(["route": [["destination": ["host": "a"]]]])
        func effect(_ effect: RouteEffect.Class, rule: Int, ports: [Int]) -> RouteEffect {
            RouteEffect(
                host: host, virtualService: rules, rule: rule, ruleName: nil, ports: ports, effect: effect, detail: "d",
                atPromotion: .completes, pointer: nil, canaryWeightPointer: nil)
        }
        func excess(_ index: Int, _ port: Int, host other: Host? = nil, rules place: NamespacedName? = nil)
            -> ReleaseExcess
        {
            ReleaseExcess(host: other ?? host, RulePlace(place ?? rules, index, rule), port: port, limit: "l")
        }
        func told(_ now: [ReleaseExcess], _ end: [ReleaseExcess]) -> [String] {
            [effect(.split, rule: 0, ports: [80, 81, 82]), effect(.pinned, rule: 1, ports: [80])]
                .leavingOut(now, atEnd: end).map { "\($0.rule ?? -1) \($0.effect) \($0.atPromotion) \($0.ports)" }
        }
        let whole = ["0 split completes [80, 81, 82]", "1 pinned completes [80]"]
        #expect(told([], []) == whole)
        #expect(
            told([excess(0, 81)], []) == [
                "0 tooManyCopies completes [81]", "1 pinned completes [80]", "0 split completes [80, 82]",
            ])
        #expect(
            told([], [excess(0, 80), excess(0, 82)]) == [
                "1 pinned completes [80]", "0 split moves [80, 82]", "0 split completes [81]",
            ])
        #expect(
            told([excess(0, 80), excess(0, 82)], [excess(0, 82)]) == [
                "0 tooManyCopies completes [80]", "0 tooManyCopies moves [82]", "1 pinned completes [80]",
                "0 split completes [81]",
            ])
        // Of another rule, host, VirtualService or port.
        let pages = Host.service(try MeshDocument.namespaced("shop/pages"))
        let apart = ["1 pinned completes [80]", "0 split completes [80, 81, 82]"]
        for other in [
            excess(1, 80), excess(2, 80), excess(0, 79), excess(0, 80, host: pages),
            excess(0, 80, rules: try MeshDocument.namespaced("shop/other")),
        ] { #expect(told([other], []) == apart) }
    }

    @Test(
        "copies are counted for a condition, for a service, and by their regexes",
        arguments: [
            (1, 0, 0, 0, 0, nil), (1, 1024, 0, 0, 0, nil), (1, 1025, 0, 0, 0, "copiesPerRoute"), (32, 32, 0, 0, 0, nil),
            (32, 33, 0, 0, 0, "copiesPerRoute"), (Int.max, 2, 0, 0, 0, "copiesPerRoute"), (1, 1, 0, 19_999, 0, nil),
            (1, 1, 0, 20_000, 0, "copiesPerService"), (1, 1, 400_000, 0, 0, nil),
            (1, 1, 400_001, 0, 0, "regexSizePerService"),
            (1, 2, 200_001, 0, 0, "regexSizePerService"), (1, 1, 1, 0, 400_000, "regexSizePerService"),
        ] as [(Int, Int, Int, Int, Int, String?)])
    func limits(routes: Int, copies: Int, regexSize: Int, others: Int, otherRegexes: Int, limit: String?) {
        let excess = RouteBudget.excess(
            of: routes, copies, regexSize: regexSize, besides: RouteCost(routes: others, regexSize: otherRegexes))
        #expect((excess == nil) == (limit == nil))
        if let limit { #expect(excess?.contains("limit \(limit)") == true) }
    }

    @Test("a release makes a copy of a condition for each sort of requests and each path")
    func mostCopies() throws {
        func copies(_ change: (inout ReleaseTraffic) -> Void) throws -> Int {
            var traffic = try Self.traffic(matches: 0)
            change(&traffic)
            return traffic.mostCopies
        }
        let some: [StringMatch] = [.prefix("/a"), .prefix("/b")]
        #expect(try copies { _ in } == 0)
        #expect(try copies { $0.matches = [ContentMatch(path: .present), ContentMatch()] } == 2)
        #expect(try copies { $0.mirror = .init(share: .all, methods: []) } == 0)
        #expect(try copies { $0.mirror = .init(share: .all, methods: ["GET"]) } == 1)
        #expect(try copies { $0.paths = some } == 2)
        #expect(
            try copies {
                $0.paths = some
                $0.matches = [ContentMatch()]
                $0.mirror = .init(share: .all, methods: ["GET"])
            } == 6)
        #expect(try copies { $0.paths = some + [.prefix("/")] } == 0)
        func divided(_ traffic: inout ReleaseTraffic) {
            traffic.canaryShare = TrafficShare(basisPoints: 100) ?? .none
            traffic.stickiness = Stickiness(.header("x-user"), fallback: Stickiness.Cookie(name: "user", ttl: .zero))
        }
        #expect(try copies { divided(&$0) } == 1)
        #expect(
            try copies {
                divided(&$0)
                $0.stickiness = Stickiness(.sourceAddress)
            } == 0)
        #expect(
            try copies {
                divided(&$0)
                $0.paths = some
                $0.mirror = .init(share: .all, methods: ["GET"])
            } == 8)
    }
}
