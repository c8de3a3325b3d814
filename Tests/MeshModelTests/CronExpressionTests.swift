import Documents
import MeshCore
import MeshModel
import TestSupport
import Testing

@Suite("Cron expressions")
struct CronExpressionTests {
    /// Of the wall clock.
    private static func minute(_ text: String) throws -> CronExpression.WallMinute {
        try #require(Timestamp(text: text + ":00Z")).microseconds / 60_000_000
    }

    private static func text(_ minute: CronExpression.WallMinute?) -> String? {
        minute.map { String(Timestamp(microseconds: $0 * 60_000_000).text.prefix(16)) }
    }

    @Test(
        "fit the minutes that Vixie cron would begin something at",
        arguments: [
            // 2026-12-01 is a Tuesday.
            ("0 22 * * FRI", "2026-12-01T00:00", "2026-12-04T22:00", "2026-11-27T22:00"),
            ("*/15 * * * *", "2026-12-01T10:01", "2026-12-01T10:15", "2026-12-01T10:00"),
            ("30 8-17/3 * * 1-5", "2026-12-05T00:00", "2026-12-07T08:30", "2026-12-04T17:30"),
            // Either field of days.
            ("0 0 13 * FRI", "2026-12-01T00:00", "2026-12-04T00:00", "2026-11-27T00:00"),
            ("0 0 1,15 * 1", "2026-12-01T00:01", "2026-12-07T00:00", "2026-12-01T00:00"),
            // One of the two begins with a star: both.
            ("0 0 */2 * FRI", "2026-12-01T00:00", "2026-12-11T00:00", "2026-11-27T00:00"),
            ("0 0 1-7 * *", "2026-12-08T00:00", "2027-01-01T00:00", "2026-12-07T00:00"),
            // Sunday has two numbers, and ends a week.
            ("0 0 * * 0", "2026-12-01T00:00", "2026-12-06T00:00", "2026-11-29T00:00"),
            ("0 0 * * 7", "2026-12-01T00:00", "2026-12-06T00:00", "2026-11-29T00:00"),
            ("0 0 * * sat-sun", "2026-12-01T00:00", "2026-12-05T00:00", "2026-11-29T00:00"),
            ("0 0 29 feb *", "2026-12-01T00:00", "2028-02-29T00:00", "2024-02-29T00:00"),
            ("59 23 31 DEC *", "2026-12-31T23:59", "2026-12-31T23:59", "2025-12-31T23:59"),
            ("0 0 * JAN,JUL *", "2026-12-01T00:00", "2027-01-01T00:00", "2026-07-31T00:00"),
            ("\t5  4 * * * ", "1970-01-01T00:00", "1970-01-01T04:05", "1969-12-31T04:05"),
        ])
    func fits(_ row: (text: String, from: String, next: String, last: String)) throws {
        let cron = try CronExpression(row.text)
        let now = row.from.hasPrefix("1970") ? 0 : try Self.minute(row.from)
        let years: CronExpression.WallMinute = 5 * 366 * 1440
        #expect(Self.text(cron.first(from: now, before: now + years)) == row.next)
        #expect(Self.text(cron.last(before: now, from: now - years)) == row.last)
    }

    @Test(
        "that are wrong are refused with the field and the reason",
        arguments: [
            ("", "not 0"), ("* * * *", "not 4"), ("* * * * * *", "not 6"), ("@daily", "not 1"),
            ("60 * * * *", "the minute is wrong: \"60\" must be from 0 to 59"),
            ("* 24 * * *", "the hour"), ("* * 0 * *", "the day of the month"), ("* * 32 * *", "must be from 1 to 31"),
            ("* * * 13 *", "the month is wrong: \"13\" must be from 1 to 12 or a name such as JAN"),
            ("* * * * 8", "the day of the week"), ("* * * * MONDAY", "a name such as SUN"),
            ("* * * MON *", "the month"),
            ("5-1 * * * *", "ends before it begins"), ("* * * * FRI-MON", "ends before it begins"),
            ("5/10 * * * *", "needs * or a range"), ("*/0 * * * *", "from 1 to 59"), ("*/60 * * * *", "from 1 to 59"),
            ("*/ * * * *", "step"), ("1, * * * *", "\"\" must be"), ("-1 * * * *", "\"\" must be"),
            ("1-2-3 * * * *", "\"2-3\""), ("+1 * * * *", "\"+1\""), ("１ * * * *", "must be from"),
            ("99999999999999999999 * * * *", "must be from"), ("? * * * *", "\"?\""), ("L * * * *", "\"L\""),
            ("0 0 30 2 *", "never occurs"), ("0 0 31 4,6,9,11 *", "never occurs"),
            ("0 0 30-31 FEB */2", "never occurs"),
        ])
    func refused(_ row: (text: String, reason: String)) {
        do throws(CronExpression.Problem) {
            _ = try CronExpression(row.text)
            Issue.record("\(row.text) is taken")
        } catch {
            #expect(error.text.contains(row.reason), "\(row.text): \(error.text)")
        }
    }

