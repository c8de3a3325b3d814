extension Duration {
    /// Reads what ``iso8601`` writes: `PT`, then hours, minutes and seconds (with up to six digits of fraction), each
    /// at most once and in that order.
    package init?(iso8601 text: String) {
        guard text.utf8.count <= 40, text.hasPrefix("PT"), text.utf8.count > 2 else { return nil }
        var rest = text.dropFirst(2)
        var total: Int64 = 0
        var units: [(letter: Character, microseconds: Int64)] = [
            ("H", 3_600_000_000), ("M", 60_000_000), ("S", 1_000_000),
        ]
        while !rest.isEmpty {
            let whole = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(whole.count)
            var fraction = Substring()
            if rest.first == "." {
                fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(1 + fraction.count)
            }
            guard let letter = rest.first, let index = units.firstIndex(where: { $0.letter == letter }),
                let amount = Int64(whole), amount <= 1_000_000_000, fraction.isEmpty || letter == "S"
            else { return nil }
            total += amount * units[index].microseconds
            if !fraction.isEmpty {
                guard fraction.count <= 6, let digits = Int64(fraction) else { return nil }
                total += (fraction.count..<6).reduce(digits) { value, _ in value * 10 }
            }
            units.removeSubrange(...index)
            rest = rest.dropFirst()
        }
        self = .microseconds(total)
    }

    /// ISO 8601 to the microsecond: `PT4M10S`, `PT1H`, `PT0.25S`, `PT0S`. Negative durations are written as zero.
    package var iso8601: String {
        let total = max(0, microseconds)
        let (hours, minutes) = (total / 3_600_000_000, total / 60_000_000 % 60)
        let (seconds, fraction) = (total / 1_000_000 % 60, total % 1_000_000)
        var text = "PT"
        if hours > 0 { text += "\(hours)H" }
        if minutes > 0 { text += "\(minutes)M" }
        guard seconds > 0 || fraction > 0 || text == "PT" else { return text }
        text += "\(seconds)"
        if fraction > 0 {
            let digits = String(fraction)
            var padded = String(repeating: "0", count: 6 - digits.count) + digits
            while padded.hasSuffix("0") { padded.removeLast() }
            text += ".\(padded)"
        }
        return text + "S"
    }
}
