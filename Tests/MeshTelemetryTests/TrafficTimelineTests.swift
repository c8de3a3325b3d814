import MeshCore
import MeshStore
import Testing

@testable import MeshTelemetry

@Suite("The steps of a graph of traffic")
struct TrafficTimelineTests {
    private static let now = Timestamp(microseconds: 1_800_000_007_000_000)

    private static func timeline(ago: Duration, step: Duration) throws -> TrafficTimeline {
        try #require(TrafficTimeline(from: now - ago, to: now, step: step))
    }

    @Test(
        "cover the time once, from the longest slots to the shortest, none of which is not over",
        arguments: [
            (900, 10), (3_000, 60), (7_200, 60), (80_000, 600), (80_000, 3_600), (2_500_000, 3_600),
            (2_500_000, 86_400),
        ])
    func parts(_ ago: Int, _ step: Int) throws {
        let timeline = try Self.timeline(ago: .seconds(ago), step: .seconds(step))
        let parts = timeline.parts(now: Self.now)
        #expect(parts.first.map { $0.span.start(of: $0.slots.lowerBound) } == timeline.from)
        for (part, next) in zip(parts, parts.dropFirst()) {
            #expect(part.span.start(of: part.slots.upperBound) == next.span.start(of: next.slots.lowerBound))
            #expect(part.span.rawValue > next.span.rawValue)
        }
        let end = try #require(parts.last.map { $0.span.start(of: $0.slots.upperBound) })
        #expect(end <= Self.now && end > Self.now - .seconds(10))
        // What is asked for is kept.
        for part in parts {
            #expect(part.span.start(of: part.slots.lowerBound) >= Self.now - part.span.retention - .seconds(step))
        }
        for part in parts { #expect(timeline.index(of: part.slots.upperBound - 1, part.span) != nil) }
    }

    @Test("are refused where there are none or too many, or they are no slots")
    func refused() {
        for (ago, step) in [(0, 10), (-10, 10), (900, 7), (900, 0), (2_500_000, 10)] {
            #expect(TrafficTimeline(from: Self.now - .seconds(ago), to: Self.now, step: .seconds(step)) == nil)
        }
    }

    @Test("are refused where they are longer than anything is kept, however much longer, or end at no time")
    func huge() {
        for step in [Duration.seconds(30 * 86_400 + 10), .seconds(Int64.max / 10 * 10), .seconds(9_223_372_036_850)] {
            #expect(TrafficTimeline(from: Self.now - .seconds(900), to: Self.now, step: step) == nil)
        }
        let (end, step) = (Timestamp(microseconds: .max), Duration.seconds(30 * 86_400))
        #expect(TrafficTimeline(from: end - .seconds(900), to: end, step: step) == nil)
        #expect(TrafficTimeline(from: Self.now - .seconds(900), to: Self.now, step: step)?.count == 1)
    }

    @Test(
        "are as fine as what is kept", arguments: [(600, 10), (3_590, 10), (3_600, 60), (86_000, 60), (90_000, 3_600)])
    func finest(_ ago: Int, _ span: Int) {
        #expect(TrafficTimeline.finestStep(from: Self.now - .seconds(ago), now: Self.now).rawValue == span)
    }
}
