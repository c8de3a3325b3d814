import Documents
import MeshCore

/// A gray release: how one version of a service takes over from another, step by step.
package struct ReleaseSpec: Spec {
    /// One side of a release.
    package struct Version: Hashable, Sendable {
        /// One of the service's versions.
        package var version: Name
        /// For registries whose versions are labels. It must not contradict the labels of the version, and chooses nothing by
        /// itself: endpoints written here name their version.
        package var selector: [String: String]

        package init(version: Name, selector: [String: String] = [:]) {
            self.version = version
            self.selector = selector
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
    /// What follows a failed step. Default: roll back.
    package var onFailed: FailureAction
    /// How long a step may take to come into force, and how long both versions may take to be ready before the first
    /// one. Baking and pauses do not count. `1s...24h`, default 10 minutes.
    package var progressDeadline: Duration
    /// How long the release keeps its routes after the canary has been promoted, so that going back is one change.
    /// `0s...168h`, default 30 s.
    package var retainStable: Duration
    /// A started release waits until then.
    package var startAt: Timestamp?
    /// What is written about ``unsplitAction``. Its default depends on the scope, so it is not written down: a scope that is
    /// added later narrows the release all the same.
    ///
    /// Earlier servers wrote it down. What they stored cannot be told from what somebody wrote, so it holds until a write leaves
    /// the field out or gives another value.
    package var unsplit: UnsplitAction?

    /// What happens to routes that the release did not split and that follow the stable version: at the promotion they
    /// move at once. Default: hold if the release has a scope, else move.
    package var unsplitAction: UnsplitAction { unsplit ?? (strategy.hasScope ? .hold : .move) }

    package enum FailureAction: String, CaseIterable, Sendable {
        case rollback, pause
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

    package init?(reading fields: inout FieldReader) {
        let service = fields.name("service", required: true)
        port = fields.integer("port", in: 1...65_535).map(Int.init)
        let stable = Self.version("stable", &fields)
        let canary = Self.version("canary", &fields)
        if let stable, stable.version == canary?.version {
            fields.log.report(
                fields.pointer.appending("canary").appending("version"), .conflict, "must differ from stable's")
        }
        var strategy: ReleaseStrategy?
        if var nested = fields.object("strategy", required: true) { strategy = ReleaseStrategy(reading: &nested) }
        onFailed = Self.failurePolicy(&fields)
        progressDeadline = fields.duration("progressDeadline", in: .seconds(1)...(.seconds(86_400))) ?? .seconds(600)
        retainStable = fields.duration("retainStable", in: .zero...(.seconds(7 * 86_400))) ?? .seconds(30)
        startAt = Self.schedule(&fields)
        unsplit = Self.promotion(&fields)
        if port != nil, strategy?.ports.isEmpty == false {
            fields.log.report(
                fields.pointer.appending("port"), .conflict,
                "must be left out where strategy.trafficRouting.scope has ports")
        }
        if let policy = fields.string("supersedePolicy"), policy != "reject" {
            fields.log.report(
                fields.pointer.appending("supersedePolicy"), .unsupported,
                "only reject is supported: a second release of the same service is refused", choices: ["reject"])
        }
        fields.refuse("rollbackWindow", "rolling back a release that has succeeded is not supported")
        fields.refuse("notifications", "notifications are not supported")
        fields.finish()
        guard let service, let stable, let canary, let strategy else { return nil }
        self.service = service
        self.stable = stable
        self.canary = canary
        self.strategy = strategy
    }

    private static func version(_ field: String, _ fields: inout FieldReader) -> Version? {
        guard var nested = fields.object(field, required: true) else { return nil }
        let version = nested.name("version", required: true)
        let selector = nested.stringMap("selector")
        if selector.count > 32 || selector.contains(where: { $0.key.utf8.count > 317 || $0.value.utf8.count > 63 }) {
            nested.log.report(
                nested.pointer.appending("selector"), .tooMany, "must have at most 32 labels of Kubernetes' lengths")
        }
        nested.finish()
        return version.map { Version(version: $0, selector: selector) }
    }

    private static func failurePolicy(_ fields: inout FieldReader) -> FailureAction {
        guard var nested = fields.object("failurePolicy") else { return .rollback }
        let onFailed: FailureAction = nested.choice("onFailed") ?? .rollback
        for field in ["onInconclusive", "onError", "errorEscalation"] {
            nested.refuse(field, "analysis is not supported, so nothing can be inconclusive or in error")
        }
        if var rollback = nested.object("rollback") {
            if let mode = rollback.string("mode"), mode != "immediate" {
                rollback.log.report(
                    rollback.pointer.appending("mode"), .invalidValue, "must be immediate", choices: ["immediate"])
            }
            rollback.finish()
        }
        nested.finish()
        return onFailed
    }

    private static func promotion(_ fields: inout FieldReader) -> UnsplitAction? {
        guard var nested = fields.object("promotion") else { return nil }
        let unsplit: UnsplitAction? = nested.choice("unsplit")
        nested.finish()
        return unsplit
    }

    private static func schedule(_ fields: inout FieldReader) -> Timestamp? {
        guard var nested = fields.object("schedule") else { return nil }
        var startAt: Timestamp?
        if let text = nested.string("startAt") {
            startAt = Timestamp(text: text)
            if startAt == nil {
                nested.log.report(
                    nested.pointer.appending("startAt"), .invalidFormat,
                    "must be a time as of RFC 3339 such as \"2026-11-24T02:00:00+08:00\"")
            }
        }
        if nested.bool("respectFreezeWindows") == true {
            nested.log.report(
                nested.pointer.appending("respectFreezeWindows"), .unsupported, "freeze windows are not supported")
        }
        nested.finish()
        return startAt
    }

    package var json: JSONValue {
        .fields([
            "service": .string(service.text),
            "port": port.map { .integer(Int64($0)) },
            "stable": Self.json(stable),
            "canary": Self.json(canary),
            "strategy": strategy.json,
            "failurePolicy": ["onFailed": .string(onFailed.rawValue), "rollback": ["mode": "immediate"]],
            "progressDeadline": .string(progressDeadline.text),
            "retainStable": .string(retainStable.text),
            "schedule": startAt.map { ["startAt": .string($0.text)] },
            "promotion": unsplit.map { ["unsplit": .string($0.rawValue)] },
            "supersedePolicy": "reject",
        ])
    }

    private static func json(_ version: Version) -> JSONValue {
        .fields(["version": .string(version.version.text), "selector": .map(version.selector)])
    }
}

extension FieldReader {
    /// Names a field that the design knows and this server does not, so that its absence is told apart from a typing
    /// mistake.
    mutating func refuse(_ field: String, _ reason: String) {
        if value(field) != nil { log.report(pointer.appending(field), .unsupported, reason) }
    }
}
