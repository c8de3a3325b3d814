internal import Documents
package import MeshCore
package import MeshModel
package import RE2

/// Which route a request would take, from the same routes that sidecars are given.
package enum Simulation {
    package struct Request: Hashable, Sendable {
        package var method: String
        /// With or without a query; as a client sends it.
        package var path: String
        /// By lower-case name.
        package var headers: [String: String]
        /// Beside those of a `cookie` header.
        package var cookies: [String: String]
        /// Beside those of the path's query.
        package var queryParams: [String: String]
        /// The host that is called; `nil`: the service's short name.
        package var authority: String?

        package init(
            method: String = "GET", path: String = "/", headers: [String: String] = [:],
            cookies: [String: String] = [:],
            queryParams: [String: String] = [:], authority: String? = nil
        ) {
            self.method = method
            self.path = path
            self.headers = Dictionary(headers.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
            self.cookies = cookies
            self.queryParams = queryParams
            self.authority = authority
        }
    }

    package struct Destination: Hashable, Sendable {
        package var host: Host
        package var port: Int
        /// `nil`: all versions, by their endpoints.
        package var version: Name?
        /// Millionths of the requests like this one.
        package var millionths: Int
    }

    package enum Outcome: Hashable, Sendable {
        /// Shares add up to a million, up to rounding where a destination of the rule is gone.
        case forwarded([Destination], mirrors: [Destination])
        case redirected(HTTPRedirect)
        case answered(status: Int)
        /// To find out would take more steps than there were.
        case undecided
    }

    package struct Answer: Hashable, Sendable {
        /// The rule or default route that gives the answer; `nil` if no route fits, which is answered 404.
        package var origin: IR.Origin?
        /// The releases that have a say in the route.
        package var releases: [NamespacedName]
        /// The route's name, as it stands in Envoy's logs.
        package var route: String?
        package var outcome: Outcome
        package var fault: HTTPFault?
        /// A route before the answer's of which cannot be said here whether it fits: its name and its regexes. With one,
        /// the answer holds if that one does not fit. At most 100.
        package var undecided: [String]
    }
}

extension Compiler {
    /// Which version a request to a service would get.
    ///
    /// - Parameters:
    ///   - port: one of the service's HTTP ports; `nil`: the first.
    ///   - budget: for all routes and all their regexes together.
    /// - Returns: `nil` if there is no such service or port.
    package func simulate(
        _ request: Simulation.Request, to service: NamespacedName, port: Int? = nil,
        budget: StepBudget = StepBudget(Limits.simulationSteps.value)
    ) -> Simulation.Answer? {
        let hosts = virtualHosts(of: .service(service))
        guard let host = hosts.first(where: { port == nil ? $0.isDefaultPort : $0.port == port }) else { return nil }
        guard let path = Simulation.normalized(request.path) else {
            return Simulation.Answer(
                origin: nil, releases: [], route: nil, outcome: .answered(status: 400), fault: nil, undecided: [])
        }
        var matcher = RequestMatcher(request, path: path, defaultAuthority: service.name.text, budget: budget)
        var undecided: [String] = []
        for route in host.routes {
            let fits = matcher.fits(route.match)
            if matcher.budget.isSpent {
                return Simulation.Answer(
                    origin: nil, releases: [], route: nil, outcome: .undecided, fault: nil,
                    undecided: undecided + [route.name])
            }
            switch fits {
            case false?: continue
            case nil: if undecided.count < Simulation.maxUndecided { undecided.append(route.name) }
            case true?:
                return Simulation.Answer(
                    origin: route.origin, releases: route.releases.map(\.release), route: route.name,
                    outcome: Simulation.Outcome(route.action),
                    fault: route.fault,
                    undecided: undecided)
            }
        }
        return Simulation.Answer(
            origin: nil, releases: [], route: nil, outcome: .answered(status: 404), fault: nil, undecided: undecided)
    }
}

extension Simulation {
    fileprivate static let maxUndecided = 99
}

extension Simulation.Outcome {
    init(_ action: IR.Action) {
        switch action {
        case .redirect(let redirect): self = .redirected(redirect)
        case .respond(let status, _): self = .answered(status: status)
        case .forward(let forward):
            let total = max(1, forward.destinations.reduce(0) { $0 + $1.weight })
            self = .forwarded(
                forward.destinations.map {
                    Simulation.Destination(
                        host: $0.cluster.host, port: $0.cluster.port, version: $0.cluster.version,
                        millionths: $0.weight * IR.Share.total / total)
                },
                mirrors: forward.mirrors.map {
                    Simulation.Destination(
                        host: $0.cluster.host, port: $0.cluster.port, version: $0.cluster.version,
                        millionths: $0.partsPerMillion)
                })
        }
    }
}

/// A request in the shape that conditions look at.
private struct RequestMatcher {
    let path: String
    let headers: [String: String]
    let queryParams: [String: String]
    var budget: StepBudget

    /// - Parameter path: the request's, normalized, with its query.
    init(_ request: Simulation.Request, path whole: String, defaultAuthority: String, budget: StepBudget) {
        self.budget = budget
        let parts = whole.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = parts.first.map { String($0) } ?? ""
        var query: [String: String] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // Of several values Envoy looks at the first.
            let name = String(sides[0])
            if query[name] == nil { query[name] = sides.count > 1 ? String(sides[1]) : "" }
        }
        queryParams = query.merging(request.queryParams) { first, _ in first }
        var headers = request.headers
        let given = request.cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let all = (headers["cookie"].map { [$0] } ?? []) + given
        if !all.isEmpty { headers["cookie"] = all.joined(separator: "; ") }
        headers[":path"] = whole
        headers[":method"] = request.method
        headers[":scheme"] = headers[":scheme"] ?? "http"
        headers[":authority"] = HostName.relative(request.authority ?? headers["host"] ?? defaultAuthority)
        self.headers = headers
    }

    /// - Returns: `nil` if it depends on a regex that is not understood here, or the budget is spent.
    mutating func fits(_ match: IR.RouteMatch) -> Bool? {
        guard budget.spend(1) else { return nil }
        var isKnown = true
        for condition in conditions(of: match) {
            switch fits(condition.match, condition.text, ignoringCase: condition.ignoresCase) {
            case condition.isNegated?: return false
            case nil: isKnown = false
            case _?: continue
            }
        }
        return isKnown ? true : nil
    }

    /// A condition, with the part of the request that it is about.
    private struct Condition {
        var match: StringMatch
        var text: String?
        var ignoresCase = false
        /// Whether the condition must not hold.
        var isNegated = false
    }

    private func conditions(of match: IR.RouteMatch) -> [Condition] {
        var conditions = [Condition(match: match.path, text: path, ignoresCase: match.ignoresCase)]
        for (name, text) in [(":method", match.method), (":scheme", match.scheme), (":authority", match.authority)] {
            if let text { conditions.append(Condition(match: text, text: headers[name])) }
        }
        conditions += match.headers.map { Condition(match: $0.match, text: headers[$0.name.lowercased()]) }
        conditions += match.withoutHeaders.map { condition in
            let value = headers[condition.name.lowercased()]
            let text = condition.match.fitsAnyValue ? value : value ?? ""
            return Condition(match: condition.match, text: text, isNegated: true)
        }
        conditions += match.queryParams.map { Condition(match: $0.match, text: queryParams[$0.name]) }
        return conditions
    }

    private mutating func fits(_ match: StringMatch, _ text: String?, ignoringCase: Bool) -> Bool? {
        guard let text else { return false }
        // What is compared as it stands takes little, but a path may be long and routes many.
        guard budget.spend(1 + text.utf8.count / 16) else { return nil }
        switch match {
        case .present: return true
        case .exact(let expected):
            return ignoringCase ? text.lowercased() == expected.lowercased() : text.utf8.elementsEqual(expected.utf8)
        case .prefix(let expected):
            return ignoringCase
                ? text.lowercased().hasPrefix(expected.lowercased()) : text.utf8.starts(with: expected.utf8)
        case .regex(let regex): return RE2.matches(ignoringCase ? "(?i)\(regex)" : regex, text, &budget)
        }
    }
}
