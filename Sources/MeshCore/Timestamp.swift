/// A number that grows with every write in a mesh (for objects outside of a mesh: in their tenant). Starts at 1.
package typealias Revision = Int64

/// An instant as microseconds since 1970-01-01T00:00:00Z, always by PostgreSQL's clock.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (a: Self, b: Self) -> Bool { a.microseconds < b.microseconds }

    package static func + (a: Self, b: Duration) -> Timestamp {
        Timestamp(microseconds: a.microseconds + b.microseconds)
    }

    /// The time from `b` to `a`; negative if `a` is earlier.
    package static func - (a: Self, b: Duration) -> Timestamp { a + (.zero - b) }

    package static func - (a: Self, b: Self) -> Duration { .microseconds(a.microseconds - b.microseconds) }
}

extension Duration {
    /// Whole microseconds, rounded down.
    package var microseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
