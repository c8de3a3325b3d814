/// A moment as PostgreSQL keeps it: whole microseconds, bound as and read from `timestamptz`.
package struct PostgresTimestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    ///
    /// `Int64.max` and `Int64.min` are PostgreSQL's `infinity` and `-infinity`.
    package var microsecondsSince1970: Int64

    package init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    package static let infinity = PostgresTimestamp(microsecondsSince1970: .max)
    package static let minusInfinity = PostgresTimestamp(microsecondsSince1970: .min)

    package static func < (a: Self, b: Self) -> Bool { a.microsecondsSince1970 < b.microsecondsSince1970 }

    /// The time from 1970 to PostgreSQL's epoch, 2000-01-01T00:00:00Z: 10 957 days.
    private static let epoch: Int64 = 946_684_800_000_000
}

extension PostgresTimestamp: PostgresValue {
    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }

    package func encode(into bytes: inout [UInt8]) {
        let (value, overflow) = microsecondsSince1970.subtractingReportingOverflow(Self.epoch)
        let isInfinite = self == .infinity || self == .minusInfinity
        bytes.appendBigEndian(isInfinite ? microsecondsSince1970 : overflow ? .min : value)
    }

    package static func decode(_ bytes: Span<UInt8>, as type: PostgresType) -> PostgresTimestamp? {
        guard type == .timestamptz || type == .timestamp, bytes.count == 8, let value = bytes.bigEndian(Int64.self)
        else { return nil }
        if value == .max || value == .min { return PostgresTimestamp(microsecondsSince1970: value) }
        let (moment, overflow) = value.addingReportingOverflow(Self.epoch)
        return overflow ? nil : PostgresTimestamp(microsecondsSince1970: moment)
    }
}
