import Analysis
import MeshCore
import TestSupport
import Testing

@testable import MeshTelemetry

@Suite("Samples of traffic")
struct TrafficSampleTests {
    private static func random(_ generator: inout SeededGenerator) throws -> TrafficSample {
        var sample = TrafficSample()
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let versions = [nil, Name("v1"), Name("v2")]
            let source = TrafficSource(
                service: NamespacedName(
                    namespace: try name("shop"), name: try name("caller-\(Int.random(in: 0...3, using: &generator))")),
                version: versions.randomElement(using: &generator) ?? nil)
            let key = TrafficSeries(
                port: Int.random(in: 1...65_535, using: &generator),
                version: versions.randomElement(using: &generator) ?? nil,
                source: Bool.random(using: &generator) ? source : nil)
            var counts = TrafficCounts()
            for code in [200, 404, 503] {
                counts.answers.add(UInt64.random(in: 0...(1 << 40), using: &generator), of: code)
            }
            counts.retried.add(UInt64.random(in: 0...3, using: &generator), of: 503)
            counts.calls.add(UInt64.random(in: 0...3, using: &generator), of: 14)
            for _ in 0..<3 { counts.latency.add(Double.random(in: 0...90_000, using: &generator)) }
            counts.receivedBytes = .random(in: 0 ... .max, using: &generator)
            sample.series[key] = counts
        }
        return sample
    }

    private static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    @Test("are read as they were written, whatever is in them")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            let sample = try Self.random(&generator)
            #expect(TrafficSample(bytes: sample.bytes) == sample)
        }
    }

    @Test("that are cut, changed or of another form are nothing, or something else, and never a trap")
    func hostile() throws {
        var generator = SeededGenerator(seed: 8)
        #expect(TrafficSample(bytes: []) == nil)
        #expect(TrafficSample(bytes: [2, 0]) == nil)
        #expect(TrafficSample(bytes: [1, 0, 0]) == nil)
        for _ in 0..<300 {
            let bytes = try Self.random(&generator).bytes
            if bytes.count > 2 { #expect(TrafficSample(bytes: Array(bytes.dropLast())) == nil) }
            var changed = bytes
            for _ in 0..<3 {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = TrafficSample(bytes: changed)
            _ = TrafficSample(bytes: (0..<40).map { _ in .random(in: 0...255, using: &generator) })
        }
    }

    private static func counts(
        _ answers: [Int: UInt64], retried: [Int: UInt64] = [:], calls: [Int: UInt64] = [:]
    ) -> TrafficCounts {
        var counts = TrafficCounts()
        (counts.answers, counts.retried, counts.calls) = (CodeCounts(answers), CodeCounts(retried), CodeCounts(calls))
        return counts
    }

    @Test(
        "count as errors what is not the caller's fault, each once",
        arguments: [
            (counts([200: 5, 404: 2, 503: 3]), 3), (counts([200: 10], retried: [503: 4]), 0),
            // What real Envoys count: 20 answers with OK, 10 with INTERNAL and 10 with NOT_FOUND.
            (counts([200: 40], calls: [0: 20, 13: 10, 5: 10]), 10),
            // 40 calls for which there was no endpoint.
            (counts([503: 40], calls: [14: 40]), 40),
            (counts([200: 3, 503: 2], calls: [0: 1]), 2), (counts([:]), 0),
        ] as [(TrafficCounts, UInt64)])
    func errors(_ counts: TrafficCounts, _ errors: UInt64) {
        #expect(counts.errors == errors)
        #expect(counts.failedAttempts == errors + counts.retried.total)
        #expect(counts.attempts == counts.requests + counts.retried.total)
    }

    @Test("tell 32 codes apart, and stop at the largest number")
    func bounds() {
        var codes = CodeCounts()
        for code in 100..<200 { codes.add(1, of: code) }
        #expect(codes.entries.count == CodeCounts.maxCodes + 1 && codes.total == 100)
        #expect(codes.total { $0 == CodeCounts.other } == 68)
        codes.add(.max, of: 100)
        codes.add(.max, of: 101)
        #expect(codes.total == .max)
    }
}
