import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("Users are kept on a version by one key, beside what destinations are hashed by")
struct StickinessTests {
    private static let versions: JSONValue = [["name": "v1"], ["name": "v2"]]
    private static let service: JSONValue = [
        "spec": ["ports": [["name": "http", "port": 80]], "versions": versions], "status": ["stableVersion": "v1"],
    ]

    private static func hashed(_ host: String, _ source: JSONValue) -> JSONValue {
        ["spec": ["host": .string(host), "trafficPolicy": ["loadBalancer": ["consistentHash": source]]]]
    }

    private static func release(_ service: String, _ stickiness: JSONValue?, share: Int64 = 2000) -> JSONValue {
        .fields([
            "service": .string(service), "stable": "v1", "canary": "v2", "share": .integer(share),
            "stickiness": stickiness,
        ])
    }

    /// Requests to `reviews` go there and to `pages`.
    private static func state(_ releases: JSONValue, _ policies: JSONValue = [:]) throws -> MeshState {
        let rule: JSONValue = [
            "name": "m",
            "route": [
                ["destination": ["host": "reviews"], "weight": 80], ["destination": ["host": "pages"], "weight": 20],
            ],
        ]
        return try MeshDocument.read([
            "services": ["shop/reviews": service, "shop/pages": service],
            "virtualServices": ["shop/rules": ["spec": ["hosts": ["reviews"], "http": [rule]]]],
            "destinationRules": policies, "releases": releases,
        ])
    }

    /// `name: keys`, with `gives` and the cookie before those that are given one, of each route.
    private static func routes(_ state: MeshState) throws -> [String] {
        let host = Host.service(try MeshDocument.namespaced("shop/reviews"))
        return (Compiler(state).virtualHosts(of: host).first?.routes ?? []).map { route in
            guard case .forward(let forward) = route.action else { return "\(route.name): no" }
            let keys = forward.hashOn.map(\.description).joined(separator: ", ")
            guard let stickiness = forward.stickiness else { return "\(route.name): \(keys)" }
            let given = stickiness.givesCookie ? stickiness.given : nil
            let cookie = given.map { "gives \($0.name) \($0.ttl?.text ?? "-") \($0.path ?? "-"), " } ?? ""
            return "\(route.name): \(cookie)kept by \(keys)"
        }
    }

    private static func findings(_ state: MeshState) -> [String] {
        Compiler(state).findings.filter { $0.object.kind == .release }.map {
            "\($0.object.name) \($0.pointer) \($0.code)"
        }
    }

    private static let header: JSONValue = ["source": ["header": "x-user"]]

