internal import Documents
internal import GrayRelease
internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// A release that is looked at before it does anything.
struct ReleasePreview: Sendable {
    let spec: ReleaseSpec
    let status: ReleaseStatus
    let name: NamespacedName
    let rules: RuleIndex
    /// Another release of the service that is active.
    let rival: Name?
    let basis: PreviewBasis
    /// Whether the plan may give the canary most of the traffic without somebody else's word.
    let mayPromote: Bool
    /// The proxy whose routes are shown, and who finds out how they differ; `nil`: none.
    let proxy: (row: ProxyRow, source: RouteDifferenceSource)?
    /// The only namespaces whose hosts' routes are shown; empty: all.
    let namespaces: Set<Name>

    private var state: MeshState { rules.state }

    var service: NamespacedName { NamespacedName(namespace: name.namespace, name: spec.service) }

    func json(_ service: MeshState.Service, isCancelled: @Sendable () -> Bool) -> JSONValue {
        let effects = spec.effects(in: rules, as: name, at: status)
        var members = effects.members
        members["revision"] = .integer(state.revision)
        members["unchangedWhile"] = [
            "documents": .string(basis.documents), "endpoints": .string(basis.endpoints),
        ]
        members["promotion"] = promotion(effects)
        members["stableVersion"] = stableVersion(service.status.stableVersion)
        members["refusals"] = JSONValue.list(refusals(effects, service)) { .string("\($0.pointer): \($0.detail)") }
        members["warnings"] = JSONValue.list(spec.warnings(at: JSONPointer.spec)) {
            [
                "pointer": .string($0.pointer.description), "code": .string($0.code.rawValue),
                "detail": .string($0.detail),
            ]
        }
        if let proxy { members["proxy"] = .string("\(proxy.row.name)") }
        var budget = AnswerBudget(Limits.previewBytes.value)
        budget.spend(.object(members))
        members["steps"] = .array(steps(effects, &budget, isCancelled))
        members["truncated"] = budget.refused == 0 ? nil : .integer(Int64(budget.refused))
        return .object(members)
    }

    // MARK: Steps

    private func steps(
        _ effects: [RouteEffect], _ budget: inout AnswerBudget, _ isCancelled: @Sendable () -> Bool
    ) -> [JSONValue] {
        let (before, stages) = spec.stages(as: name, in: state)
        let differences = proxy.map { $0.source($0.row, before, stages, isCancelled) } ?? []
        var (earlier, shown): (ReleaseTraffic?, [RouteEffect]) = (nil, effects)
        var gates = PlanGates(mayPromote: mayPromote)
        return stages.enumerated().map { number, stage in
            var members = members(of: stage)
            members["gate"] = gate(of: stage, &gates, effects)?.text
            let rules: [JSONValue]
            switch stage.moment {
            case .start:
                let before = state.services[service]?.status.stableVersion
                rules = before == nil ? moves.map(\.step) : []
            case .step:
                // Only what it copies decides which rules would be too much.
                if earlier.map({ $0.matches != stage.traffic?.matches || $0.mirror != stage.traffic?.mirror }) ?? true {
                    shown = spec.effects(in: self.rules, as: name, with: stage.traffic)
                }
                earlier = stage.traffic
                rules = shown.map { $0.step($0.effect.rawValue, $0.detail) }
            case .promotion:
                rules = effects.filter { $0.atPromotion != .unchanged }.map {
                    $0.step($0.atPromotion.rawValue, $0.sentence)
                }
            }
            let limited = Array(rules.prefix([RouteEffect].shown))
            let taken = budget.take(limited)
            members["rules"] = .array(taken)
            if taken.count < rules.count { members["omittedRules"] = .integer(Int64(rules.count - taken.count)) }
            guard differences.indices.contains(number) else { return .object(members) }
            let visible = differences[number].filter {
                namespaces.isEmpty || namespaces.contains($0.host.namespace)
            }
            let patch = visible.reduce(JSONPatch()) { $0 + $1.patch }
            // Half a patch would be another one.
            if budget.takeAll(patch.json, of: patch.operations.count) {
                members["routes"] = patch.json
            } else {
                members["omittedRoutes"] = .integer(Int64(patch.operations.count))
            }
            return .object(members)
        }
    }