    @Test("of a day that no month has are taken where a day of the week may stand in for it")
    func either() throws {
        #expect(try CronExpression("0 0 30 2 MON").first(from: 0, before: 400 * 1440) != nil)
    }

    @Test("find what trying all minutes finds, in both directions")
    func search() throws {
        var random = SeededGenerator(seed: 11)
        func list(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> (text: String, values: Set<Int>) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0: return ("*", Set(range))
            case 1:
                let step = Int.random(in: 1...6, using: &random)
                return ("*/\(step)", Set(stride(from: range.lowerBound, through: range.upperBound, by: step)))
            default:
                let values = (0...2).map { _ in Int.random(in: range, using: &random) }
                let (low, high) = (min(values[0], values[1]), max(values[0], values[1]))
                return ("\(low)-\(high),\(values[2])", Set(low...high).union([values[2]]))
            }
        }
        for _ in 0..<60 {
            let (minute, hour) = (list(0...59, &random), list(0...23, &random))
            let (day, month, weekday) = (list(1...31, &random), list(1...12, &random), list(0...6, &random))
            guard
                let cron = try? CronExpression(
                    "\(minute.text) \(hour.text) \(day.text) \(month.text) \(weekday.text)")
            else { continue }
            let isEither = !day.text.hasPrefix("*") && !weekday.text.hasPrefix("*")
            func fits(_ wall: Int64) -> Bool {
                let date = Timestamp.date(days: wall / 1440)
                let isDay = day.values.contains(Int(date.day))
                let isWeekday = weekday.values.contains(Int((wall / 1440 + 4) % 7))
                return minute.values.contains(Int(wall % 60)) && hour.values.contains(Int(wall / 60 % 24))
                    && month.values.contains(Int(date.month)) && (isEither ? isDay || isWeekday : isDay && isWeekday)
            }
            let begin = Int64.random(in: 29_000_000..<30_000_000, using: &random)
            let range = begin..<begin + 3 * 1440
            #expect(cron.first(from: range.lowerBound, before: range.upperBound) == range.first(where: fits))
            #expect(cron.last(before: range.upperBound, from: range.lowerBound) == range.last(where: fits))
        }
    }

    @Test("never bring anything down, whatever they are")
    func hostile() {
        var random = SeededGenerator(seed: 5)
        let pieces = [
            "*", "/", "-", ",", " ", "0", "7", "59", "SUN", "dec", "\u{0}", "é", "٣", "9223372036854775807", "*/2",
            "1-5", "\n",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            guard let cron = try? CronExpression(text) else { continue }
            #expect(cron.text == text)
            _ = cron.first(from: -3000, before: 3000)
        }
        #expect((try? CronExpression(String(repeating: "1,", count: 10_000) + "1 * * * *")) == nil)
    }

    @Test("have their next times stored in order, as many as the limit says, and the last one that may not be over")
    func times() throws {
        let now = try Self.minute("2026-12-01T10:00")
        let often = try CronExpression("* * * * *").times(at: now, lasting: .seconds(60))
        #expect(often.starts.count == Limits.freezeOccurrences.value && often.starts.first == now - 1)
        #expect(often.starts == often.starts.sorted() && often.knownUntil == (often.starts.last ?? 0) + 1)
        #expect(often.extendAt > now && often.extendAt < often.knownUntil)
        let rare = try CronExpression("0 0 1 1 *").times(at: now, lasting: .seconds(86_400))
        #expect(rare.starts.map { Self.text($0) } == ["2027-01-01T00:00", "2028-01-01T00:00"])
        #expect(rare.knownUntil == now + Int64(Limits.freezeHorizon.value) * 1440 && rare.extendAt < rare.knownUntil)
        let leap = try CronExpression("0 0 29 2 *").times(at: now, lasting: .seconds(86_400))
        #expect(leap.starts == [] && leap.knownUntil == rare.knownUntil)
    }
}
