package import Documents
package import MeshCore

/// A figure that is measured again and again while a version takes traffic, and what its values mean.
package struct AnalysisMetric: Document {
    package enum Source: Hashable, Sendable {
        /// A number, which conditions decide about.
        case provider(MetricProvider)
        /// Points of both versions, which are compared.
        case judge(JudgeOptions)
    }

    /// The outcome of a measurement that has no value.
    package enum NoData: String, CaseIterable, Sendable {
        case inconclusive, successful, failed
    }

    /// The version that the measured one is compared with.
    package enum Baseline: String, CaseIterable, Sendable {
        case stable
    }

    /// Unique in its template.
    package var name = Name.blank
    package var source = Source.provider(MetricProvider())
    /// The points that ``Source/judge(_:)`` compares.
    package var series: BuiltinSeries?
    /// The time from the begin of one window to that of the next. `5s...30m`, of builtin metrics whole ``BuiltinMetric/slot``s; default 30 s.
    package var interval = Duration.seconds(30)
    /// How many measurements end the metric, errors not counted. `1...10_000`; `nil`: one in a step, and no end in the background.
    package var count: Int?
    /// The time before the first window; `0s...24h`.
    package var initialDelay = Duration.zero
    /// The fewest requests in a window; `1...1_000_000`. `nil`: ``samplesNeeded``.
    package var minSamples: Int?
    /// How long a window with too few requests may become, at most ``longestWindow``. `nil`: ten intervals.
    package var maxWindow: Duration?
    /// A text that becomes an ``Expression`` when its arguments are known.
    package var successCondition: String?
    package var failureCondition: String?
    package var thresholdRange: ThresholdRange?
    /// More failures than these fail the metric; -1: none do. `-1...1000`; `nil`: ``failuresAllowed(inBackground:)``.
    package var failureLimit: Int?
    /// More inconclusive measurements than these make the metric inconclusive; `0...1000`, default 0.
    package var inconclusiveLimit = 0
    /// More errors in a row than these make the metric an error; `0...1000`, default 4.
    package var consecutiveErrorLimit = 4
    /// So many successes in a row end the metric; `1...1000`.
    package var consecutiveSuccessLimit: Int?
    package var onNoData = NoData.inconclusive
    /// Measured and shown, and without effect.
    package var isDryRun = false
    /// The callers whose requests count: `name`, or `namespace/name`. At most 32. Empty: all.
    package var sources: [String] = []
    package var baseline: Baseline?
    /// The groups in which a judgement is scored; at most 20.
    package var groups: [String] = []

    package static let longestWindow = Duration.seconds(1800)

    package init() {}

    package static let fields: [Field<Self>] =
        [
            .required("name", \.name, .name, "Unique in the template."),
            .oneOf(
                \.source,
                [
                    Case(
                        "provider", .document, "Where its values come from; conditions decide about them.",
                        make: Source.provider, get: { if case .provider(let provider) = $0 { provider } else { nil } }),
                    Case(
                        "judge", .document, "How the points of series are compared with stable's.", make: Source.judge,
                        get: { if case .judge(let options) = $0 { options } else { nil } }),
                ]),
            .optional("series", \.series, .document, "judge: the points that are compared."),
            .defaulted(
                "interval", \.interval, .duration(.seconds(5)...longestWindow),
                "Of the figures of the server at least 10s, rounded up to whole 10s."),
            .optional(
                "count", \.count, .integer(1...10_000),
                "How many measurements end it. Left out: one in a step, no end in the background."),
            .defaulted(
                "initialDelay", \.initialDelay, .duration(.zero...(.seconds(86_400))), isWritten: false,
                "The time before the first window."),
            .optional(
                "minSamples", \.minSamples, .integer(1...1_000_000),
                "The fewest requests in a window. Left out: 20, of a share more where its threshold is close to all or none."
            ),
            .optional(
                "maxWindow", \.maxWindow, .duration(.seconds(10)...longestWindow),
                "How long a window may become while it has too few requests. Left out: ten intervals, at most 30m."),
        ] + conditions + counting + [
            .defaulted("dryRun", \.isDryRun, .bool, isWritten: false, "Measured and shown, and without effect."),
            .defaulted(
                "sources", \.sources, .list(of: caller, 0...32, .ofElements("is given twice")),
                "Only requests of these callers count: `name`, or `namespace/name`. Default: of all."),
            .optional("baseline", \.baseline, .choice, "The version whose value is `baseline` in conditions."),
            .defaulted(
                "groups", \.groups, .list(of: .filled(63), 0...20, .ofElements("is given twice")),
                "judge: the groups in which it is scored."),
        ]
    package static let summary: String? = """
        A figure and what its values mean: a provider with thresholdRange or conditions, or a judge with a series.
        """

    private static let conditions: [Field<Self>] = [
        .optional(
            "successCondition", \.successCondition, condition,
            "Such as `result >= 0.99 && result > baseline - 0.01`. Given alone, anything else fails."),
        .optional(
            "failureCondition", \.failureCondition, condition,
            "Given alone, anything else succeeds; with both, what fits neither is inconclusive."),
        .optional("thresholdRange", \.thresholdRange, .document, "The good values, in place of conditions."),
    ]

    private static let counting: [Field<Self>] = [
        .optional(
            "failureLimit", \.failureLimit, .integer(-1...1000),
            "More failures than these fail it; -1: none do. Left out: 0, and 1 of a judge in the background."),
        .defaulted(
            "inconclusiveLimit", \.inconclusiveLimit, .integer(0...1000),
            "More inconclusive measurements than these make it inconclusive."),
        .defaulted(
            "consecutiveErrorLimit", \.consecutiveErrorLimit, .integer(0...1000),
            "More errors in a row than these make it an error, until there is an answer."),
        .optional(
            "consecutiveSuccessLimit", \.consecutiveSuccessLimit, .integer(1...1000),
            "So many successes in a row end it successfully."),
        .defaulted("onNoData", \.onNoData, .choice, "What a measurement without a value is."),
    ]

    private static let condition = Shape<String>.bounded(1024).examples("result >= 0.99")

    private static let caller = Shape<String>.bounded(127).examples("web", "shop/web").checked { text, place, log in
        let names = text.split(separator: "/", omittingEmptySubsequences: false).map { Name(String($0)) }
        guard !(1...2).contains(names.count) || names.contains(nil) else { return }
        log.report(place.pointer, .invalidFormat, "must be a name, or namespace/name; each \(Name.rule)")
    }

    package mutating func finish(_ reading: Members) {
        checkSource(reading)
        checkConditions(reading)
        checkCounting(reading)
        checkTexts(reading)
        checkWindow(reading)
        warnOfChance(reading)
    }
}
