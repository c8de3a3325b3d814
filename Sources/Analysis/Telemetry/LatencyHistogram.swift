internal import MeshCore

/// How many requests took how long, by the buckets of ``LatencyLadder``.
///
/// Has room only for the buckets between the fastest and the slowest one that counted something. Equal counts and sums are equal
/// values, whatever was added in which order, as far as adding floating-point numbers is exact.
package struct LatencyHistogram: Hashable, Sendable {
    /// The bucket of the first of ``counts``; 0 if there are none.
    private(set) var first = 0
    /// Counts of successive buckets; neither the first nor the last one is 0.
    private(set) var counts: [UInt64] = []
    /// The exact sum of all latencies in milliseconds; finite, never negative.
    package private(set) var sum = 0.0

    package init() {}

    /// Counts requests that took equally long.
    ///
    /// - Parameter milliseconds: of one of them. What is no time (negative, infinite, NaN) is not counted.
    package mutating func add(_ milliseconds: Double, count: UInt64 = 1) {
        guard milliseconds >= 0, milliseconds.isFinite else { return }
        add(count: count, inBucket: LatencyLadder.bucket(of: milliseconds), sum: milliseconds * Double(count))
    }

    /// Counts requests by their bucket, as somebody else has counted them.
    ///
    /// - Parameters:
    ///   - bucket: an index of the ladder; others are not counted.
    ///   - sum: of their latencies in milliseconds; what is no time counts as 0.
    package mutating func add(count: UInt64, inBucket bucket: Int, sum: Double) {
        guard count > 0, (0..<LatencyLadder.bucketCount).contains(bucket) else { return }
        makeRoom(for: bucket)
        counts[bucket - first] = counts[bucket - first].addingSaturating(count)
        if sum >= 0 { self.sum = min(self.sum + sum, .greatestFiniteMagnitude) }
    }

    /// Counts everything that another one counted. Counts stop at the largest number instead of overflowing.
    package mutating func merge(_ other: LatencyHistogram) {
        guard let last = other.counts.indices.last else { return }
        makeRoom(for: other.first)
        makeRoom(for: other.first + last)
        for (index, count) in other.counts.enumerated() {
            let here = other.first + index - first
            counts[here] = counts[here].addingSaturating(count)
        }
        sum = min(sum + other.sum, .greatestFiniteMagnitude)
    }

    private mutating func makeRoom(for bucket: Int) {
        guard !counts.isEmpty else {
            (first, counts) = (bucket, [0])
            return
        }
        if bucket < first {
            counts.insert(contentsOf: repeatElement(0, count: first - bucket), at: 0)
            first = bucket
        }
        let missing = bucket - first - counts.count + 1
        if missing > 0 { counts.append(contentsOf: repeatElement(0, count: missing)) }
    }
}

extension LatencyHistogram {
    package var isEmpty: Bool { counts.isEmpty }

    /// All requests that were counted.
    package var count: UInt64 { counts.reduce(0) { $0.addingSaturating($1) } }

    /// The mean latency in milliseconds, exact; `nil` if nothing was counted.
    package var mean: Double? { isEmpty ? nil : sum / Double(count) }

    /// The latency in milliseconds that a share of the requests does not exceed, linear inside its bucket.
    ///
    /// - Parameter share: `0...1`.
    /// - Returns: the last bound for what is above all bounds; `nil` if nothing was counted, and for other shares.
    package func quantile(_ share: Double) -> Double? {
        guard !isEmpty, share >= 0, share <= 1 else { return nil }
        let wanted = share * counts.reduce(0) { $0 + Double($1) }
        var before = 0.0
        for (index, count) in counts.enumerated() where count > 0 {
            let (lower, upper) = LatencyLadder.range(of: first + index)
            let here = Double(count)
            if before + here >= wanted || index == counts.count - 1 {
                return lower + (upper - lower) * min(1, max(0, (wanted - before) / here))
            }
            before += here
        }
        return nil
    }

    /// How many requests took longer than a bound.
    ///
    /// - Parameter bound: in milliseconds.
    /// - Returns: `nil` if it is not on the ladder, as the number is not known then.
    package func countAbove(_ bound: Int) -> UInt64? {
        guard let index = LatencyLadder.index(of: bound) else { return nil }
        return counts.dropFirst(max(0, index + 1 - first)).reduce(0) { $0.addingSaturating($1) }
    }

    /// The count of one bucket; 0 for an index that the ladder does not have.
    package subscript(bucket: Int) -> UInt64 {
        (first..<first + counts.count).contains(bucket) ? counts[bucket - first] : 0
    }
}
