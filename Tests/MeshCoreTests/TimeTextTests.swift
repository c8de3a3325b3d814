import MeshCore
import Testing

@Suite("Times in text")
struct TimeTextTests {
    @Test(
        "RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56.789Z", 951_827_696_789_000),
            ("2026-11-24T02:00:00+08:00", 1_795_456_800_000_000),
            ("2026-11-23T10:00:00.1234567-08:00", 1_795_456_800_123_456),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ] as [(String, Int64)])
    func timestamps(_ text: String, _ microseconds: Int64) throws {
        let timestamp = try #require(Timestamp(text: text))
        #expect(timestamp.microseconds == microseconds)
        #expect(Timestamp(text: timestamp.text) == timestamp)
    }

    @Test(
        "no times",
        arguments: [
            "", "2026-11-24", "2026-11-24T02:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+8", "2026-01-01T00:00:00+08:00x", "1969-12-31T23:59:59Z", "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000000000000000000000000000000Z",
        ])
    func noTimestamps(_ text: String) { #expect(Timestamp(text: text) == nil) }

    @Test("days of 800 years, one of each week, read back as themselves")
    func days() {
        for day in stride(from: Int64(0), to: 292_194, by: 7) {
            let timestamp = Timestamp(microseconds: day * 86_400_000_000 + 1)
            if Timestamp(text: timestamp.text) != timestamp { Issue.record("day \(day): \(timestamp.text)") }
        }
    }

    @Test(
        "ISO 8601 durations",
        arguments: [
            (0, "PT0S"), (250_000_000, "PT4M10S"), (3_600_000_000, "PT1H"), (90_000_000_000_000, "PT25000H"),
            (1, "PT0.000001S"),
            (61_500_000, "PT1M1.5S"),
        ] as [(Int64, String)])
    func durations(_ microseconds: Int64, _ text: String) {
        #expect(Duration.microseconds(microseconds).iso8601 == text)
        #expect(Duration(iso8601: text) == .microseconds(microseconds))
    }

    @Test(
        "no durations",
        arguments: [
            "", "PT", "P1D", "PT1S1M", "PT1M1M", "PT-1S", "PT1.5M", "PT1.1234567S", "PTS", "PT1", "PT99999999999H",
        ])
    func noDurations(_ text: String) { #expect(Duration(iso8601: text) == nil) }
}
