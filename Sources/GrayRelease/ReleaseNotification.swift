package import Documents
package import MeshCore

/// How much an event of a release asks for somebody.
package enum EventSeverity: String, CaseIterable, Comparable, Sendable {
    case info, warning, error

    package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .info: 0
        case .warning: 1
        case .error: 2
        }
    }
}

extension ReleaseEvent.Kind {
    package var severity: EventSeverity {
        switch self {
        case .failed, .stepFailed, .notificationFailed: .error
        case .paused, .pauseAdded, .rollbackStarted, .rolledBack, .aborted, .trafficWithdrawn, .stragglersLeftBehind,
            .applyTimeoutExceeded, .controllerGap, .rollbackForced, .startForced, .rejected, .approvalSkipped,
            .freezeOverridden, .superseded, .successRolledBack:
            .warning
        default: .info
        }
    }
}

/// Which events of releases are told: those that are named, and those that are severe enough. Without either, all.
package struct EventFilter: Document {
    package var events: [ReleaseEvent.Kind] = []
    package var minSeverity: EventSeverity?

    package init() {}

    package static let fields: [Field<Self>] = [
        .defaulted(
            "events", \.events, .list(of: .choice, 0...100, .ofElements("events must be named once")),
            "Events that are told in any case. Without events and minSeverity all are."),
        .optional("minSeverity", \.minSeverity, .choice, "Events that are told because they are at least that severe."),
    ]

    package func passes(_ kind: ReleaseEvent.Kind) -> Bool {
        if events.isEmpty && minSeverity == nil { return true }
        return events.contains(kind) || minSeverity.map { kind.severity >= $0 } == true
    }
}

/// A channel that is told what happens to a release.
package struct ReleaseNotification: Document {
    package var channel = Name.blank
    package var filter = EventFilter()

    package init() {}

    package init(channel: Name, filter: EventFilter = EventFilter()) {
        self.channel = channel
        self.filter = filter
    }

    package static let fields: [Field<Self>] = [
        .required("channel", \.channel, .name, "NotificationChannel of the same namespace."), .inlined(\.filter),
    ]
}

extension Shape where Value == [ReleaseNotification] {
    static var notifications: Shape {
        .list(of: .document, 0...10, Uniqueness(\.channel, at: ["channel"], "a channel must be named once"))
    }
}