    /// The members that say what a stage is, and what it is for the canary.
    private func members(of stage: ReleaseStage) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        switch stage.moment {
        case .start: members["kind"] = "start"
        case .step(let index):
            let step = spec.strategy.steps[index]
            members["index"] = .integer(Int64(index))
            members["name"] = step.name.map(JSONValue.string)
            members["kind"] = .string(step.kind.rawValue)
        case .promotion:
            members["kind"] = "promotion"
        }
        members["traffic"] = traffic(of: stage)
        return members
    }

    /// The gate of a stage, besides its traffic's coming into force; `nil`: nothing.
    private func gate(of stage: ReleaseStage, _ gates: inout PlanGates, _ effects: [RouteEffect]) -> PlanGates.Gate? {
        switch stage.moment {
        case .start: return nil
        case .step(let index):
            let kind = spec.strategy.steps[index].kind
            if gates.holds(stage.traffic) { return .promotion }
            switch kind {
            case .setWeight, .setMatch, .setMirror, .notify, .promote: return nil
            case .pause, .analysis, .approval, .webhook, .checkEndpoints: return .kind(kind)
            }
        case .promotion:
            if gates.holdsPromotion { return .promotion }
            return waitsForAcknowledgement(effects) ? .acknowledgement : nil
        }
    }

    private func traffic(of stage: ReleaseStage) -> JSONValue {
        let share = stage.traffic?.canaryShare ?? (stage.moment == .promotion ? .all : .none)
        return .fields([
            "canary": .integer(Int64(share.basisPoints)),
            "stable": .integer(Int64(TrafficShare.all.basisPoints - share.basisPoints)),
            "matches": JSONValue.list(stage.traffic?.matches ?? [], \.json),
            "mirror": stage.traffic?.mirror.map { mirror in
                .fields([
                    "canary": .integer(Int64(mirror.share.basisPoints)),
                    "methods": JSONValue.list(mirror.methods, JSONValue.string),
                ])
            },
        ])
    }

    private var moves: [RouteMove] {
        state.moves(of: service) { $0.apply(.setStable(spec.stable.version), by: name.name) }
    }

    // MARK: The release as a whole

    /// The preview's `promotion`: the rules that the promotion moves without their having been split.
    private func promotion(_ effects: [RouteEffect]) -> JSONValue {
        let moving = effects.filter { $0.atPromotion == .moves }
        return .object(
            moving.members.merging([
                "unsplit": .string(spec.unsplitAction.rawValue),
                "waitsForAcknowledgement": .bool(waitsForAcknowledgement(effects)),
            ]) { $1 })
    }

    private func waitsForAcknowledgement(_ effects: [RouteEffect]) -> Bool {
        spec.unsplitAction == .hold && effects.contains { $0.atPromotion == .moves } && !status.isUnsplitAcknowledged
    }

    /// The preview's `stableVersion`: the service's before and after the release's first step, the ready endpoints that
    /// stable has and needs, and the routes that move.
    private func stableVersion(_ before: Name?) -> JSONValue {
        let stable = spec.stable.version
        let ready = state.readyVersions(of: service)
        let others = ready.count { $0 != spec.canary.version }
        let needed = before == nil ? spec.strategy.endpointGuard.neededStable(of: others) : 0
        let moves = before == nil ? moves : []
        return .fields([
            "before": before.map { .string($0.text) } ?? .null, "after": .string((before ?? stable).text),
            "readyStable": .integer(Int64(ready.count { $0 == stable })), "readyTotal": .integer(Int64(ready.count)),
            "neededStable": .integer(Int64(needed)),
            "moves": .array(moves.prefix([RouteEffect].shown).map(\.json)),
        ])
    }

    /// The preview's `refusals`: the violations for which a start would be refused.
    private func refusals(_ effects: [RouteEffect], _ service: MeshState.Service) -> [Violation] {
        let log = ViolationLog()
        let pointer = JSONPointer.spec
        spec.check(against: service.spec, at: pointer, log: log)
        var refusals = log.violations + spec.unknownRules(in: rules, namespace: name.namespace, at: pointer)
        if let rival {
            let detail = "release \(rival) of the same service is active"
            refusals.append(Violation(pointer.appending("service"), .conflict, detail))
        }
        refusals += spec.excess(in: rules, as: name, at: pointer)
        refusals += spec.stickinessConflicts(effects, at: pointer)
        if let version = service.status.stableVersion, version != spec.stable.version {
            refusals.append(
                Violation(
                    pointer.appending("stable").appending("version"), .conflict,
                    "the service's stable version is \(version)"))
        }
        for effect in effects {
            guard let place = effect.canaryWeightPointer else { continue }
            refusals.append(
                Violation(place, .conflict, "\(effect.place) gives \(spec.canary.version) requests by hand"))
        }
        return refusals
    }
}

