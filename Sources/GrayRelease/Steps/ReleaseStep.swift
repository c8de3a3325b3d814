package import Documents
package import MeshCore

/// One step of a release's plan.
package struct ReleaseStep: Document {
    package enum Action: Hashable, Sendable {
        /// The canary's share of the requests that no match decides.
        case setWeight(TrafficShare)
        /// Requests that fit any of these go to the canary; stays in force until changed. Empty: no longer.
        case setMatch([ContentMatch])
        /// Copies of requests go to the canary; stays in force until changed. `nil`: no longer.
        case setMirror(ReleaseTraffic.Mirror?)
        /// Waits for that long, or without a duration for `resume` or `promote`.
        case pause(Duration?)
        /// Waits until measurements of the traffic in force say that the canary is good.
        case analysis(AnalysisUse)
        /// Waits for people.
        case approval(ApprovalStep)
        /// Waits for somebody outside.
        case webhook(WebhookStep)
        /// Tells people.
        case notify(NotifyStep)
        /// Waits for endpoints of the canary.
        case checkEndpoints(CheckEndpointsStep)
    }

    /// For people; at most 100 characters.
    package var name: String?
    package var action: Action
    /// How long the step must have been in force before the next one, not counting pauses. `0s...168h`, default 0.
    package var bakeTime: Duration

    package static let maxDuration = Duration.seconds(7 * 86_400)

    package init(_ action: Action, bakeTime: Duration = .zero, name: String? = nil) {
        self.action = action
        self.bakeTime = bakeTime
        self.name = name
    }

    package init() { self.init(.pause(nil)) }

    package static let fields: [Field<Self>] = [
        .optional("name", \.name, .string(atMost: 100), "For people."),
        .oneOf(
            \.action,
            [
                Case(
                    "pause", .document, "Waits, without a duration for `resume` or `promote`.",
                    make: { .pause($0.duration) },
                    get: { if case .pause(let duration) = $0 { PauseStep(duration: duration) } else { nil } }),
                Case(
                    "setMatch", .document, "Requests that go to the canary, until changed; none ends it.",
                    make: { .setMatch($0.any) },
                    get: { if case .setMatch(let matches) = $0 { ContentMatches(any: matches) } else { nil } }),
                Case(
                    "setMirror", .document, "Copies of requests that go to the canary, until changed; 0 % ends it.",
                    make: { .setMirror($0.mirror) },
                    get: { if case .setMirror(let mirror) = $0 { MirrorStep(mirror) } else { nil } }),
                Case(
                    "setWeight", .share, "The canary's share of the requests that no match decides.",
                    make: Action.setWeight, get: { if case .setWeight(let share) = $0 { share } else { nil } }),
                Case(
                    "analysis", .document,
                    "Waits until measurements of the traffic in force say that the canary is good.",
                    make: Action.analysis, get: { if case .analysis(let use) = $0 { use } else { nil } }),
                Case(
                    "approval", .document, "Waits until enough people have approved.", make: Action.approval,
                    get: { if case .approval(let gate) = $0 { gate } else { nil } }),
                Case(
                    "webhook", .document, "Calls somebody, and goes on as the answer says.", make: Action.webhook,
                    get: { if case .webhook(let call) = $0 { call } else { nil } }),
                Case(
                    "notify", .document, "Tells people, and goes on.", make: Action.notify,
                    get: { if case .notify(let note) = $0 { note } else { nil } }),
                Case(
                    "checkEndpoints", .document,
                    "Waits until the canary has had enough healthy endpoints for some time.",
                    make: Action.checkEndpoints,
                    get: { if case .checkEndpoints(let check) = $0 { check } else { nil } }),
            ]),
        .defaulted(
            "bakeTime", \.bakeTime, .duration(.zero...maxDuration), isWritten: false,
            "How long the step must have been in force before the next one, not counting pauses."),
    ]
    package static let summary: String? =
        "Exactly one of setWeight, setMatch, setMirror, pause, analysis, approval, webhook, notify and checkEndpoints."

    package func finish(_ reading: Members) {
        guard reading.isRead("bakeTime"), !movesTraffic, reading.has(kind.rawValue) else { return }
        let reason =
            switch kind {
            case .pause: "a pause has a duration"
            case .analysis: "an analysis takes as long as its metrics say"
            case .checkEndpoints: "checkEndpoints has for"
            default: "a step that moves no traffic is over when it has what it waits for"
            }
        reading.report("bakeTime", .conflict, "\(reason), and has no bakeTime")
    }

    /// The sort of a step, by the action's name in documents.
    package enum Kind: String, CaseIterable, Sendable {
        case setWeight, setMatch, setMirror, pause, analysis, approval, webhook, notify, checkEndpoints
        /// The step that the engine adds behind the plan.
        case promote
    }

    package var kind: Kind {
        switch action {
        case .setWeight: .setWeight
        case .setMatch: .setMatch
        case .setMirror: .setMirror
        case .pause: .pause
        case .analysis: .analysis
        case .approval: .approval
        case .webhook: .webhook
        case .notify: .notify
        case .checkEndpoints: .checkEndpoints
        }
    }

    /// Whether the canary gets more, less or other requests by it. Others are taken while the traffic of those before is in force.
    package var movesTraffic: Bool { kind.movesTraffic }

    /// The analysis that the step waits for.
    package var analysis: AnalysisUse? {
        if case .analysis(let use) = action { use } else { nil }
    }
}

