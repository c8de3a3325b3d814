package import Documents
package import GrayRelease
package import MeshCore
package import MeshModel

/// The effect of a release on the routes of one rule, or on a service's default route, and the effect of its promotion.
package struct RouteEffect: Hashable, Sendable {
    package enum Class: String, CaseIterable, Sendable {
        /// No destination is the service, its stable version or its canary.
        case untouched
        /// The release's scope leaves the rule, or the port, out.
        case outOfScope
        /// The rule is of another namespace and names a version: only destinations without a version follow there.
        case keptOtherNamespace
        /// Names the canary and neither the service nor stable: somebody tries the canary out.
        case keptCanaryOnly
        /// Names nothing of the service but stable, for some requests of a client.
        case pinned
        /// The release divides what goes to the service.
        case split
        /// The release is to divide what goes to the service, and leaves it as it is: it would make too many copies.
        case tooManyCopies
    }

    package enum AtPromotion: String, Sendable {
        /// Goes on as it is.
        case unchanged
        /// Is on the canary already by then.
        case completes
        /// Has been divided, and what stable still has of it goes to the canary at once: the plan ends with less than all.
        case movesRest
        /// Goes from stable to the canary at once, undivided before.
        case moves
    }

    /// The host whose callers take the rule.
    package var host: Host
    /// `nil`: the host's default route.
    package var virtualService: NamespacedName?
    /// The place in `http`.
    package var rule: Int?
    package var ruleName: String?
    /// The ports of ``host`` where the effect is this one, in the host's order.
    package var ports: [Int]
    package var effect: Class
    /// Why, as a sentence for people.
    package var detail: String
    package var atPromotion: AtPromotion
    /// To the rule: `/spec/http/2`.
    package var pointer: JSONPointer?
    /// The parts of the release that clients without a sidecar (gRPC) take no part in, as a sentence; `nil`: none.
    package var notForProxyless: String?
    /// The users that are kept on a version while both have a share, as a sentence; `nil`: none are to be.
    package var stickiness: String?
    /// Why users cannot be kept on a version, though they are to be: a sentence; `nil`: they can.
    package var stickinessConflict: String?
    /// To the destination of a divided rule that gives the canary a part by hand.
    package var canaryWeightPointer: JSONPointer?
    /// Whether there are requests to divide: a rule may give the service's destinations the weight 0.
    package var divides = false
}

extension ReleaseTraffic {
    /// The effects of the release on every rule that sends to its service, whatever its step: pinned and kept ones
    /// first, then by service, VirtualService and rule. A rule has one entry for all ports where it is treated alike.
    package func effects(in index: RuleIndex) -> [RouteEffect] {
        var effects: [RouteEffect] = []
        for host in index.hosts(sendingTo: host).sorted() {
            guard var lowering = RouteLowering(host, in: index) else { continue }
            effects += lowering.effects(of: self)
        }
        return effects.inOrder
    }

    /// The names of ``rules`` that no rule has which sends to the service.
    package func unknownRules(in index: RuleIndex) -> [String] {
        var known: Set<String> = ["*"]
        for host in index.hosts(sendingTo: host) {
            guard var lowering = RouteLowering(host, in: index) else { continue }
            known.formUnion(lowering.names(of: self))
        }
        return rules.filter { !known.contains($0) }
    }

    fileprivate func effect(on rule: RuleDestinations, of place: RulePlace?, port: Int, caller: Host)
        -> RouteEffect
    {
        let effect = classify(rule)
        var result = RouteEffect(
            host: caller, virtualService: place?.virtualService, rule: place?.index, ruleName: place?.name,
            ports: [port],
            effect: effect, detail: detail(effect, rule), atPromotion: atPromotion(effect, rule),
            pointer: place?.pointer, canaryWeightPointer: nil)
        let byHand = rule.all.first {
            $0.host == host && $0.named == canary && $0.version == canary && $0.weight > 0
        }
        if effect == .split {
            result.notForProxyless = notForProxyless
            result.stickiness = stickiness.map {
                $0.sentence(beside: rule.all.filter { !divides($0) && $0.weight > 0 })
            }
        }
        result.divides =
            effect == .split && rule.all.contains { isReleased($0) && covers(port: $0.port) && $0.weight > 0 }
        if effect == .split, let byHand, let place {
            result.canaryWeightPointer = place.pointer.appending("route").appending(byHand.index).appending("weight")
        }
        return result
    }

    /// gRPC sees no path of its own, leaves out routes with conditions on the query, and copies no requests (gRFC A28).
    private var notForProxyless: String? {
        var parts: [String] = []
        if matches.contains(where: { $0.path != nil || !$0.queryParams.isEmpty }) {
            parts.append("matches on paths and query parameters")
        }
        if !paths.contains(where: \.isAnyPath) { parts.append("the paths of the scope") }
        if mirror != nil { parts.append("the mirror") }
        if stickiness != nil { parts.append("the stickiness") }
        return parts.isEmpty ? nil : "clients without a sidecar take no part in " + parts.joined(separator: " and ")
    }

