package import Documents
package import MeshCore

/// A gray release: how one version of a service takes over from another, step by step.
package struct ReleaseSpec: Document {
    /// One side of a release.
    package struct Version: Document {
        /// One of the service's versions.
        package var version: Name
        /// For registries whose versions are labels. It must not contradict the labels of the version, and chooses nothing by
        /// itself: endpoints written here name their version.
        package var selector: [String: String]

        package init() { self.init(version: .blank) }

        package init(version: Name, selector: [String: String] = [:]) {
            self.version = version
            self.selector = selector
        }

        package static let schemaName: String? = "ReleaseVersion"
        package static let fields: [Field<Self>] = [
            .required("version", \.version, .name, "One of the service's versions."),
            .defaulted(
                "selector", \.selector, labels,
                "Must not contradict the version's labels; it chooses nothing by itself."),
        ]
        private static let labels = Shape<[String: String]>.strings.checked { labels, place, log in
            let isTooLong = labels.contains { $0.key.utf8.count > 317 || $0.value.utf8.count > 63 }
            guard labels.count > 32 || isTooLong else { return }
            log.report(place.pointer, .tooMany, "must have at most 32 labels of Kubernetes' lengths")
        }
    }

    /// The service, in the release's own namespace.
    package var service: Name
    /// The only port of the service whose requests are split. `nil`: all its HTTP ports.
    package var port: Int?
    /// The version in charge. (原版本)
    package var stable: Version
    /// The version that is to take over. (灰度版本)
    package var canary: Version
    package var strategy: ReleaseStrategy
    /// The action that follows a failed step. Default: roll back.
    package var onFailed: FailureAction
    /// Default: pause.
    package var onInconclusive = InconclusiveAction.pause
    /// Default: hold.
    package var onError = ErrorAction.hold
    package var errorEscalation = ErrorEscalation()
    /// How long a step may take to come into force, and how long both versions may take to be ready before the first
    /// one. Baking and pauses do not count. `1s...24h`, default 10 minutes.
    package var progressDeadline: Duration
    /// How long the release keeps its routes after the canary has been promoted, so that going back is one change.
    /// `0s...168h`, default 30 s.
    package var retainStable: Duration
    /// A started release waits until then.
    package var startAt: Timestamp?
    /// Whether it stands still in freeze windows. Default `true`.
    package var respectsFreezeWindows = true
    /// The action that follows when another release of the service is running at the start. Default: this one is refused.
    package var supersedePolicy = SupersedePolicy.reject
    /// How long after its success the release can be rolled back. `1s...720h`, default 72 h.
    package var rollbackWindow = Duration.seconds(72 * 3600)
    /// Channels that are told what happens.
    package var notifications: [ReleaseNotification] = []
    /// The text of ``unsplitAction`` as it is written. Its default depends on the scope, so it is not written down: a scope that is
    /// added later narrows the release all the same.
    ///
    /// Earlier servers wrote it down. What they stored cannot be told from what somebody wrote, so it holds until a write leaves
    /// the field out or gives another value.
    package var unsplit: UnsplitAction?

    /// The fate of routes that the release did not split and that follow the stable version: at the promotion they
    /// move at once. Default: hold if the release has a scope, else move.
    package var unsplitAction: UnsplitAction { unsplit ?? (strategy.hasScope ? .hold : .move) }

    package enum FailureAction: String, CaseIterable, Sendable {
        case rollback, pause
    }

    package enum SupersedePolicy: String, CaseIterable, Sendable {
        case reject
        /// The running one is rolled back, and this one waits for that.
        case replace
    }

    /// The action that follows measurements that say neither good nor bad, or are too few.
    package enum InconclusiveAction: String, CaseIterable, Sendable {
        /// The release waits for `retryAnalysis`, `promote` or `rollback`.
        case pause
        case rollback
        /// The release goes on as if they had said good.
        case proceed
    }

    /// The action that follows when nothing can be measured.
    package enum ErrorAction: String, CaseIterable, Sendable {
        /// The release stands still, and goes on by itself with the first answer.
        case hold
        case rollback
    }

    /// The action that follows when nothing could be measured for too long.
    package struct ErrorEscalation: Hashable, Sendable {
        /// `1s...24h`, default 30 minutes; downtime of the server does not count.
        package var after = Duration.seconds(1800)
        /// Default: roll back.
        package var action = ErrorAction.rollback

        package init() {}
    }

    package enum UnsplitAction: String, CaseIterable, Sendable {
        /// They move.
        case move
        /// The release waits before its promotion until somebody has acknowledged with `promote` that they will.
        case hold
    }

    package init(
        service: Name, port: Int? = nil, stable: Name, canary: Name, strategy: ReleaseStrategy,
        onFailed: FailureAction = .rollback, progressDeadline: Duration = .seconds(600),
        retainStable: Duration = .seconds(30), startAt: Timestamp? = nil, unsplit: UnsplitAction? = nil
    ) {
        self.service = service
        self.port = port
        self.stable = Version(version: stable)
        self.canary = Version(version: canary)
        self.strategy = strategy
        self.onFailed = onFailed
        self.progressDeadline = progressDeadline
        self.retainStable = retainStable
        self.startAt = startAt
        self.unsplit = unsplit
    }

    package init() { self.init(service: .blank, stable: .blank, canary: .blank, strategy: ReleaseStrategy()) }

    package static let fields: [Field<Self>] = [
        .required("service", \.service, .name, "In the release's own namespace."),
        .optional("port", \.port, .port, "The only port whose requests are split. Default: all HTTP ports."),
        .required("stable", \.stable, .document, "The version in charge."),
        .required("canary", \.canary, .document, "The version that is to take over."),
        .required("strategy", \.strategy, .document, "How traffic moves: where, under which guard, in which steps."),
        .group("failurePolicy", failurePolicy, "What follows a failed step."),
        .defaulted(
            "progressDeadline", \.progressDeadline, .duration(.seconds(1)...(.seconds(86_400))),
            """
            How long a step may take to come into force, and how long both versions may take to be ready before the first one. \
            Baking and pauses do not count.
            """),
        .defaulted(
            "retainStable", \.retainStable, .duration(.zero...(.seconds(7 * 86_400))),
            "How long the release keeps its routes after the promotion, so that going back is one change."),
        .group(
            "schedule",
            [
                .optional("startAt", \.startAt, .timestamp, "A started release waits until then."),
                .defaulted(
                    "respectFreezeWindows", \.respectsFreezeWindows, .bool, isWritten: false,
                    "Whether it stands still in freeze windows; false needs the right to override them."),
            ], "When it starts, and when it stands still."),
        .group(
            "promotion",
            [
                .optional(
                    "unsplit", \.unsplit, .choice,
                    """
                    What becomes of routes that the release does not split and that move at the promotion at once. With hold \
                    the release waits before it for promote. Default: hold if strategy.trafficRouting.scope narrows the \
                    release, else move.
                    """)
            ], "What goes with the promotion."),
        .defaulted(
            "supersedePolicy", \.supersedePolicy, .choice,
            """
            What follows when another release of the service is running at the start: this one is refused, or the other one is \
            rolled back, which takes the right to do that, and this one waits for it.
            """),
        .group(
            "rollbackWindow",
            [
                .defaulted(
                    "duration", \.rollbackWindow, .duration(.seconds(1)...(.seconds(720 * 3600))), isWritten: false,
                    "How long after its success a release can be rolled back, as long as it is the service's last one."),
                .refused("revisions", "only the last success of a service can be rolled back"),
            ], "When a success can be taken back."),
        .defaulted(
            "notifications", \.notifications, .notifications, "Channels that are told what happens to the release."),
    ]
    package static let summary: String? =
        "Of a started release only the steps behind the current one, failurePolicy and notifications may be changed."

    private static let failurePolicy: [Field<Self>] =
        [
            .defaulted("onFailed", \.onFailed, .choice, "Goes back, or waits for somebody."),
            .group(
                "rollback",
                [
                    .constant(
                        "mode", "immediate", isWritten: true,
                        "all traffic goes back at once")
                ],
                "How it goes back."),
        ]
        + [
            .defaulted(
                "onInconclusive", \.onInconclusive, .choice, isWritten: false,
                "What follows measurements that say neither good nor bad, or are too few."),
            .defaulted(
                "onError", \.onError, .choice, isWritten: false,
                """
                What follows when nothing can be measured: hold stands still until there is an answer, and goes on by itself.
                """),
            .group(
                "errorEscalation",
                [
                    .defaulted(
                        "after", \.errorEscalation.after, .duration(.seconds(1)...(.seconds(86_400))), isWritten: false,
                        "How long; downtime of the server does not count."),
                    .defaulted(
                        "action", \.errorEscalation.action, .choice, isWritten: false,
                        "What follows; hold: nothing more."),
                ], "What follows when nothing could be measured for so long."),
        ]

    package func finish(_ reading: Members) {
        if stable.version != .blank && stable.version == canary.version {
            reading.log.report(
                reading.pointer.appending("canary").appending("version"), .conflict, "must differ from stable's")
        }
        if port != nil && !strategy.ports.isEmpty {
            reading.report("port", .conflict, "must be left out where strategy.trafficRouting.scope has ports")
        }
    }
}
