extension Duration {
    /// Reads a duration as Go and protobuf JSON write it: `"10s"`, `"0.5s"`, `"250ms"`, `"1h30m"`; units `h m s ms us ns`.
    ///
    /// - Returns: `nil` for anything else, for negative values and for more than 100 years.
    package init?(text: String) {
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total = Duration.zero
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let amount = Double(digits), digits.utf8.count <= 18, amount.isFinite else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let nanoseconds = Self.nanoseconds(of: unit) else { return nil }
            let part = amount * nanoseconds
            guard part <= 3.2e18 else { return nil }
            total += .nanoseconds(Int64(part.rounded()))
            guard total <= .seconds(100 * 366 * 86_400) else { return nil }
        }
        self = total
    }

    private static func nanoseconds(of unit: Substring) -> Double? {
        switch unit {
        case "h": 3_600e9
        case "m": 60e9
        case "s": 1e9
        case "ms": 1e6
        case "us": 1e3
        case "ns": 1
        default: nil
        }
    }

    /// The shortest of the forms that ``init(text:)`` reads, in one unit: `"90s"`, `"250ms"`, `"24h"`.
    package var text: String {
        let (seconds, attoseconds) = components
        guard attoseconds == 0 else {
            let nanoseconds = attoseconds / 1_000_000_000
            if nanoseconds % 1_000_000 == 0 { return "\(seconds * 1000 + nanoseconds / 1_000_000)ms" }
            if nanoseconds % 1_000 == 0 { return "\(seconds * 1_000_000 + nanoseconds / 1_000)us" }
            return "\(seconds)s\(nanoseconds)ns"
        }
        if seconds != 0 && seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds != 0 && seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }

    /// Whole milliseconds, rounded down.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
