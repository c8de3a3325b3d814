extension Timestamp {
    /// Reads RFC 3339: `2026-11-24T02:00:00+08:00`, `2026-11-23T18:00:00.5Z`. Digits behind the sixth of a fraction are
    /// dropped.
    ///
    /// - Returns: `nil` for anything else, for years before 1970 and for days that no calendar has.
    package init?(text: String) {
        var rest = text.utf8[...]
        guard text.utf8.count <= 40,
            let year = Self.digits(4, &rest), Self.take("-", &rest),
            let month = Self.digits(2, &rest), Self.take("-", &rest),
            let day = Self.digits(2, &rest), Self.take("T", &rest) || Self.take("t", &rest),
            let hour = Self.digits(2, &rest), Self.take(":", &rest),
            let minute = Self.digits(2, &rest), Self.take(":", &rest),
            let second = Self.digits(2, &rest),
            let fraction = Self.fraction(&rest), let offset = Self.offset(&rest), rest.isEmpty
        else { return nil }
        guard year >= 1970, (1...12).contains(month), (1...Self.days(of: month, in: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(microseconds: seconds * 1_000_000 + fraction)
    }

    /// RFC 3339 in UTC with microseconds: `2026-11-23T04:05:00.000000Z`.
    package var text: String {
        let (days, time) = Self.floorDivide(microseconds, by: 86_400_000_000)
        let (year, month, day) = Self.date(days: days)
        let seconds = time / 1_000_000
        return "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))"
            + "T\(Self.pad(seconds / 3600, 2)):\(Self.pad(seconds / 60 % 60, 2)):\(Self.pad(seconds % 60, 2))"
            + ".\(Self.pad(time % 1_000_000, 6))Z"
    }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func floorDivide(_ a: Int64, by b: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return remainder < 0 ? (quotient - 1, remainder + b) : (quotient, remainder)
    }

    /// Days since 1970-01-01 of the proleptic Gregorian calendar. Years are counted from March, so that the leap day is
    /// the last of its year.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (shiftedYear, shiftedMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let (era, yearOfEra) = floorDivide(shiftedYear, by: 400)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The inverse of ``days(year:month:day:)``.
    package static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func days(of month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func take(_ character: Unicode.Scalar, _ rest: inout Substring.UTF8View) -> Bool {
        guard let byte = rest.first, UInt32(byte) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private static func digits(_ count: Int, _ rest: inout Substring.UTF8View) -> Int64? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        rest.removeFirst(count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    /// Microseconds; 0 where there is no fraction.
    private static func fraction(_ rest: inout Substring.UTF8View) -> Int64? {
        guard take(".", &rest) else { return 0 }
        let digits = rest.prefix { (48...57).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest.removeFirst(digits.count)
        let kept = digits.prefix(6)
        return (kept.count..<6).reduce(kept.reduce(0) { $0 * 10 + Int64($1 - 48) }) { value, _ in value * 10 }
    }

    /// Seconds east of UTC.
    private static func offset(_ rest: inout Substring.UTF8View) -> Int64? {
        if take("Z", &rest) || take("z", &rest) { return 0 }
        let sign: Int64
        if take("+", &rest) {
            sign = 1
        } else if take("-", &rest) {
            sign = -1
        } else {
            return nil
        }
        guard let hours = digits(2, &rest), take(":", &rest), let minutes = digits(2, &rest), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
