package import GrayRelease
package import MeshCore
package import MeshModel

/// A rule that a release is to divide and leaves as it is for a port, as it would make too many copies.
package struct ReleaseExcess: Hashable, Sendable {
    /// The host whose callers take the rule.
    package var host: Host
    /// `nil`: the service's default route.
    package var virtualService: NamespacedName?
    package var rule: Int?
    package var port: Int
    /// The beginning of a sentence about the release that ends with the limit's name.
    package var limit: String

    init(host: Host, _ place: RulePlace?, port: Int, limit: String) {
        self.host = host
        virtualService = place?.virtualService
        rule = place?.index
        self.port = port
        self.limit = limit
    }
}

extension ReleaseTraffic {
    /// The rules that the release leaves undivided, as it would make too many copies of them: the compiler leaves out
    /// the same.
    ///
    /// - Parameter name: the release's.
    /// - Returns: each rule and port once.
    package func excess(as name: NamespacedName, in index: RuleIndex) -> [ReleaseExcess] {
        guard isEffective, mostCopies > 0 else { return [] }
        let other = index.replacingReleases(of: service, by: name, self)
        return other.hosts(sendingTo: host).sorted().flatMap { host -> [ReleaseExcess] in
            guard !isWithinBounds(as: name, on: host, in: other), var lowering = RouteLowering(host, in: other) else {
                return []
            }
            return lowering.excess(of: name)
        }
    }

    /// Whether even if it divided all rules for a host, there would be no more copies than allowed. Told without making them:
    /// a release that waits is looked at several times a second.
    private func isWithinBounds(as name: NamespacedName, on host: Host, in index: RuleIndex) -> Bool {
        var view = index.view
        guard let service = view.service(host)?.spec else { return true }
        // What several releases make of a rule multiplies.
        let others = index.state.releases.filter { $0.key != name && $0.value.isEffective }
        guard others.allSatisfy({ !index.hosts(sendingTo: $0.value.host).contains(host) }) else { return false }
        var cost = RouteCost(routes: service.ports.count)
        for (_, rules) in view.objects(VirtualServiceSpec.self, mentioning: host.mention) {
            cost = cost + rules.spec.cost(for: service)
        }
        return RouteBudget.excess(of: cost, mostCopies) == nil
    }
}

extension RouteBudget {
    /// The ``excess(of:_:regexSize:besides:)`` if all routes of a service were copied, which is the most there can be.
    fileprivate static func excess(of cost: RouteCost, _ copies: Int) -> String? {
        excess(of: 1, copies, regexSize: 0, besides: RouteCost())
            ?? excess(
                of: 1, 0, regexSize: 0,
                besides: RouteCost(routes: cost.routes * copies, regexSize: cost.regexSize * copies))
    }
}

extension RouteLowering {
    /// Lowers everything, and returns what of it a release leaves as it is.
    fileprivate mutating func excess(of release: NamespacedName) -> [ReleaseExcess] {
        _ = virtualHosts()
        var seen: Set<ReleaseExcess> = []
        return leftOut.compactMap { entry in
            var place = entry.excess
            place.limit = ""
            return entry.release == release && seen.insert(place).inserted ? entry.excess : nil
        }
    }
}

extension [RouteEffect] {
    /// These effects, with rules told apart that the release is to divide and leaves as they are.
    ///
    /// - Parameters:
    ///   - now: what is left out by the step that is looked at.
    ///   - end: what is left out by the last one: the promotion moves it undivided.
    package func leavingOut(_ now: [ReleaseExcess], atEnd end: [ReleaseExcess]) -> [RouteEffect] {
        guard !now.isEmpty || !end.isEmpty else { return self }
        return flatMap { effect -> [RouteEffect] in
            guard effect.effect == .split else { return [effect] }
            // Ports that are treated alike stay together.
            var parts: [RouteEffect] = []
            for port in effect.ports {
                var part = effect
                part.ports = []
                if let excess = now.first(where: { $0.isAbout(effect, port: port) }) {
                    part.effect = .tooManyCopies
                    part.detail = "is left as it is, although the release is to divide it: \(excess.limit)"
                }
                if end.contains(where: { $0.isAbout(effect, port: port) }) { part.atPromotion = .moves }
                let same = parts.firstIndex { other in
                    part.ports = other.ports
                    return part == other
                }
                if let same {
                    parts[same].ports.append(port)
                } else {
                    part.ports = [port]
                    parts.append(part)
                }
            }
            return parts
        }.inOrder
    }
}

extension ReleaseExcess {
    fileprivate func isAbout(_ effect: RouteEffect, port: Int) -> Bool {
        host == effect.host && virtualService == effect.virtualService && rule == effect.rule && self.port == port
    }
}