/// `pause` of a step.
private struct PauseStep: Document {
    var duration: Duration?

    static let fields: [Field<Self>] = [
        .optional(
            "duration", \.duration, .duration(.seconds(1)...ReleaseStep.maxDuration),
            "Left out: until somebody says `resume` or `promote`.")
    ]
    static let schemaName: String? = nil
}

/// `setMatch` of a step.
private struct ContentMatches: Document {
    var any: [ContentMatch] = []

    static let fields: [Field<Self>] = [
        .required(
            "any", \.any, .list(of: .document, 0...32, isWrittenEmpty: true), "Requests that fit at least one of these."
        )
    ]
    static let schemaName: String? = nil
}

/// `setMirror` of a step.
struct MirrorStep: Document {
    /// `0...100`; 0: no longer.
    var percentage = 0.0
    /// Empty: ``safeMethods``. `*`: all of them.
    var methods: [String] = []

    /// Only safe methods unless asked otherwise: a copied POST would be carried out twice.
    private static let safeMethods = ["GET", "HEAD"]
    private static let method = Shape<String>.text.examples("GET", "*").checked { method, place, log in
        guard method != "*", !isMethod(method) else { return }
        log.report(place.pointer, .invalidFormat, "must be an HTTP method in capitals, or * for all of them")
    }

    static let fields: [Field<Self>] = [
        .required("percentage", \.percentage, .number(0...100), "Of the requests in scope."),
        .defaulted(
            "methods", \.methods, .list(of: method, 0...16, .ofElements("is given twice")),
            "HTTP methods, or `*` for all of them. Left out: GET and HEAD."),
    ]
    static let schemaName: String? = nil

    init() {}

    init(_ mirror: ReleaseTraffic.Mirror?) {
        guard let mirror else { return }
        percentage = Double(mirror.share.basisPoints) / 100
        methods = mirror.methods.isEmpty ? ["*"] : mirror.methods
    }

    func finish(_ reading: Members) {
        guard methods.contains("*"), methods.count > 1 else { return }
        reading.report("methods", .conflict, "must have nothing besides *")
    }

    var mirror: ReleaseTraffic.Mirror? {
        guard let share = TrafficShare(basisPoints: Int64((percentage * 100).rounded())), share > .none else {
            return nil
        }
        return ReleaseTraffic.Mirror(
            share: share, methods: methods.isEmpty ? Self.safeMethods : methods == ["*"] ? [] : methods)
    }

    private static func isMethod(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { (65...90).contains($0) || $0 == 45 || $0 == 95 }
    }
}

extension ReleaseStep.Kind {
    package var movesTraffic: Bool { self == .setWeight || self == .setMatch || self == .setMirror }
}