    private func atPromotion(_ effect: RouteEffect.Class, _ rule: RuleDestinations) -> RouteEffect.AtPromotion {
        let own = rule.all.filter { $0.host == host }
        switch effect {
        case .untouched, .keptCanaryOnly, .pinned: return .unchanged
        case .keptOtherNamespace: return own.contains { $0.named == nil } ? .moves : .unchanged
        case .split, .tooManyCopies:
            // What is outside of the paths, or on other ports, has not been divided.
            return paths.contains(where: \.isAnyPath) && own.allSatisfy { covers(port: $0.port) } ? .completes : .moves
        case .outOfScope:
            let isOther = rule.shape.namespace != service.namespace
            let stays = own.allSatisfy { destination in
                guard let named = destination.named else { return false }
                return isOther || destination.version != stable || rule.isPin(on: named, of: host)
            }
            return stays ? .unchanged : .moves
        }
    }

    private func detail(_ effect: RouteEffect.Class, _ rule: RuleDestinations) -> String {
        switch effect {
        case .untouched: "has no destination that is \(service.name), \(stable) or \(canary)"
        case .outOfScope: "the release's scope leaves it out"
        case .keptOtherNamespace:
            "is a rule of namespace \(rule.shape.namespace) that names a version; there, only destinations without one follow"
        case .keptCanaryOnly: "names \(canary), and neither \(service.name) nor \(stable)"
        case .pinned: "pins some requests of a client to \(stable)"
        case .split, .tooManyCopies:
            "what it sends to \(service.name) is divided between \(stable) and \(canary)"
                + (paths.contains(where: \.isAnyPath) ? "" : ", as far as the scope has the path")
        }
    }
}

extension Stickiness {
    /// - Parameter others: destinations of the rule that are not the release's.
    fileprivate func sentence(beside others: [RuleDestination]) -> String {
        let fallback = fallback.map { ", else by cookie \($0.name)" } ?? ""
        let names = others.map { destination in
            destination.version.map { "\(destination.host) \($0)" } ?? "\(destination.host)"
        }
        let besides = names.isEmpty ? "" : "; so are those of its other destinations, \(names.joined(separator: ", "))"
        return
            "while both versions have a share, users are kept on one of them by \(key.description)\(fallback)\(besides); those of "
            + "clients without a sidecar, and of Envoys before 1.36, are not"
    }
}

extension RouteLowering {
    /// The effects of a release on the rules for the host, one entry for all ports of a rule that are treated alike.
    fileprivate mutating func effects(of traffic: ReleaseTraffic) -> [RouteEffect] {
        var effects: [RouteEffect] = []
        for (place, rule, port) in rules() {
            var effect = traffic.effect(on: rule, of: place, port: port, caller: host)
            if effect.effect == .split, let conflict = stickinessConflict(of: traffic, with: rule) {
                effect.stickinessConflict = conflict
                effect.stickiness = "users are not kept on a version: \(conflict)"
            }
            let same = effects.firstIndex { other in
                var effect = effect
                effect.ports = other.ports
                return effect == other
            }
            if let same { effects[same].ports.append(port) } else { effects.append(effect) }
        }
        return effects.filter { traffic.host == host || $0.effect != .untouched }
    }

    /// By which names a scope can select the rules that send to a release's service, also those that no request gets to now.
    fileprivate mutating func names(of traffic: ReleaseTraffic) -> Set<String> {
        rules(areReached: false).reduce(into: []) { names, entry in
            if entry.rule.all.contains(where: { $0.host == traffic.host }) {
                names.formUnion(entry.rule.shape.names)
            }
        }
    }

    /// Every rule for every port that it is about, and the default route of ports that no rule is about.
    ///
    /// - Parameter areReached: leave out those behind a rule that takes every request to the port.
    private mutating func rules(
        areReached: Bool = true
    ) -> [(place: RulePlace?, rule: RuleDestinations, port: Int)] {
        let holder = holder()
        let all = holder.flatMap { rules(of: $0)?.spec.http } ?? []
        var found: [(place: RulePlace?, rule: RuleDestinations, port: Int)] = []
        for port in service.spec.ports.filter(\.appProtocol.isHTTP).map(\.number) {
            let before = found.count
            for (index, rule) in all.enumerated() {
                let matches = rule.match.filter { $0.isAbout(port: port) }
                guard let holder, rule.match.isEmpty || !matches.isEmpty else { continue }
                let place = RulePlace(holder, index, rule)
                found.append((place, destinations(of: rule, at: place, port: port), port))
                let takesAll = rule.match.isEmpty || matches.contains { IR.RouteMatch($0).isAny }
                if areReached && takesAll { break }
            }
            if found.count == before { found.append((nil, defaultRule(port: port), port)) }
        }
        return found
    }
}

extension RouteLowering {
    /// - Returns: `nil` if there is no such host.
    init?(_ host: Host, in index: RuleIndex) {
        var view = index.view
        guard let service = view.service(host) else { return nil }
        self.init(host, service, view)
    }
}

extension [RouteEffect] {
    /// The effects that people have to know of come first; otherwise the order stays.
    var inOrder: [RouteEffect] {
        enumerated().sorted {
            ($0.element.effect.place, $0.offset) < ($1.element.effect.place, $1.offset)
        }.map(\.element)
    }
}

extension RouteEffect.Class {
    /// The rank in lists, lowest first: effects that people have to know of.
    fileprivate var place: Int {
        switch self {
        case .tooManyCopies: 0
        case .pinned: 1
        case .keptOtherNamespace: 2
        case .keptCanaryOnly: 3
        case .outOfScope: 4
        case .split: 5
        case .untouched: 6
        }
    }
}
