internal import Documents
package import GrayRelease
package import MeshModel

/// The cost of rules in the sidecars that follow them.
package struct RouteCost: Hashable, Sendable {
    package var routes = 0
    /// An estimate of the instructions of all their regexes.
    package var regexSize = 0

    package init(routes: Int = 0, regexSize: Int = 0) {
        self.routes = routes
        self.regexSize = regexSize
    }

    package static func + (a: Self, b: Self) -> Self {
        RouteCost(routes: a.routes + b.routes, regexSize: a.regexSize + b.regexSize)
    }

    package static func - (a: Self, b: Self) -> Self {
        RouteCost(routes: a.routes - b.routes, regexSize: a.regexSize - b.regexSize)
    }

    /// The limit for one service that the cost exceeds.
    ///
    /// - Returns: the rest of a sentence that begins with what it is that comes to so much; `nil` if it is within the limits.
    package var excessOfService: String? { excess(Limits.routesPerService, Limits.regexSizePerService) }

    /// The limit for a whole mesh that the cost exceeds, said as by ``excessOfService``.
    package var excessOfMesh: String? { excess(Limits.routesPerMesh, Limits.regexSizePerMesh) }

    /// The limit for one service that the cost exceeds after a write. The write may leave what was too much before,
    /// and take some of it away.
    package func excessOfService(growingFrom before: Self) -> String? {
        excess(Limits.routesPerService, Limits.regexSizePerService, before)
    }

    /// The limit for a whole mesh that the cost exceeds after a write. The write may leave what was too much before,
    /// and take some of it away.
    package func excessOfMesh(growingFrom before: Self) -> String? {
        excess(Limits.routesPerMesh, Limits.regexSizePerMesh, before)
    }

    private func excess(_ routeLimit: Limit, _ regexLimit: Limit, _ before: Self = RouteCost()) -> String? {
        if routes > before.routes && !routeLimit.allows(routes) {
            return "come to \(routes) routes; allowed are \(routeLimit.rule)"
        }
        if regexSize > before.regexSize && !regexLimit.allows(regexSize) {
            return "have regexes that come to \(regexSize) instructions; allowed are \(regexLimit.rule)"
        }
        return nil
    }
}

extension VirtualServiceSpec {
    /// The cost of the rules for one service, without the copies of releases: a route for each condition and each of
    /// the ports that it is about. A rule that is never reached counts too.
    package func cost(for service: ServiceSpec) -> RouteCost {
        let ports = Set(service.ports.filter(\.appProtocol.isHTTP).map(\.number))
        var cost = RouteCost()
        for rule in http {
            if rule.match.isEmpty {
                cost = cost + RouteCost(routes: ports.count, regexSize: ports.count * rule.regexSize)
            }
            for match in rule.match {
                let count = match.port.map { ports.contains($0) ? 1 : 0 } ?? ports.count
                cost = cost + RouteCost(routes: count, regexSize: count * (rule.regexSize + match.regexSize))
            }
        }
        return cost
    }
}

/// The bound on what the rules of a mesh come to together.
///
/// Rules that are too much for their service are left out, and then, as long as the rest is too much for the mesh, the largest:
/// who has few is not hurt by who has many. It depends on the costs alone, so equal states give equal results, whatever the
/// way to them; and as long as everything is within the bounds, a change costs what it touches.
struct RouteBudget: Hashable, Sendable {
    /// The costs of rules by host, whether they are left out or not.
    private var costs: [Host: RouteCost] = [:]
    private var total = RouteCost()
    /// Hosts whose rules are left out, and why: the rest of a sentence.
    private(set) var leftOut: [Host: String] = [:]

