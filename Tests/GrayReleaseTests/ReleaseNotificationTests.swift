import GrayRelease
import MeshCore
import Testing

@Suite("What channels are told of a release")
struct ReleaseNotificationTests {
    private static func filter(_ events: [ReleaseEvent.Kind], _ severity: EventSeverity? = nil) -> EventFilter {
        var filter = EventFilter()
        (filter.events, filter.minSeverity) = (events, severity)
        return filter
    }

    @Test("is everything, or what is named, and what is severe enough")
    func filters() {
        let rows: [(EventFilter, [ReleaseEvent.Kind])] = [
            (Self.filter([]), [.started, .paused, .failed]), (Self.filter([.started]), [.started]),
            (Self.filter([], .info), [.started, .paused, .failed]), (Self.filter([], .warning), [.paused, .failed]),
            (Self.filter([], .error), [.failed]), (Self.filter([.started], .error), [.started, .failed]),
        ]
        for (filter, told) in rows {
            #expect([.started, .paused, .failed].filter(filter.passes) == told, "\(filter)")
        }
    }

    @Test("severities are in order, and every event has one")
    func severities() {
        #expect(EventSeverity.allCases.sorted() == [.info, .warning, .error])
        #expect(Set(ReleaseEvent.Kind.allCases.map(\.severity)) == Set(EventSeverity.allCases))
        #expect(
            ReleaseEvent.Kind.rolledBack.severity == .warning && ReleaseEvent.Kind.notificationFailed.severity == .error
        )
    }
}