    @Test("the keys are those of the release, in their order, as long as both versions have a share")
    func keys() throws {
        func routes(_ stickiness: JSONValue, share: Int64 = 2000) throws -> [String] {
            try Self.routes(Self.state(["shop/r": Self.release("reviews", stickiness, share: share)]))
        }
        #expect(try routes(Self.header) == ["m: kept by header x-user"])
        #expect(try routes(Self.header, share: 10_000) == ["m: "])
        #expect(try routes(Self.header, share: 0) == ["m: "])
        #expect(try routes(["source": ["sourceAddress": true]]) == ["m: kept by source address"])
        #expect(try routes(["source": ["cookie": ["name": "user"]]]) == ["m: kept by cookie user"])
        #expect(
            try routes(["source": ["cookie": ["name": "user", "ttl": "1h"]]]) == [
                "m~shop/r/cookie: gives user 1h /, kept by header x-request-id", "m: kept by cookie user",
            ])
        #expect(
            try routes(["source": ["header": "x-user"], "fallback": ["cookie": ["name": "user", "ttl": "0s"]]]) == [
                "m~shop/r/cookie: gives user 0s /, kept by header x-request-id",
                "m: kept by header x-user, cookie user",
            ])
    }

    @Test("a destination that is hashed by the same key stays so; by another one it is, and users are not kept")
    func conflicts() throws {
        func state(_ policies: JSONValue, _ stickiness: JSONValue = Self.header) throws -> MeshState {
            try Self.state(["shop/r": Self.release("reviews", stickiness)], policies)
        }
        let same = try state(["shop/reviews": Self.hashed("reviews", ["httpHeaderName": "X-User"])])
        #expect(try Self.routes(same) == ["m: kept by header x-user"])
        #expect(Self.findings(same) == [])
        let problem = ["r /spec/strategy/trafficRouting/stickiness conflict"]
        let other = try state(["shop/reviews": Self.hashed("reviews", ["httpHeaderName": "x-session"])])
        #expect(try Self.routes(other) == ["m: header x-session"])
        #expect(Self.findings(other) == problem)
        var early = other
        let name = try MeshDocument.namespaced("shop/r")
        for (share, matches, findings) in [(0, [], []), (0, [ContentMatch()], problem), (10_000, [], [])]
            as [(Int64, [ContentMatch], [String])]
        {
            early.releases[name]?.canaryShare = try #require(TrafficShare(basisPoints: share))
            early.releases[name]?.matches = matches
            #expect(Self.findings(early) == findings, "with a share of \(share)")
        }
        let beside = try state(["shop/pages": Self.hashed("pages", ["useSourceIp": true])])
        #expect(try Self.routes(beside) == ["m: source address"])
        #expect(Self.findings(beside) == problem)
        // A destination's cookie is given as it says, and by what the version is chosen too.
        let cookie: JSONValue = ["name": "user", "ttl": "30s", "path": "/shop"]
        let given = try state(
            ["shop/reviews": Self.hashed("reviews", ["httpCookie": cookie])], ["source": ["cookie": ["name": "user"]]])
        #expect(
            try Self.routes(given) == [
                "m~shop/r/cookie: gives user 30s /shop, kept by header x-request-id", "m: kept by cookie user",
            ])
        #expect(Self.findings(given) == [])
    }

    @Test("two releases behind one rule keep users by one key, or the first one does")
    func twoReleases() throws {
        func state(_ pages: JSONValue?) throws -> MeshState {
            try Self.state(["shop/r": Self.release("reviews", Self.header), "shop/p": Self.release("pages", pages)])
        }
        for pages in [JSONValue?.none, .some(Self.header)] {
            #expect(try Self.routes(state(pages)) == ["m: kept by header x-user"])
            #expect(try Self.findings(state(pages)) == [])
        }
        let other = try state(["source": ["sourceAddress": true]])
        #expect(try Self.routes(other) == ["m: kept by header x-user"])
        #expect(Self.findings(other) == ["p /spec/strategy/trafficRouting/stickiness conflict"])
    }

    @Test("what is told of a rule names the keys, other destinations that are kept too, and what is in the way")
    func effects() throws {
        func effect(_ policies: JSONValue = [:]) throws -> RouteEffect? {
            let state = try Self.state(["shop/r": Self.release("reviews", Self.header)], policies)
            let traffic = try #require(state.releases[MeshDocument.namespaced("shop/r")])
            return traffic.effects(in: RuleIndex(state)).first { $0.effect == .split }
        }
        let told = try effect()
        #expect(told?.stickinessConflict == nil)
        #expect(
            told?.stickiness?.contains("header x-user; so are those of its other destinations, shop/pages v1") == true)
        #expect(told?.notForProxyless == "clients without a sidecar take no part in the stickiness")
        let other = try effect(["shop/pages": Self.hashed("pages", ["useSourceIp": true])])
        #expect(
            other?.stickinessConflict
                == "users are told apart by header x-user, but requests to service shop/pages are hashed by DestinationRule shop/pages "
                + "by source address: a proxy looks at one key for both")
        #expect(other?.stickiness?.hasPrefix("users are not kept on a version: ") == true)
    }
}
