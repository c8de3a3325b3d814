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
                Case(refused: "approval", "approval steps are not carried out yet"),
                Case(refused: "webhook", "webhook steps are not carried out yet"),
            ]),
        .defaulted(
            "bakeTime", \.bakeTime, .duration(.zero...maxDuration), isWritten: false,
            "How long the step must have been in force before the next one, not counting pauses."),
    ]
    package static let summary: String? = "Exactly one of setWeight, setMatch, setMirror, pause and analysis."

    package func finish(_ reading: Members) {
        if reading.isRead("bakeTime"), case .pause = action, reading.has("pause") {
            reading.report("bakeTime", .conflict, "a pause has a duration, not a bakeTime")
        }
        if reading.isRead("bakeTime"), case .analysis = action, reading.has("analysis") {
            reading.report("bakeTime", .conflict, "an analysis takes as long as its metrics say, and has no bakeTime")
        }
    }

    /// The action's name in documents.
    package var kind: String {
        switch action {
        case .setWeight: "setWeight"
        case .setMatch: "setMatch"
        case .setMirror: "setMirror"
        case .pause: "pause"
        case .analysis: Self.analysisKind
        }
    }

    static let analysisKind = "analysis"

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
