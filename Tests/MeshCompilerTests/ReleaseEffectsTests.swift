import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("What a release does to a rule depends on what the rule says, and where it stands")
struct ReleaseEffectsTests {
    private static func service(_ ports: [Int64] = [80]) -> JSONValue {
        [
            "spec": [
                "ports": .array(ports.map { ["name": .string("p\($0)"), "port": .integer($0)] }),
                "versions": [["name": "v1"], ["name": "v2"], ["name": "v3"]],
            ]
        ]
    }

    /// `host`, `host/version`, each with `:port` and ` weight` behind it.
    private static func destination(_ text: String) -> JSONValue {
        let words = text.split(separator: " ")
        let parts = words[0].split(separator: ":")
        let names = parts[0].split(separator: "/").map(String.init)
        var destination: [String: JSONValue] = ["host": .string(names[0])]
        if names.count > 1 { destination["subset"] = .string(names[1]) }
        if parts.count > 1 { destination["port"] = ["number": .integer(Int64(parts[1]) ?? 0)] }
        var part: [String: JSONValue] = ["destination": .object(destination)]
        if words.count > 1 { part["weight"] = .integer(Int64(words[1]) ?? 0) }
        return .object(part)
    }

    private static func rule(_ destinations: String..., match: JSONValue? = nil, name: String? = nil) -> JSONValue {
        var rule: [String: JSONValue] = ["route": .array(destinations.map(destination))]
        rule["match"] = match.map { [$0] }
        rule["name"] = name.map(JSONValue.string)
        return .object(rule)
    }

    private static let header: JSONValue = ["headers": ["x": ["exact": "1"]]]

    private static func index(
        _ rule: JSONValue, host: String = "reviews", in namespace: String = "shop", ports: [Int64] = [80],
        status: JSONValue = [:]
    ) throws -> RuleIndex {
        RuleIndex(
            try MeshDocument.read([
                "services": [
                    "shop/reviews": service(ports).with("status", status), "shop/pages": service(),
                    "ops/console": service(),
                ],
                "virtualServices": ["\(namespace)/rules": ["spec": ["hosts": [.string(host)], "http": [rule]]]],
            ]))
    }

    private static func traffic(_ change: (inout ReleaseTraffic) -> Void = { _ in }) throws -> ReleaseTraffic {
        var traffic = ReleaseTraffic(
            service: try MeshDocument.namespaced("shop/reviews"), stable: try MeshDocument.name("v1"),
            canary: try MeshDocument.name("v2"), canaryShare: TrafficShare(basisPoints: 2000) ?? .none)
        change(&traffic)
        return traffic
    }

    /// What becomes of the one rule: `effect atPromotion`, with `+` if there are requests to divide.
    private static func effect(_ traffic: ReleaseTraffic, _ index: RuleIndex) -> String? {
        traffic.effects(in: index).first { $0.virtualService != nil }.map {
            "\($0.effect) \($0.atPromotion)\($0.divides ? " +" : "")"
        }
    }