    /// Takes over what some hosts' rules come to now; nothing for those that have none.
    ///
    /// - Returns: the hosts whose rules are left out now and were not before, or the other way round, or for another reason.
    mutating func update(_ changed: [(name: Host, cost: RouteCost)]) -> [Host] {
        for (name, cost) in changed {
            total = total - (costs[name] ?? RouteCost()) + cost
            costs[name] = cost == RouteCost() ? nil : cost
        }
        let before = leftOut
        leftOut = total.excessOfMesh == nil ? tooMuchForTheirHost(changed) : decided()
        guard before != leftOut else { return [] }
        return Set(before.keys).union(leftOut.keys).filter { before[$0] != leftOut[$0] }
    }

    private func tooMuchForTheirHost(
        _ changed: [(name: Host, cost: RouteCost)]
    ) -> [Host: String] {
        // What was left out for the mesh's sake may be in again.
        var result = leftOut.filter { costs[$0.key]?.excessOfService == $0.value }
        for (name, cost) in changed { result[name] = cost.excessOfService }
        return result
    }

    private func decided() -> [Host: String] {
        var result = costs.compactMapValues(\.excessOfService)
        var rest = total - result.keys.reduce(RouteCost()) { $0 + (costs[$1] ?? RouteCost()) }
        guard rest.excessOfMesh != nil else { return result }
        let reason = """
            are among the largest of a mesh whose rules come to too much; allowed are \(Limits.routesPerMesh.rule), and of their \
            regexes \(Limits.regexSizePerMesh.rule)
            """
        let bySize = costs.filter { result[$0.key] == nil }.sorted {
            ($1.value.share, $0.key) < ($0.value.share, $1.key)
        }
        for (name, cost) in bySize where rest.excessOfMesh != nil {
            result[name] = reason
            rest = rest - cost
        }
        return result
    }
}

extension RouteBudget {
    /// The limit that a release's copies of some routes of one rule would exceed.
    ///
    /// - Parameters:
    ///   - routes: so many there are.
    ///   - copies: what the release puts before each of them at most.
    ///   - regexSize: of the rule's own regexes, which every copy has too.
    ///   - others: what releases have made of the service's other routes.
    /// - Returns: the beginning of a sentence; `nil` if it is within the limits.
    static func excess(of routes: Int, _ copies: Int, regexSize: Int, besides others: RouteCost) -> String? {
        let (made, isOver) = routes.multipliedReportingOverflow(by: copies)
        if isOver || !Limits.copiesPerRoute.allows(made) {
            return "it would make more copies of one condition than allowed, \(Limits.copiesPerRoute.rule)"
        }
        if !Limits.copiesPerService.allows(others.routes + made) {
            return
                "it would make more copies of the rules for one service than allowed, \(Limits.copiesPerService.rule)"
        }
        // Both factors are within limits already.
        let regexes = others.regexSize + made * regexSize
        if !Limits.regexSizePerService.allows(regexes) {
            return
                "its copies of the rules for one service would have regexes that come to \(regexes) instructions; allowed are "
                + Limits.regexSizePerService.rule
        }
        return nil
    }
}

extension ReleaseLowering {
    /// How many copies it puts before a route at most; none if it leaves the rule as it is.
    var mostCopies: Int {
        traffic.isEffective && traffic.classify(rule) == .split ? traffic.mostCopies : 0
    }
}

extension ReleaseTraffic {
    /// How many copies there are at most of each condition of a rule that is divided.
    package var mostCopies: Int {
        let isWhole = paths.contains(where: \.isAnyPath)
        let isMirrorOfSome = mirror.map { !$0.methods.isEmpty } ?? false
        let parts = (isMirrorOfSome ? 1 : 0) + (isWhole ? 0 : 1)
        // Requests that are given a cookie have routes of their own.
        let keyless = isDivided && stickiness?.cookie != nil ? parts + (isWhole ? 1 : 0) : 0
        return (matches.count + parts + keyless) * (isWhole ? 1 : paths.count)
    }
}

extension RouteCost {
    /// The share of a mesh's limits that the cost takes, in some unit: of routes or of regexes, whichever is larger.
    fileprivate var share: Int {
        max(routes * Limits.regexSizePerMesh.value, regexSize * Limits.routesPerMesh.value)
    }
}
