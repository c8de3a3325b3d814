package import Documents
package import GrayRelease
package import MeshCompiler
package import MeshCore
package import MeshModel
internal import TestSupport

/// A mesh with random rules for one service, and a random release of it.
///
/// The rules are those that people write: for paths, headers and methods, with rewrites, redirects, answers, further
/// destinations and pins. No rule gives the canary a part by hand beside stable or the service: a release with such a rule
/// cannot be started.
package struct RandomReleaseMesh {
    package static let service = NamespacedName(namespace: .known("x"), name: .known("a"))
    package static let stable = Name.known("v1")
    package static let canary = Name.known("v2")

    private var random: SeededGenerator
    package var traffic: ReleaseTraffic
    /// The `spec` of the VirtualService that holds for the service; `nil`: it has none.
    package private(set) var rules: JSONValue?
    /// Its namespace.
    private var home = "x"
    private var services: JSONValue = [:]

    package init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        traffic = ReleaseTraffic(service: Self.service, port: 80, stable: Self.stable, canary: Self.canary)
        traffic.canaryShare = share()
        traffic.matches = (0..<number(0...2)).map { _ in content() }
        if chance(1, of: 3) {
            traffic.mirror = .init(share: share(), methods: pick([[], ["GET"], ["GET", "HEAD"]]))
        }
        if chance(1, of: 3) { traffic.paths = (0...number(0...1)).map { _ in path() } }
        if chance(1, of: 4) { traffic.rules = pick([["*"], ["one"], ["rules/two", "one"], ["three"]]) }
        if chance(1, of: 6) { home = "y" }
        var services: [String: JSONValue] = [:]
        for name in ["x/a", "x/b", "y/c"] {
            services[name] = [
                "spec": [
                    "ports": [["name": "http", "port": 80, "protocol": "HTTP"]],
                    "versions": [["name": "v1"], ["name": "v2"], ["name": "v3"]],
                ]
            ]
        }
        // The pointer is set as soon as a release progresses; v3 may have been retired before.
        let retired: JSONValue = chance(1, of: 3) ? [["from": "v3"]] : []
        services["x/a"] = services["x/a"].map {
            ["spec": $0["spec"] ?? [:], "status": ["stableVersion": "v1", "promotions": retired]]
        }
        let rules = (0..<number(0...4)).map { _ in rule() }
        self.services = .object(services)
        if !rules.isEmpty { self.rules = ["hosts": ["a.x"], "http": .array(rules)] }
        if chance(1, of: 2) { traffic.stickiness = stickiness() }
    }

    package func state() throws -> MeshState {
        let virtualServices: JSONValue = rules.map { .object(["\(home)/rules": ["spec": $0]]) } ?? [:]
        var state = try MeshDocument.read(["services": services, "virtualServices": virtualServices])
        state.releases[NamespacedName(namespace: Self.service.namespace, name: .known("r"))] = traffic
        return state
    }

    // MARK: - Rules

    private mutating func rule() -> JSONValue {
        var rule: [String: JSONValue] = [:]
        if chance(1, of: 2) { rule["name"] = .string(pick(["one", "two"])) }
        let matches = (0..<pick([0, 0, 1, 1, 2])).map { _ in match() }
        if !matches.isEmpty { rule["match"] = .array(matches) }
        switch number(0...7) {
        case 0: rule["redirect"] = ["uri": "/elsewhere"]
        case 1: rule["directResponse"] = ["status": 418]
        default:
            rule["route"] = route()
            if chance(1, of: 3) { rule["rewrite"] = ["uri": .string(pick(["/", "/new", "/v9/"]))] }
            if chance(1, of: 4) { rule["timeout"] = "3s" }
            if chance(1, of: 5) { rule["mirror"] = ["host": .string(pick(["b.x", "a.x"]))] }
        }
        if chance(1, of: 4) { rule["headers"] = ["request": ["set": ["x-rule": "yes"]]] }
        return .object(rule)
    }

    private mutating func match() -> JSONValue {
        var match: [String: JSONValue] = [:]
        if chance(2, of: 3) { match["uri"] = path().json }
        if match["uri"] != nil && chance(1, of: 8) { match["ignoreUriCase"] = true }
        if chance(1, of: 3) { match["headers"] = ["x-user": text()] }
        if chance(1, of: 6) { match["withoutHeaders"] = ["x-other": ["exact": "no"]] }
        if chance(1, of: 6) { match["method"] = ["exact": .string(pick(["GET", "POST"]))] }
        if chance(1, of: 6) { match["queryParams"] = ["v": ["exact": "2"]] }
        return match.isEmpty ? ["uri": ["prefix": "/"]] : .object(match)
    }

    private mutating func route() -> JSONValue {
        var candidates: [JSONValue] = [
            ["host": "a.x"], ["host": "a.x", "subset": "v1"], ["host": "a.x", "subset": "v3"], ["host": "b.x"],
            ["host": "c.y", "subset": "v2"],
        ]
        // One destination may stand there twice, with other headers.
        let repeats = chance(1, of: 3)
        var chosen = (0...number(0...2)).map { _ in
            let index = Int.random(in: 0..<candidates.count, using: &random)
            return repeats ? candidates[index] : candidates.remove(at: index)
        }
        var weights = chosen.map { _ in number(0...100) }
        let sum = max(1, weights.reduce(0, +))
        weights = weights.map { $0 * 100 / sum }
        weights[0] += 100 - weights.reduce(0, +)
        // By hand only where nothing else of the service is named; else without a part.
        let canary: JSONValue = ["host": "a.x", "subset": "v2"]
        if chance(1, of: 8) {
            chosen = [canary]
            weights = [100]
        } else if chance(1, of: 4) {
            chosen.append(canary)
            weights.append(0)
        }
        return .array(
            zip(chosen, weights).map { destination, weight in
                var part: [String: JSONValue] = ["destination": destination, "weight": .integer(Int64(weight))]
                if chance(1, of: 2) {
                    part["headers"] = ["request": ["set": ["x-part": .string(pick(["p", "q", "r"]))]]]
                }
                return .object(part)
            })
    }

    // MARK: - Conditions and requests

    private mutating func path() -> StringMatch {
        switch number(0...6) {
        case 0: .exact(pick(["/api", "/api/users", "/shop"]))
        case 1: .regex(pick(["/api/.*", "/(api|shop)", "^/sh.*p$", "/[^x]+"]))
        default: .prefix(pick(["/", "/api", "/api/", "/shop", "/api/users"]))
        }
    }

    private mutating func text() -> JSONValue {
        pick([["exact": "ann"], ["prefix": "a"], ["regex": "a.*|bob"], [:]])
    }

    private mutating func content() -> ContentMatch {
        var content = ContentMatch()
        if chance(1, of: 2) { content.headers = ["x-user": .exact(pick(["ann", "bob"]))] }
        if chance(1, of: 3) { content.cookies = ["group": pick([.exact("beta"), .regex("^beta-.*$"), .prefix("b")])] }
        if chance(1, of: 4) { content.queryParams = ["v": .exact(pick(["1", "2"]))] }
        if chance(1, of: 3) { content.path = path() }
        if content == ContentMatch() { content.headers = ["x-canary": .present] }
        return content
    }

    /// The requests of ``request()`` have some of the keys, so that a mesh with stickiness tells them apart.
    package mutating func stickiness() -> Stickiness {
        let cookie = Stickiness.Cookie(name: "group", ttl: pick([nil, .zero, .seconds(60)]))
        return pick([
            Stickiness(.header("x-user")), Stickiness(.header("x-user"), fallback: cookie), Stickiness(.cookie(cookie)),
            Stickiness(.sourceAddress),
        ])
    }

    package mutating func request() -> Simulation.Request {
        var headers: [String: String] = [:]
        if chance(1, of: 2) { headers["x-user"] = pick(["ann", "bob", "carl"]) }
        if chance(1, of: 5) { headers["x-other"] = pick(["no", "yes"]) }
        if chance(1, of: 5) { headers["x-canary"] = "1" }
        if chance(1, of: 3) {
            headers["cookie"] = pick([
                "group=beta", "theme=beta; group=alpha", "group=beta-7; a=b", "group=alpha; x=beta-1",
            ])
        }
        let query = pick(["", "", "?v=2", "?v=1", "?x=/api&v=2", "?q=shop"])
        let path = pick([
            "/", "/api", "/api/", "/api/users", "/API/users", "/apix", "/shop", "/shop/p", "/other",
            // As sidecars route them: `/api/users`, `/api/`, `/shop/`, `/api`, `/other`.
            "/api/./x/../users", "/other/../api/.", "/%73hop/p/%2e%2E", "/%61pi", "/x/..;a/other",
        ])
        return Simulation.Request(method: pick(["GET", "POST", "HEAD"]), path: path + query, headers: headers)
    }

    // MARK: - Numbers

    package mutating func share() -> TrafficShare {
        let points = pick([0, 1, 111, 500, 3333, 5000, 9999, 10_000, number(0...10_000)])
        return TrafficShare(basisPoints: Int64(points)) ?? .none
    }

    package mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    /// Some hashes, the ends of the shares among them.
    package mutating func hashes(_ shares: [IR.Share]) -> [Int] {
        var end = 0
        var hashes: [Int] = []
        for share in shares {
            end = (end + share.weight) % IR.Share.total
            hashes += [end, max(0, end - 1)]
        }
        return hashes + (0..<20).map { _ in number(0...(IR.Share.total - 1)) }
    }

    private mutating func chance(_ part: Int, of whole: Int) -> Bool { number(0...(whole - 1)) < part }
    private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
}

extension Name {
    /// A name that is written in the source.
    fileprivate static func known(_ text: String) -> Name {
        guard let name = Name(text) else { preconditionFailure("\(text) is no name") }
        return name
    }
}
