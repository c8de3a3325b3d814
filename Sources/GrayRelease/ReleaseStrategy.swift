package import Documents
package import MeshCore

/// How a release moves traffic: where, under which guard, and in which steps.
package struct ReleaseStrategy: Document {
    /// The kind of release. It decides the plan of the short form, and what people call it.
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

    /// The action that follows when the canary has no healthy endpoint while it is sent requests. In every case the traffic is
    /// withdrawn first.
    package enum UnavailableAction: String, CaseIterable, Sendable {
        /// The release is rolled back.
        case rollback
        /// The release waits for `resume`, which takes the step again.
        case pause
        /// The release takes the step again by itself as soon as the canary is ready.
        case hold
    }

    /// The action that follows when too many proxies have not followed within ``applyTimeout``.
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
    /// The action that follows if more are missing. Default: hold. A rollback, whose routes have gone out already, ends all the same.
    package var onApplyTimeout: ApplyTimeoutAction
    /// How users are kept on one version. `nil`: each request goes to either of them.
    package var stickiness: Stickiness?
    /// At least one, at most 100.
    package var steps: [ReleaseStep]
    /// Measured beside the steps.
    package var backgroundAnalysis: BackgroundAnalysis?
    /// Measured between promotion and end; the release does not end before it is good.
    package var postPromotionAnalysis: AnalysisUse?
    /// The requests that an A/B test sends to the canary, in a document without steps while it is read.
    private var match: [ContentMatch]?

    package init(
        type: Kind = .canary, paths: [StringMatch] = [.prefix("/")], rules: [String] = [], ports: [Int] = [],
        endpointGuard: EndpointGuard = EndpointGuard(), applyTimeout: Duration = .seconds(60),
        maxStragglers: Int? = nil, onApplyTimeout: ApplyTimeoutAction = .hold,
        stickiness: Stickiness? = nil, steps: [ReleaseStep]
    ) {
        self.type = type
        self.paths = paths
        self.rules = rules
        self.ports = ports
        self.endpointGuard = endpointGuard
        self.applyTimeout = applyTimeout
        self.maxStragglers = maxStragglers
        self.onApplyTimeout = onApplyTimeout
        self.stickiness = stickiness
        self.steps = steps
    }

    package init() { self.init(steps: []) }

    package static let fields: [Field<Self>] = [
        .required("type", \.type, .choice, "What kind of release it is; decides the plan where no steps are given."),
        .group("trafficRouting", routing, "Which requests the release splits, and what it waits for."),
        .optional(
            "match", \.match, shortMatch,
            "abTest without steps: the requests that go to the canary in its default plan."
        ),
        .defaulted(
            "steps", \.steps, .list(of: .document, 1...ReleasePlan.maxSteps),
            "Left out, the type's default plan, which the stored object shows in full."),
        .optional(
            "backgroundAnalysis", \.backgroundAnalysis, .document,
            """
            Measured beside the steps: one that fails fails the release, and no step's bakeTime ends before every metric was \
            measured in its traffic.
            """),
        .optional(
            "postPromotionAnalysis", \.postPromotionAnalysis, .document,
            "Measured between promotion and end; a failure takes the promotion back."),
        .refused("lane", "lanes are not carried out yet"),
    ]

    private static let shortMatch = Shape<[ContentMatch]>.object(
        of: "any", .list(of: .document, 1...32), "Requests that fit at least one of these.")

    private static let routing: [Field<Self>] = [
        .constant("protocol", "http", isWritten: true, "other traffic is not split"),
        .group("scope", scope, "Which requests are split; left out, all of the service's HTTP ports."),
        .group("endpointGuard", guarding, "When the canary counts as able to take traffic."),
        .defaulted(
            "applyTimeout", \.applyTimeout, .duration(.seconds(1)...(.seconds(600))),
            """
            How long proxies that can still be sending by older routes are waited for: from the commit, or from when those \
            whose server was lost have had a minute to find another one. Then the release goes on if at least one has \
            acknowledged and at most maxStragglers are missing, and says so. Does not count for progressDeadline.
            """),
        .optional(
            "maxStragglers", \.maxStragglers, .integer(0...10_000),
            "Left out: the greater of 1 and 1 % of the proxies that count."),
        .defaulted(
            "onApplyTimeout", \.onApplyTimeout, .choice,
            """
            What follows if more are missing: wait on, until they are there or `promote` goes on without them; go on without \
            them; or roll back. The end of a rollback, whose routes have gone out already, does not wait longer.
            """),
        .optional(
            "stickiness", \.stickiness, .document,
            """
            How users are kept on one version while both have a share. Left out, each request goes to either. Where a destination \
            of a rule that is split is hashed by something else (consistentHash), the release cannot be started: a proxy looks at \
            one key for both. Clients without a sidecar do not follow it.
            """),
    ]

    private static let scope: [Field<Self>] = [
        .constant(
            "gateways", "mesh", listLimit: 16, isWritten: true, "only traffic between sidecars is split"),
        .defaulted(
            "paths", \.paths, .list(of: path, 1...16, .ofElements("is given twice")), "Any of these paths."),
        .defaulted(
            "rules", \.rules, .list(of: rule, 0...64, .ofElements("is given twice")),
            """
            Which rules are split: "*" (all that pin no requests to a version), the name of a rule, or \
            virtualService/name. A rule that pins requests is split only if it is named. Default: as "*".
            """),
        .defaulted(
            "ports", \.ports, .list(of: .port, 0...32, .ofElements("is given twice")),
            "Which ports' requests are split. Default: all HTTP ports."),
    ]

    private static let guarding: [Field<Self>] = [
        .defaulted(
            "minReady", \.endpointGuard.minReady, .integer(1...10_000),
            "Healthy endpoints that a version needs, stable in a rollback included."),
        .defaulted(
            "capacityRatio", \.endpointGuard.capacityPercent,
            Shape<Double>.number(0...10).converted(
                to: { ratio, _, _ in Int((ratio * 100).rounded()) }, from: { Double($0) / 100 }),
            """
            How many healthy canary endpoints a share needs, relative to what stable serves the same share with; 0: only \
            minReady counts.
            """),
        .defaulted(
            "onCanaryUnavailable", \.endpointGuard.onCanaryUnavailable, .choice,
            """
            What follows when the canary has no healthy endpoint while it is sent requests; the traffic is withdrawn first in \
            every case. With hold the step is taken again as soon as it is ready.
            """),
    ]

    private static let path = Shape<StringMatch>.document.checked { path, place, log in
        path.checkConfinement(before: "?", at: place.pointer, log)
        if let problem = problem(with: path) { log.report(place.pointer, .invalidValue, problem) }
    }

    private static let rule = Shape<String>.string(atMost: 512).examples("*", "reviews/canary").checked {
        rule, place, log in
        guard !(1...512).contains(rule.utf8.count) else { return }
        log.report(
            place.pointer, .invalidValue,
            "must be \"*\", the name of a rule, or virtualService/name, of at most 512 bytes")
    }

    package mutating func finish(_ reading: Members) {
        let match = self.match
        self.match = nil
        if reading.has("match") && reading.has("steps") {
            reading.report("match", .conflict, "belongs to the form without steps; use a setMatch step")
        }
        guard reading.isRead("type") else { return }
        if match != nil && type != .abTest { reading.report("match", .conflict, "belongs to the type abTest only") }
        guard reading.has("steps") else {
            if type == .abTest && !reading.has("match") {
                reading.report("match", .required, "an abTest without steps must say for which requests")
            }
            steps = ReleasePlan.standard(type, matches: match ?? [])
            return checkStart(reading)
        }
        checkPromise(reading)
        checkStart(reading)
    }

    /// Reports an analysis that begins at a step that there is not.
    private func checkStart(_ reading: Members) {
        guard let background = backgroundAnalysis, !steps.isEmpty, background.start(in: steps) == nil else { return }
        reading.log.report(
            reading.pointer.appending("backgroundAnalysis").appending("startingStep"), .unknownReference,
            "no step has this number or name", choices: steps.compactMap(\.name))
    }

    /// Checks that the steps have what their type promises.
    private func checkPromise(_ reading: Members) {
        let kinds = steps.map(\.kind)
        guard !steps.isEmpty, !reading.isWrong else { return }
        switch type {
        case .abTest where !kinds.contains(.setMatch):
            reading.report("steps", .invalidValue, "an abTest must have a setMatch step")
        case .mirror where !kinds.contains(.setMirror):
            reading.report("steps", .invalidValue, "a mirror must have a setMirror step")
        default: return
        }
    }

    /// Whether some of the service's routes may be left as they are.
    package var hasScope: Bool { paths != [.prefix("/")] || !rules.isEmpty || !ports.isEmpty }

    private static func problem(with path: StringMatch) -> String? {
        switch path {
        case .exact(let text) where !text.hasPrefix("/"), .prefix(let text) where !text.hasPrefix("/"):
            "must begin with /"
        case .present: "must have one of exact, prefix and regex"
        default: nil
        }
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
