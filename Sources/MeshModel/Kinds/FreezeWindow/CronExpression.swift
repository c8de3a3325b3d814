internal import MeshCore

/// A cron expression: five fields that say at which minutes of the wall clock something begins, wherever that clock hangs.
///
/// As Vixie cron reads it: minute, hour, day of the month, month, day of the week, each a list of values, ranges and steps; months and
/// days of the week also by the first three letters of their English names, Sunday as 0 and 7. Where neither field of days begins
/// with `*`, a day fits if one of them does.
package struct CronExpression: Hashable, Sendable {
    /// The minutes of the wall clock since it showed 1970-01-01 00:00, as if every day had 24 hours.
    package typealias WallMinute = Int64

    /// The reason why a text is no cron expression; a clause.
    package struct Problem: Error, Hashable {
        package let text: String
    }

    /// The text as it was written.
    package let text: String
    /// The bit of a value is set if the value fits.
    private let minutes: UInt64, hours: UInt64, days: UInt64, months: UInt64, weekdays: UInt64
    /// Whether both fields of days narrow them: a day then fits by one of them.
    private let isEitherDay: Bool

    /// The longest text that is read.
    package static let maxLength = 256
    private static let minutesOfDay: WallMinute = 1440

    package init(_ text: String) throws(Problem) {
        guard text.utf8.count <= Self.maxLength else {
            throw Problem(text: "must be at most \(Self.maxLength) bytes long")
        }
        let fields = text.split(omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
        guard fields.count == CronField.allCases.count else {
            throw Problem(
                text:
                    "must have five fields (minute, hour, day of the month, month, day of the week), not \(fields.count)"
            )
        }
        self.text = text
        minutes = try CronField.minute.read(fields[0])
        hours = try CronField.hour.read(fields[1])
        days = try CronField.day.read(fields[2])
        months = try CronField.month.read(fields[3])
        // Sunday is 0, and 7 for ranges that end with it.
        let week = try CronField.weekday.read(fields[4])
        weekdays = (week | week >> 7) & 0b111_1111
        isEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard canOccur else { throw Problem(text: "never occurs: no month of these has such a day") }
    }

    /// Days of the week fall on every date some year, so only a day that no month has can keep it from ever occurring.
    private var canOccur: Bool {
        isEitherDay
            || (1...12).contains { month in
                months.has(month) && (1...Self.longest(month)).contains { days.has($0) }
            }
    }

    private static func longest(_ month: Int64) -> Int64 {
        switch month {
        case 2: 29
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The first minute that fits, from one on and before another.
    package func first(from minute: WallMinute, before end: WallMinute) -> WallMinute? {
        guard minute < end else { return nil }
        let begin = Self.parts(minute)
        for day in begin.day...Self.parts(end - 1).day where fits(day: day) {
            guard let time = firstTime(notBefore: day == begin.day ? begin.time : 0) else { continue }
            let found = day * Self.minutesOfDay + time
            return found < end ? found : nil
        }
        return nil
    }

    /// The last minute that fits, before one and from another on.
    package func last(before end: WallMinute, from minute: WallMinute) -> WallMinute? {
        guard minute < end else { return nil }
        let final = Self.parts(end - 1)
        for day in (Self.parts(minute).day...final.day).reversed() where fits(day: day) {
            guard let time = lastTime(notBehind: day == final.day ? final.time : Self.minutesOfDay - 1) else {
                continue
            }
            let found = day * Self.minutesOfDay + time
            return found >= minute ? found : nil
        }
        return nil
    }

    private static func parts(_ minute: WallMinute) -> (day: Int64, time: Int64) {
        let (day, time) = minute.quotientAndRemainder(dividingBy: minutesOfDay)
        return time < 0 ? (day - 1, time + minutesOfDay) : (day, time)
    }

    private func fits(day: Int64) -> Bool {
        let date = Timestamp.date(days: day)
        guard months.has(date.month) else { return false }
        // 1970-01-01 was a Thursday.
        let weekday = ((day + 4) % 7 + 7) % 7
        return isEitherDay
            ? days.has(date.day) || weekdays.has(weekday) : days.has(date.day) && weekdays.has(weekday)
    }

    private func firstTime(notBefore time: Int64) -> Int64? {
        for hour in time / 60..<24 where hours.has(hour) {
            let from = hour == time / 60 ? time % 60 : 0
            if let minute = (from..<60).first(where: minutes.has) { return hour * 60 + minute }
        }
        return nil
    }

    private func lastTime(notBehind time: Int64) -> Int64? {
        for hour in (0...time / 60).reversed() where hours.has(hour) {
            let last = hour == time / 60 ? time % 60 : 59
            if let minute = (0...last).last(where: minutes.has) { return hour * 60 + minute }
        }
        return nil
    }
}

/// A field of a cron expression.
private enum CronField: CaseIterable {
    case minute, hour, day, month, weekday

    var noun: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .day: "day of the month"
        case .month: "month"
        case .weekday: "day of the week"
        }
    }

    var range: ClosedRange<Int64> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...7
        }
    }

    /// The names of the values from the first one on, in lower case.
    private var names: [String] {
        switch self {
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        default: []
        }
    }

    /// The bits of the values that a field names.
    func read(_ text: Substring) throws(CronExpression.Problem) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) { bits |= try read(part: part) }
        return bits
    }

    private func read(part: Substring) throws(CronExpression.Problem) -> UInt64 {
        let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let values = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let (first, last): (Int64, Int64)
        if halves[0] == "*" {
            // A day of the week has two names for Sunday; one counts.
            (first, last) = (range.lowerBound, self == .weekday ? 6 : range.upperBound)
        } else if values.count == 2 {
            first = try read(value: values[0])
            let end = try read(value: values[1])
            // FRI-SUN: the Sunday behind it.
            last = self == .weekday && end == 0 && first > 0 ? 7 : end
            guard first <= last else { throw problem("\(part) ends before it begins") }
        } else {
            first = try read(value: halves[0])
            last = first
            if halves.count == 2 { throw problem("\(part) has a step, which needs * or a range before it") }
        }
        var step: Int64 = 1
        if halves.count == 2 {
            guard let number = Self.number(halves[1]), (1...range.upperBound).contains(number) else {
                throw problem("the step of \(part) must be from 1 to \(range.upperBound)")
            }
            step = number
        }
        return stride(from: first, through: last, by: Int64.Stride(step)).reduce(into: 0) { $0 |= 1 << UInt64($1) }
    }

    private func read(value text: Substring) throws(CronExpression.Problem) -> Int64 {
        if let index = names.firstIndex(of: text.lowercased()) { return range.lowerBound + Int64(index) }
        guard let number = Self.number(text), range.contains(number) else {
            let example = names.first.map { " or a name such as \($0.uppercased())" } ?? ""
            throw problem("\"\(text)\" must be from \(range.lowerBound) to \(range.upperBound)\(example)")
        }
        return number
    }

    private func problem(_ text: String) -> CronExpression.Problem { .init(text: "the \(noun) is wrong: \(text)") }

    /// Digits only, and no more than any field has use for.
    private static func number(_ text: Substring) -> Int64? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }
}

extension UInt64 {
    fileprivate func has(_ value: Int64) -> Bool { value >= 0 && value < 64 && self >> UInt64(value) & 1 == 1 }
}