/// The waiting of a plan for somebody who may give the canary most of the traffic: once, before the first that does.
private struct PlanGates {
    enum Gate {
        /// The step itself waits.
        case kind(ReleaseStep.Kind)
        /// The plan waits for somebody who may promote.
        case promotion
        /// The plan waits for somebody to agree that rules move which the release does not split.
        case acknowledgement

        var text: JSONValue {
            switch self {
            case .kind(let kind): .string(kind.rawValue)
            case .promotion: "promotion"
            case .acknowledgement: "acknowledgement"
            }
        }
    }

    /// Whether somebody has agreed, or need not.
    private var isOpen: Bool
    private var earlier: ReleaseTraffic?

    init(mayPromote: Bool) { isOpen = mayPromote }

    /// Whether the plan would stand still before this traffic.
    mutating func holds(_ traffic: ReleaseTraffic?) -> Bool {
        defer { earlier = traffic }
        guard !isOpen, let traffic else { return false }
        let isMore =
            traffic.canaryShare > earlier?.canaryShare ?? .none
            || (!traffic.matches.isEmpty && traffic.matches != earlier?.matches ?? [])
            || (traffic.mirror != nil && traffic.mirror != earlier?.mirror)
        guard isMore, ReleaseTraffic.isMost(traffic.canaryShare, traffic.matches) else { return false }
        isOpen = true
        return true
    }

    /// Whether the plan would stand still before the promotion.
    var holdsPromotion: Bool { !isOpen }
}

/// The bytes that an answer may still have.
private struct AnswerBudget {
    private var left: Int
    /// How many elements found no place.
    private(set) var refused = 0

    init(_ bytes: Int) { left = bytes }

    mutating func spend(_ value: JSONValue) { left -= value.printedSize }

    /// The first of the elements: as many as there is place for.
    mutating func take(_ elements: [JSONValue]) -> [JSONValue] {
        let taken = elements.prefix { element in
            let size = element.printedSize
            guard size <= left else { return false }
            left -= size
            return true
        }
        refused += elements.count - taken.count
        return Array(taken)
    }

    /// Whether there is place for all.
    mutating func takeAll(_ value: JSONValue, of count: Int) -> Bool {
        let size = value.printedSize
        guard size <= left else {
            refused += count
            return false
        }
        left -= size
        return true
    }
}

extension JSONValue {
    /// How many bytes it takes to write it down, at most.
    fileprivate var printedSize: Int {
        switch self {
        case .null, .bool: 6
        case .integer, .number: 26
        case .string(let text): Self.printedSize(text)
        case .array(let elements): elements.reduce(2) { $0 + $1.printedSize + 1 }
        case .object(let members):
            members.reduce(2) { $0 + Self.printedSize($1.key) + $1.value.printedSize + 2 }
        }
    }

    private static func printedSize(_ text: String) -> Int {
        text.utf8.reduce(3) { $0 + ($1 < 0x20 ? 6 : $1 == 0x22 || $1 == 0x2F || $1 == 0x5C ? 2 : 1) }
    }
}

extension RouteEffect {
    /// The rule as a step lists it.
    ///
    /// - Parameters:
    ///   - effect: of the step.
    ///   - why: as a sentence.
    fileprivate func step(_ effect: String, _ why: String) -> JSONValue {
        .fields([
            "object": Self.object(virtualService, host), "rule": ruleName.map(JSONValue.string),
            "pointer": pointer.map { .string($0.description) },
            "ports": .array(ports.map { .integer(Int64($0)) }), "effect": .string(effect), "why": .string(why),
        ])
    }

    /// The VirtualService, or of a default route what defines the host.
    fileprivate static func object(_ rules: NamespacedName?, _ host: Host) -> JSONValue {
        guard let rules else { return .object(host.members) }
        return [
            "kind": .string(Kind.virtualService.name), "namespace": .string(rules.namespace.text),
            "name": .string(rules.name.text),
        ]
    }
}

extension RouteMove {
    /// The route as a step lists it.
    fileprivate var step: JSONValue {
        .fields([
            "object": RouteEffect.object(rules, host), "pointer": rules == nil ? nil : .string(pointer.description),
            "ports": [.integer(Int64(port))], "effect": "moves", "why": .string(description),
        ])
    }
}
