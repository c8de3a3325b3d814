package import MeshCore
package import MeshStore

/// The steps of a graph of what sidecars have counted, and the slots that each is made of.
///
/// Minutes and hours come later than they end, so that the last of them are made of finer slots; and what is old is left of longer
/// ones only.
package struct TrafficTimeline: Hashable, Sendable {
    /// Slots of one span, one after the other.
    package struct Part: Hashable, Sendable {
        package var span: TrafficSpan
        package var slots: Range<Int64>
    }

    /// Steps of a graph at most.
    package static let maxSteps = 11_000
    /// The longest step: as long as anything is kept.
    package static let maxStep = TrafficSpan.hour.retention
    /// The last time that it may end at; far enough from the end of time to count steps beyond it.
    package static let maxEnd = Timestamp(microseconds: .max / 2)

    /// The start of the first step; a multiple of the step.
    package let from: Timestamp
    package let step: Duration
    package let count: Int

    /// - Parameters:
    ///   - step: whole multiples of ten seconds.
    /// - Returns: `nil` for no time, or more than ``maxSteps``.
    package init?(from: Timestamp, to: Timestamp, step: Duration) {
        guard step <= Self.maxStep else { return nil }
        let length = step.microseconds
        guard length > 0, length % 10_000_000 == 0, from.microseconds >= 0, to > from,
            to <= Self.maxEnd
        else { return nil }
        let first = from.microseconds / length
        let end = (to.microseconds + length - 1) / length
        guard end - first <= Self.maxSteps else { return nil }
        self.from = Timestamp(microseconds: first * length)
        self.step = step
        count = Int(end - first)
    }

    package var end: Timestamp { from + step * count }

    /// The finest step that there is for all of it.
    package static func finestStep(from: Timestamp, now: Timestamp) -> TrafficSpan {
        TrafficSpan.allCases.first { from >= now - $0.retention + $0.duration } ?? .hour
    }

    /// The slots that it is made of, without those that are not over yet.
    package func parts(now: Timestamp) -> [Part] {
        var parts: [Part] = []
        var start = from
        for span in TrafficSpan.allCases.reversed() {
            // What is left of a finer span is better; what a longer one may not have yet comes from the finer one.
            let isNeeded = start < now - (finer(than: span)?.retention ?? .zero)
            guard span == .tenSeconds || (isNeeded && step.microseconds % span.duration.microseconds == 0) else {
                continue
            }
            let last = span == .tenSeconds ? now : now - span.duration * 2 - .seconds(480)
            let to = span.start(of: span.slot(of: min(end, last)))
            if to > start {
                parts.append(Part(span: span, slots: span.slot(of: start)..<span.slot(of: to)))
                start = to
            }
        }
        return parts
    }

    private func finer(than span: TrafficSpan) -> TrafficSpan? {
        switch span {
        case .tenSeconds: nil
        case .minute: .tenSeconds
        case .hour: .minute
        }
    }

    /// The step that a slot is part of.
    package func index(of slot: Int64, _ span: TrafficSpan) -> Int? {
        let time = span.start(of: slot).microseconds - from.microseconds
        guard time >= 0 else { return nil }
        let index = Int(time / step.microseconds)
        return index < count ? index : nil
    }
}
