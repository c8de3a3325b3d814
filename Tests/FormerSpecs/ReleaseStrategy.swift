import Documents
import MeshCore

/// How a release moves traffic: where, under which guard, and in which steps.
package struct ReleaseStrategy: Hashable, Sendable {
    /// What kind of release it is: decides the plan of the short form, and what people call it.
    package enum Kind: String, CaseIterable, Sendable {
        case canary, abTest, blueGreen, mirror
    }

    /// When the canary counts as able to take traffic, and what follows when it no longer is.
    package struct EndpointGuard: Hashable, Sendable {
        /// Healthy endpoints that a version needs, stable in a rollback included. `1...10_000`, default 1.
        package var minReady: Int
        /// In percent: how many healthy canary endpoints a share needs, relative to what stable serves the same share
        /// with. At 100 a canary of half the traffic needs half as many endpoints as stable has. `0...1000`, default
        /// 0: only ``minReady`` counts. In documents a ratio: `1.0`.
        package var capacityPercent: Int
        /// Default: roll back.
        package var onCanaryUnavailable: UnavailableAction

        package init(
            minReady: Int = 1, capacityPercent: Int = 0, onCanaryUnavailable: UnavailableAction = .rollback
        ) {
            self.minReady = minReady
            self.capacityPercent = capacityPercent
            self.onCanaryUnavailable = onCanaryUnavailable
        }
    }

    /// What follows when the canary has no healthy endpoint while it is sent requests. In every case the traffic is
    /// withdrawn first.
    package enum UnavailableAction: String, CaseIterable, Sendable {
        /// The release is rolled back.
        case rollback
        /// The release waits for `resume`, which takes the step again.
        case pause
        /// The release takes the step again by itself as soon as the canary is ready.
        case hold
    }

    /// What follows when too many proxies have not followed within ``applyTimeout``.
    package enum ApplyTimeoutAction: String, CaseIterable, Sendable {
        /// The release waits on, and goes on by itself when they have.
        case hold
        /// The release goes on without them.
        case proceed
        /// The release is rolled back.
        case rollback
    }

    package var type: Kind
    /// Which requests are split: any of these paths. Default: all.
    package var paths: [StringMatch]
    /// Which rules are split: `*` (all that pin no requests), `name` or `virtualService/name`. At most 64. Empty: as `*`.
    package var rules: [String]
    /// Which ports' requests are split. At most 32. Empty: all.
    package var ports: [Int]
    package var endpointGuard: EndpointGuard
    /// How long proxies that do not answer are waited for. `1s...10m`, default 60 s.
    package var applyTimeout: Duration
    /// How many of them may be left behind then, if at least one has answered. `0...10_000`; `nil`, the default: the greater
    /// of one and one in a hundred.
    package var maxStragglers: Int?
    /// What follows if more are missing. Default: hold. A rollback, whose routes have gone out already, ends all the same.
    package var onApplyTimeout: ApplyTimeoutAction
    /// At least one, at most 100.
    package var steps: [ReleaseStep]

    package init(
        type: Kind = .canary, paths: [StringMatch] = [.prefix("/")], rules: [String] = [], ports: [Int] = [],
        endpointGuard: EndpointGuard = EndpointGuard(), applyTimeout: Duration = .seconds(60),
        maxStragglers: Int? = nil, onApplyTimeout: ApplyTimeoutAction = .hold, steps: [ReleaseStep]
    ) {
        self.type = type
        self.paths = paths
        self.rules = rules
        self.ports = ports
        self.endpointGuard = endpointGuard
        self.applyTimeout = applyTimeout
        self.maxStragglers = maxStragglers
        self.onApplyTimeout = onApplyTimeout
        self.steps = steps
    }

    package init?(reading fields: inout FieldReader) {
        let type: Kind? = fields.choice("type", required: true)
        paths = [.prefix("/")]
        rules = []
        ports = []
        endpointGuard = EndpointGuard()
        applyTimeout = .seconds(60)
        onApplyTimeout = .hold
        if var routing = fields.object("trafficRouting") {
            Self.readProtocol(&routing)
            if var scope = routing.object("scope") {
                Self.readGateways(&scope)
                paths = Self.paths(&scope) ?? paths
                rules = Self.rules(&scope)
                ports = Self.ports(&scope)
                scope.finish()
            }
            endpointGuard = Self.endpointGuard(&routing)
            applyTimeout = routing.duration("applyTimeout", in: .seconds(1)...(.seconds(600))) ?? applyTimeout
            maxStragglers = routing.integer("maxStragglers", in: 0...10_000).map(Int.init)
            onApplyTimeout = routing.choice("onApplyTimeout") ?? onApplyTimeout
            routing.refuse("stickiness", "sticky cohorts are not supported")
            routing.finish()
        }
        steps = ReleasePlan.read(&fields, type: type)
        fields.refuse("backgroundAnalysis", "analysis is not supported")
        fields.refuse("lane", "lanes are not supported")
        fields.finish()
        guard let type else { return nil }
        self.type = type
    }

    private static func readProtocol(_ routing: inout FieldReader) {
        if let name = routing.string("protocol"), name != "http" {
            routing.log.report(
                routing.pointer.appending("protocol"), .unsupported, "only http is supported", choices: ["http"])
        }
    }

    /// Whether some of the service's routes may be left as they are.
    package var hasScope: Bool { paths != [.prefix("/")] || !rules.isEmpty || !ports.isEmpty }

    private static func readGateways(_ scope: inout FieldReader) {
        for element in scope.elements("gateways", atMost: 16) where element.value != "mesh" {
            scope.log.report(
                element.pointer, .unsupported, "only mesh is supported: traffic between sidecars", choices: ["mesh"])
        }
    }

    private static func paths(_ scope: inout FieldReader) -> [StringMatch]? {
        let isGiven = scope.has("paths")
        var paths: [StringMatch] = []
        for var item in scope.objects("paths", atMost: 16) {
            guard let path = StringMatch(reading: &item) else { continue }
            path.checkConfinement(before: "?", at: item.pointer, item.log)
            if let problem = problem(with: path) {
                item.log.report(item.pointer, .invalidValue, problem)
            } else if paths.contains(path) {
                item.log.report(item.pointer, .duplicate, "is given twice")
            }
            paths.append(path)
        }
        if isGiven && paths.isEmpty {
            scope.log.report(scope.pointer.appending("paths"), .required, "must not be empty")
        }
        return isGiven ? paths : nil
    }

    private static func rules(_ scope: inout FieldReader) -> [String] {
        var rules: [String] = []
        for element in scope.elements("rules", atMost: 64) {
            guard let rule = element.value.stringValue, (1...512).contains(rule.utf8.count) else {
                scope.log.report(
                    element.pointer, .invalidValue,
                    "must be \"*\", the name of a rule, or virtualService/name, of at most 512 bytes")
                continue
            }
            if rules.contains(rule) { scope.log.report(element.pointer, .duplicate, "is given twice") }
            rules.append(rule)
        }
        return rules
    }

    private static func ports(_ scope: inout FieldReader) -> [Int] {
        var ports: [Int] = []
        for element in scope.elements("ports", atMost: 32) {
            guard let port = element.value.integerValue, (1...65_535).contains(port) else {
                scope.log.report(element.pointer, .invalidValue, "must be a port number, 1 to 65535")
                continue
            }
            if ports.contains(Int(port)) { scope.log.report(element.pointer, .duplicate, "is given twice") }
            ports.append(Int(port))
        }
        return ports
    }

    private static func problem(with path: StringMatch) -> String? {
        switch path {
        case .exact(let text) where !text.hasPrefix("/"), .prefix(let text) where !text.hasPrefix("/"):
            "must begin with /"
        case .present: "must have one of exact, prefix and regex"
        default: nil
        }
    }

    private static func endpointGuard(_ routing: inout FieldReader) -> EndpointGuard {
        guard var nested = routing.object("endpointGuard") else { return EndpointGuard() }
        let minReady = nested.integer("minReady", in: 1...10_000) ?? 1
        let ratio = nested.number("capacityRatio", in: 0...10) ?? 0
        let action: UnavailableAction = nested.choice("onCanaryUnavailable") ?? .rollback
        nested.finish()
        return EndpointGuard(
            minReady: Int(minReady), capacityPercent: Int((ratio * 100).rounded()), onCanaryUnavailable: action)
    }

    package var json: JSONValue {
        .fields([
            "type": .string(type.rawValue),
            "trafficRouting": .fields([
                "protocol": "http",
                "scope": .fields([
                    "gateways": ["mesh"], "paths": .array(paths.map(\.json)),
                    "rules": JSONValue.list(rules, JSONValue.string),
                    "ports": JSONValue.list(ports) { .integer(Int64($0)) },
                ]),
                "endpointGuard": [
                    "minReady": .integer(Int64(endpointGuard.minReady)),
                    "capacityRatio": .hundredths(endpointGuard.capacityPercent),
                    "onCanaryUnavailable": .string(endpointGuard.onCanaryUnavailable.rawValue),
                ],
                "applyTimeout": .string(applyTimeout.text),
                "maxStragglers": maxStragglers.map { .integer(Int64($0)) },
                "onApplyTimeout": .string(onApplyTimeout.rawValue),
            ]),
            "steps": .array(steps.map(\.json)),
        ])
    }
}

extension JSONValue {
    /// `count / 100` as JSON writes it: without a fraction where there is none, so that the document reads back equal.
    package static func hundredths(_ count: Int) -> JSONValue {
        count % 100 == 0 ? .integer(Int64(count / 100)) : .number(Double(count) / 100)
    }
}

extension ReleaseStrategy.EndpointGuard {
    /// How many healthy canary endpoints it takes before the canary gets `share`.
    package func needed(for share: TrafficShare, readyStable: Int) -> Int {
        let parts = Int64(capacityPercent) * Int64(share.basisPoints) * Int64(min(max(0, readyStable), 1_000_000))
        return max(minReady, Int((parts + 999_999) / 1_000_000))
    }

    /// How many healthy stable endpoints it takes to carry alone what `total` carry now: of each at least a half, and
    /// never more than all.
    package func neededStable(of total: Int) -> Int {
        let parts = Int64(min(max(50, capacityPercent), 100)) * Int64(min(max(0, total), 1_000_000))
        return Int((parts + 99) / 100)
    }
}