    @Test("of the service's own rules: divided, unless they pin, keep to the canary, or have nothing of it")
    func ownRules() throws {
        let rows: [(rule: JSONValue, effect: String)] = [
            (Self.rule("reviews"), "split completes +"), (Self.rule("reviews/v1"), "split completes +"),
            (Self.rule("reviews/v1 90", "reviews/v2 10"), "split completes +"),
            (Self.rule("reviews/v2"), "keptCanaryOnly unchanged"), (Self.rule("reviews/v3"), "untouched unchanged"),
            (Self.rule("pages"), "untouched unchanged"), (Self.rule("pages 60", "reviews 40"), "split completes +"),
            (Self.rule("pages 100", "reviews 0"), "split completes"),
            (Self.rule("reviews 50", "reviews/v2 50"), "split completes +"),
            (Self.rule("reviews/v1", match: Self.header), "pinned unchanged"),
            (Self.rule("reviews", match: Self.header), "split completes +"),
            (Self.rule("reviews/v1 90", "reviews/v2 10", match: Self.header), "split completes +"),
            (Self.rule("reviews/v1 90", "pages 10", match: Self.header), "pinned unchanged"),
            (Self.rule("reviews/v1", match: ["queryParams": ["q": [:]]]), "pinned unchanged"),
            (Self.rule("reviews/v1", match: ["withoutHeaders": ["x": [:]]]), "pinned unchanged"),
            (Self.rule("reviews/v1", match: ["uri": ["prefix": "/a"]]), "split completes +"),
            (Self.rule("reviews/v1", match: ["headers": [":path": ["prefix": "/a"]]]), "split completes +"),
            (Self.rule("reviews/v2", match: Self.header), "keptCanaryOnly unchanged"),
        ]
        for row in rows { #expect(try Self.effect(Self.traffic(), Self.index(row.rule)) == row.effect, "\(row.rule)") }
    }

    @Test("of other namespaces' rules: only what names no version follows")
    func otherNamespaces() throws {
        let rows: [(rule: JSONValue, effect: String?)] = [
            (Self.rule("reviews.shop"), "split completes +"),
            (Self.rule("reviews.shop/v1"), "keptOtherNamespace unchanged"),
            (Self.rule("reviews.shop 50", "reviews.shop/v1 50"), "keptOtherNamespace moves"),
            (Self.rule("reviews.shop/v3"), nil), (Self.rule("console"), nil),
        ]
        for row in rows {
            let index = try Self.index(row.rule, host: "console", in: "ops")
            #expect(try Self.effect(Self.traffic(), index) == row.effect, "\(row.rule)")
        }
        // Other hosts' rules in the service's own namespace are as its own.
        #expect(
            try Self.effect(Self.traffic(), Self.index(Self.rule("reviews/v1"), host: "pages")) == "split completes +")
        #expect(try Self.effect(Self.traffic(), Self.index(Self.rule("pages"), host: "pages")) == nil)
    }

    @Test("a scope leaves rules and ports out; what of them follows the stable version moves at the promotion")
    func scopes() throws {
        let named: (inout ReleaseTraffic) -> Void = { $0.rules = ["main"] }
        let anyOf: (inout ReleaseTraffic) -> Void = { $0.rules = ["*", "pin"] }
        let paths: (inout ReleaseTraffic) -> Void = { $0.paths = [.prefix("/a")] }
        let port: (inout ReleaseTraffic) -> Void = { $0.port = 81 }
        let ports: (inout ReleaseTraffic) -> Void = { $0.ports = [81] }
        let rows: [(rule: JSONValue, change: (inout ReleaseTraffic) -> Void, effect: String)] = [
            (Self.rule("reviews/v1", name: "main"), named, "split completes +"),
            (Self.rule("reviews", name: "x"), named, "outOfScope moves"),
            (Self.rule("reviews/v1", name: "x"), named, "outOfScope moves"),
            (Self.rule("reviews/v2", name: "x"), named, "outOfScope unchanged"),
            (Self.rule("reviews/v1", match: Self.header, name: "x"), named, "outOfScope unchanged"),
            (Self.rule("reviews/v1", match: Self.header, name: "main"), named, "split completes +"),
            (Self.rule("reviews", name: "x"), anyOf, "split completes +"),
            (Self.rule("reviews"), anyOf, "split completes +"),
            (Self.rule("reviews/v1", match: Self.header, name: "pin"), anyOf, "split completes +"),
            (Self.rule("reviews/v1", match: Self.header, name: "x"), anyOf, "pinned unchanged"),
            (Self.rule("reviews"), paths, "split moves +"),
            (Self.rule("reviews:80"), port, "outOfScope moves"), (Self.rule("reviews:81"), port, "split completes +"),
            (Self.rule("reviews:80 50", "reviews:81 50"), port, "split moves +"),
            (Self.rule("reviews:80 100", "reviews:81 0"), port, "split moves"),
            (Self.rule("reviews:80"), ports, "outOfScope moves"), (Self.rule("reviews:81"), ports, "split completes +"),
        ]
        for row in rows {
            let index = try Self.index(row.rule, ports: [80, 81])
            #expect(try Self.effect(Self.traffic(row.change), index) == row.effect, "\(row.rule)")
        }
        let other = try Self.index(Self.rule("reviews.shop/v1", name: "x"), host: "console", in: "ops")
        #expect(try Self.effect(Self.traffic(named), other) == "outOfScope unchanged", "versions stay there")
    }

