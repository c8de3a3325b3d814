/// The fixed bounds that latencies are counted by.
///
/// Ten steps a decade: the preferred numbers R10 of ISO 3, rounded to whole milliseconds. A quantile is off by at most the width of its
/// bucket, about a quarter of the value.
package enum LatencyLadder {
    /// Upper bounds in milliseconds, inclusive and rising.
    package static let bounds = [
        1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 320, 400, 500, 630, 800,
        1000, 1250, 1600, 2000, 2500, 3200, 4000, 5000, 6300, 8000, 10_000, 12_500, 16_000, 20_000, 25_000, 32_000,
        40_000, 50_000, 63_000,
    ]
    /// One more than there are bounds: the last one is of everything above.
    package static let bucketCount = bounds.count + 1

    /// The index of the bucket that counts a latency.
    ///
    /// - Parameter milliseconds: anything; below the first bound and NaN is the first bucket.
    package static func bucket(of milliseconds: Double) -> Int {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if milliseconds > Double(bounds[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The index of a bound; `nil` if the latency is not on the ladder.
    ///
    /// - Parameter bound: in milliseconds.
    package static func index(of bound: Int) -> Int? {
        let index = bucket(of: Double(bound))
        return index < bounds.count && bounds[index] == bound ? index : nil
    }

    /// The bounds between which a latency lies, or the two at that end of the ladder beyond which it is, in milliseconds. A bound
    /// lies between itself and the one before it.
    package static func nearestBounds(to milliseconds: Double) -> (below: Int, above: Int) {
        let above = min(max(bucket(of: milliseconds), 1), bounds.count - 1)
        return (bounds[above - 1], bounds[above])
    }

    /// The latencies of a bucket in milliseconds; the last bucket has none above its lower bound that is known.
    static func range(of bucket: Int) -> (lower: Double, upper: Double) {
        let lower = bucket == 0 ? 0 : Double(bounds[bucket - 1])
        return (lower, bucket < bounds.count ? Double(bounds[bucket]) : lower)
    }
}
