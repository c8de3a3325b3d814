internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel

extension RouteEffect {
    /// Which rule, for people.
    var place: String {
        let rule = ruleName.map { "rule \"\($0)\"" } ?? "the rule"
        let ports = ports.map { "\($0)" }.joined(separator: ", ")
        guard let virtualService else { return "the default route of \(host.noun) \(host), port \(ports)" }
        return
            "\(rule) at \(pointer ?? .spec) of VirtualService \(virtualService) for \(host.noun) \(host), port \(ports)"
    }

    /// One sentence for people about what becomes of the rule.
    var sentence: String {
        let then =
            switch atPromotion {
            case .unchanged: "the promotion changes nothing"
            case .completes: "the promotion finds it on the canary already"
            case .movesRest: "the plan ends before it is on the canary alone, and the promotion moves the rest at once"
            case .moves: "the promotion moves it at once"
            }
        return ["\(place): \(effect.rawValue): \(detail)", then, stickiness].compactMap(\.self).joined(separator: "; ")
    }

    var json: JSONValue {
        let members: [String: JSONValue?] = [
            "ports": .array(ports.map { .integer(Int64($0)) }),
            "virtualService": virtualService.map {
                ["namespace": .string($0.namespace.text), "name": .string($0.name.text)]
            },
            "rule": ruleName.map(JSONValue.string), "pointer": pointer.map { .string($0.description) },
            "effect": .string(effect.rawValue), "why": .string(detail), "atPromotion": .string(atPromotion.rawValue),
            "canaryWeight": canaryWeightPointer.map { .string($0.description) },
            "notForProxyless": notForProxyless.map(JSONValue.string), "stickiness": stickiness.map(JSONValue.string),
        ]
        return .object(members.compactMapValues(\.self).merging(host.members) { own, _ in own })
    }
}

extension [RouteEffect] {
    /// At most this many are shown one by one.
    static var shown: Int { 500 }

    /// For an answer's `warnings`.
    var warnings: [Violation] {
        var warnings = prefix(Self.shown).map { Violation(.root, .consequence, $0.sentence) }
        if count > Self.shown {
            warnings.append(Violation(.root, .consequence, "and \(count - Self.shown) more rules; preview counts them"))
        }
        return warnings
    }

    /// `rules` and, where not all are in it, how many are not, under `omitted`.
    var members: [String: JSONValue] {
        var members: [String: JSONValue] = ["rules": .array(prefix(Self.shown).map(\.json))]
        if count > Self.shown { members["omitted"] = .integer(Int64(count - Self.shown)) }
        return members
    }
}

extension ReleaseObservations.Rules {
    init(_ effects: [RouteEffect]) {
        self.init(
            areSplit: effects.contains(where: \.divides),
            unsplit: effects.filter { $0.atPromotion == .moves }.map(\.place),
            leftOut: effects.filter { $0.effect == .tooManyCopies }.map { "\($0.place) \($0.detail)" },
            handWeighted: effects.filter { $0.canaryWeightPointer != nil }.map(\.place))
    }
}

extension StoredRelease {
    /// The effects of the release on the rules of the mesh, by its plan.
    func effects(in rules: RuleIndex) -> [RouteEffect] { spec.effects(in: rules, as: name, at: status) }
}

extension ReleaseSpec {
    /// The effects of a release with this plan on the rules of the mesh. The step decides only which copies would be
    /// too many: it is the current one, or before the start the one with the most.
    ///
    /// - Parameter name: the release's.
    func effects(in rules: RuleIndex, as name: NamespacedName, at status: ReleaseStatus) -> [RouteEffect] {
        let now: ReleaseTraffic? =
            if status.phase.isActive, let step = status.currentStep {
                traffic(in: name.namespace, through: step.index)
            } else {
                mostCopies(in: name.namespace)?.traffic
            }
        return effects(in: rules, as: name, with: now)
    }

    /// The effects of a release with this plan on the rules of the mesh, as ``effects(in:as:at:)``.
    ///
    /// - Parameter now: its traffic in the step that decides which copies would be too many.
    func effects(in rules: RuleIndex, as name: NamespacedName, with now: ReleaseTraffic?) -> [RouteEffect] {
        let end = traffic(in: name.namespace, through: strategy.steps.count - 1)
        let leftOut = now?.excess(as: name, in: rules) ?? []
        let leftOutAtEnd = end == now ? leftOut : end.excess(as: name, in: rules)
        let effects = traffic(in: name.namespace).effects(in: rules).leavingOut(leftOut, atEnd: leftOutAtEnd)
        guard strategy.traffic(through: strategy.steps.count - 1).share < .all else { return effects }
        return effects.map { effect in
            var effect = effect
            if effect.atPromotion == .completes { effect.atPromotion = .movesRest }
            return effect
        }
    }

    /// Names in the scope that no rule has which sends to the service.
    ///
    /// - Parameter pointer: of the release's `spec`.
    func unknownRules(in rules: RuleIndex, namespace: Name, at pointer: JSONPointer) -> [Violation] {
        let unknown = traffic(in: namespace).unknownRules(in: rules)
        let here = ["strategy", "trafficRouting", "scope", "rules"].reduce(pointer) { $0.appending($1) }
        return strategy.rules.enumerated().filter { unknown.contains($0.element) }.map { index, rule in
            Violation(
                here.appending(index), .unknownReference, "no rule that sends requests to \(service) is called \(rule)")
        }
    }

    /// The rules where users cannot be kept on a version, though they are to be.
    ///
    /// - Parameter pointer: of the release's `spec`.
    func stickinessConflicts(_ effects: [RouteEffect], at pointer: JSONPointer) -> [Violation] {
        let here = Stickiness.path.reduce(pointer) { $0.appending($1) }
        return effects.compactMap { effect in
            effect.stickinessConflict.map { Violation(here, .conflict, "\(effect.place): \($0)") }
        }
    }

    /// The violation of a limit by the step that makes the most copies of rules: it would leave rules undivided. Empty:
    /// none.
    ///
    /// - Parameters:
    ///   - name: the release's.
    ///   - pointer: of the release's `spec`.
    func excess(in rules: RuleIndex, as name: NamespacedName, at pointer: JSONPointer) -> [Violation] {
        guard let worst = mostCopies(in: name.namespace),
            let excess = worst.traffic.excess(as: name, in: rules).first
        else { return [] }
        return [
            Violation(
                pointer.appending("strategy").appending("steps").appending(worst.index), .tooMany,
                "\(excess.limit); rules that it would divide are left as they are")
        ]
    }

    /// The step that makes the most copies of rules.
    private func mostCopies(in namespace: Name) -> (index: Int, traffic: ReleaseTraffic)? {
        strategy.steps.indices.map { ($0, traffic(in: namespace, through: $0)) }
            .max { $0.1.mostCopies < $1.1.mostCopies }
    }

    /// The traffic that is compiled of the release in one of its steps.
    func traffic(in namespace: Name, through step: Int) -> ReleaseTraffic {
        var traffic = traffic(in: namespace)
        (traffic.canaryShare, traffic.matches, traffic.mirror) = strategy.traffic(through: step)
        return traffic
    }
}