    @Test("a weight that the canary has by hand is told where the release takes it over")
    func byHand() throws {
        func pointer(_ rule: JSONValue, status: JSONValue = [:]) throws -> String? {
            try Self.traffic().effects(in: Self.index(rule, status: status)).first?.canaryWeightPointer?.description
        }
        #expect(try pointer(Self.rule("reviews/v1 90", "reviews/v2 10")) == "/spec/http/0/route/1/weight")
        #expect(try pointer(Self.rule("reviews/v1 100", "reviews/v2 0")) == nil)
        #expect(try pointer(Self.rule("reviews/v1 90", "pages/v2 10")) == nil)
        #expect(try pointer(Self.rule("reviews/v1 90", "reviews/v3 10")) == nil)
        #expect(try pointer(Self.rule("reviews/v2")) == nil, "it keeps to the canary")
        // A retired canary means the stable version.
        let retired: JSONValue = ["stableVersion": "v1", "promotions": [["from": "v2"]]]
        #expect(try pointer(Self.rule("reviews/v1 90", "reviews/v2 10"), status: retired) == nil)
    }

    @Test("what clients without a sidecar take no part in is told")
    func proxyless() throws {
        func told(_ change: (inout ReleaseTraffic) -> Void) throws -> String? {
            try Self.traffic(change).effects(in: Self.index(Self.rule("reviews"))).first?.notForProxyless
        }
        let start = "clients without a sidecar take no part in "
        #expect(try told { _ in } == nil)
        #expect(try told { $0.matches = [ContentMatch(headers: ["x": .present])] } == nil)
        #expect(
            try told { $0.matches = [ContentMatch(path: .prefix("/a"))] } == start
                + "matches on paths and query parameters")
        #expect(
            try told { $0.matches = [ContentMatch(queryParams: ["q": .present])] } == start
                + "matches on paths and query parameters")
        #expect(try told { $0.paths = [.prefix("/a")] } == start + "the paths of the scope")
        #expect(try told { $0.paths = [.prefix("/a"), .prefix("")] } == nil)
        #expect(
            try told {
                $0.paths = [.prefix("/a")]
                $0.mirror = .init(share: .all, methods: [])
            } == start + "the paths of the scope and the mirror")
    }

    @Test("rules are told once for all ports where they are treated alike, as far as requests get to them")
    func ports() throws {
        let rules: [JSONValue] = [
            Self.rule("reviews", match: ["port": 80]), ["match": [["port": 81]], "directResponse": ["status": 503]],
            Self.rule("reviews"),
            Self.rule("reviews/v1"),
        ]
        let index = RuleIndex(
            try MeshDocument.read([
                "services": ["shop/reviews": Self.service([80, 81, 82, 83])],
                "virtualServices": ["shop/rules": ["spec": ["hosts": ["reviews"], "http": .array(rules)]]],
            ]))
        let told = try Self.traffic().effects(in: index).map { "\($0.rule ?? -1) \($0.effect) \($0.ports)" }
        #expect(told == ["0 split [80]", "2 split [82, 83]", "1 untouched [81]"])
        let without = RuleIndex(try MeshDocument.read(["services": ["shop/reviews": Self.service([80, 81])]]))
        #expect(
            try Self.traffic().effects(in: without).map { "\($0.virtualService == nil) \($0.ports)" } == [
                "true [80, 81]"
            ])
    }

    @Test("a scope may name rules that send to the service, also those behind others")
    func unknownRules() throws {
        let rules: [JSONValue] = [
            Self.rule("pages", name: "pages"), Self.rule("reviews", name: "hidden"), Self.rule("reviews"),
        ]
        let index = RuleIndex(
            try MeshDocument.read([
                "services": ["shop/reviews": Self.service(), "shop/pages": Self.service()],
                "virtualServices": ["shop/rules": ["spec": ["hosts": ["reviews"], "http": .array(rules)]]],
            ]))
        let unknown = try Self.traffic { $0.rules = ["*", "hidden", "rules/hidden", "pages", "rules/pages", "none"] }
            .unknownRules(in: index)
        #expect(unknown == ["pages", "rules/pages", "none"])
    }
}

extension JSONValue {
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONValue {
        .object((objectValue ?? [:]).merging([name: value]) { $1 })
    }
}
