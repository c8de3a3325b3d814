import Analysis
import TestSupport
import Testing

@Suite("Latencies by buckets")
struct LatencyHistogramTests {
    private func histogram(_ latencies: [Double]) -> LatencyHistogram {
        latencies.reduce(into: LatencyHistogram()) { $0.add($1) }
    }

    @Test func hasALadderOfPreferredNumbers() {
        #expect(LatencyLadder.bounds.count == 46)
        #expect(LatencyLadder.bucketCount == 47)
        #expect(LatencyLadder.bounds == LatencyLadder.bounds.sorted())
        #expect(LatencyLadder.bounds.last == 63_000)
    }

    @Test(
        arguments: [
            (0, 0), (1, 0), (1.0001, 1), (2, 1), (10, 7), (10.5, 8), (63_000, 45), (63_001, 46), (1e300, 46), (-1, 0),
        ] as [(Double, Int)])
    func findsTheBucket(_ milliseconds: Double, _ bucket: Int) {
        #expect(LatencyLadder.bucket(of: milliseconds) == bucket)
    }

    @Test(
        arguments: [
            (300, 250, 320), (0, 1, 2), (0.5, 1, 2), (1.5, 1, 2), (70_000, 50_000, 63_000), (7, 6, 8),
            (.nan, 1, 2), (.infinity, 50_000, 63_000), (250, 200, 250),
        ] as [(Double, Int, Int)])
    func findsTheNearestBounds(_ milliseconds: Double, _ below: Int, _ above: Int) {
        let nearest = LatencyLadder.nearestBounds(to: milliseconds)
        #expect(nearest.below == below)
        #expect(nearest.above == above)
    }

    @Test func isEmptyAtFirst() {
        let empty = LatencyHistogram()
        #expect(empty.isEmpty)
        #expect(empty.count == 0)
        #expect(empty.mean == nil)
        #expect(empty.quantile(0.5) == nil)
        #expect(empty.countAbove(1) == 0)
    }

    @Test func countsNoTimesThatAreNone() {
        #expect(histogram([-1, .nan, .infinity, -.infinity]) == LatencyHistogram())
        var counted = LatencyHistogram()
        for bucket in [-1, 47, Int.max, Int.min] { counted.add(count: 1, inBucket: bucket, sum: 1) }
        counted.add(count: 0, inBucket: 3, sum: 1)
        #expect(counted == LatencyHistogram())
    }

    @Test func takesQuantilesInsideBuckets() {
        var one = LatencyHistogram()
        one.add(9, count: 100)
        #expect(one.quantile(0) == 8)
        #expect(one.quantile(0.5) == 9)
        #expect(one.quantile(1) == 10)
        let two = histogram([0.5, 0.5, 100_000, 100_000])
        #expect(two.quantile(0.25) == 0.5)
        #expect(two.quantile(0.5) == 1)
        #expect(two.quantile(0.75) == 63_000)
        for share in [-0.1, 1.1, .nan] { #expect(two.quantile(share) == nil) }
    }

    @Test func isWithinTheBucketOfTheTruth() {
        var random = SeededGenerator(seed: 3)
        let latencies = (0..<5000).map { _ in Double.random(in: 0..<60_000, using: &random) }
        let counted = histogram(latencies)
        let sorted = latencies.sorted()
        for share in [0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999] {
            let exact = sorted[min(4999, Int(share * 5000))]
            let estimate = counted.quantile(share) ?? -1
            let buckets = abs(LatencyLadder.bucket(of: exact) - LatencyLadder.bucket(of: estimate))
            #expect(buckets <= 1, "\(share): \(estimate) for \(exact)")
        }
        #expect(counted.countAbove(1000) == UInt64(latencies.filter { $0 > 1000 }.count))
        let mean = latencies.reduce(0, +) / 5000
        #expect(abs((counted.mean ?? 0) - mean) < 1e-6)
    }

    @Test func countsAboveBoundsOnly() {
        let counted = histogram([1, 250, 251, 100_000])
        #expect(counted.countAbove(250) == 2)
        #expect(counted.countAbove(63_000) == 1)
        #expect(counted.countAbove(1) == 3)
        for bound in [0, -1, 251, 300, Int.max, Int.min] { #expect(counted.countAbove(bound) == nil) }
        #expect(counted[0] == 1)
        #expect(counted[46] == 1)
        #expect(counted[47] == 0)
        #expect(counted[-1] == 0)
    }

    @Test func mergesAsIfAddedTogether() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<200 {
            let a = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                Double(Int.random(in: 0...99, using: &random))
            }
            let b = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                Double(Int.random(in: 0...90_000, using: &random))
            }
            var merged = histogram(a)
            merged.merge(histogram(b))
            #expect(merged == histogram(a + b))
        }
    }

    @Test func stopsAtTheLargestCount() {
        var counted = LatencyHistogram()
        counted.add(5, count: .max)
        counted.add(5, count: 3)
        counted.add(1, count: 3)
        var twice = counted
        twice.merge(counted)
        #expect(twice.count == .max)
        #expect(twice[4] == .max)
        #expect(twice.countAbove(1) == .max)
        #expect(twice.quantile(0.5)?.isFinite == true)
        counted.add(count: 1, inBucket: 1, sum: .greatestFiniteMagnitude)
        counted.add(count: 1, inBucket: 1, sum: .greatestFiniteMagnitude)
        counted.add(count: 1, inBucket: 1, sum: .infinity)
        counted.add(count: 1, inBucket: 1, sum: .nan)
        #expect(counted.sum.isFinite)
    }

    @Test func readsWhatItWrote() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            var counted = LatencyHistogram()
            for _ in 0..<Int.random(in: 0...47, using: &random) {
                counted.add(
                    count: random.next() >> UInt64.random(in: 0..<64, using: &random),
                    inBucket: Int.random(in: 0..<47, using: &random), sum: Double.random(in: 0...1e6, using: &random))
            }
            #expect(LatencyHistogram(bytes: counted.bytes) == counted)
        }
        #expect(LatencyHistogram().bytes.count == 9)
    }

    @Test(
        arguments: [
            [], [0], [1, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 1], [48, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 47, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F],
            [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func refusesOtherBytes(_ bytes: [UInt8]) {
        #expect(LatencyHistogram(bytes: bytes) == nil)
    }

    @Test func hasOneFormForAnyBytesThatItReads() {
        var random = SeededGenerator(seed: 6)
        let seed = histogram([0.5, 3, 3, 80, 900, 1e5]).bytes
        for round in 0..<LongRun.count("SLUICE_FUZZ_RUNS", else: 20_000) {
            var bytes = seed
            if round % 2 == 0 {
                bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            } else {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                if random.chance(20) { bytes.removeLast() }
            }
            guard let counted = LatencyHistogram(bytes: bytes) else { continue }
            #expect(counted.bytes == bytes)
            _ = (counted.count, counted.mean, counted.quantile(0.99), counted.countAbove(250))
        }
    }
}
