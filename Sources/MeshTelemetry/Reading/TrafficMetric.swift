internal import Analysis

/// A number that can be asked for of some requests.
package enum TrafficMetric: String, CaseIterable, Sendable {
    /// How many there were.
    case requests
    /// The share that failed for their callers, `0...1`.
    case errorRatio
    /// Milliseconds that so many of a hundred answers took at most.
    case p50, p95, p99
    /// Milliseconds that an answer took on average.
    case mean
    /// Bytes, both ways.
    case bytes

    /// - Returns: `nil` if there were no requests that could tell.
    package func value(of counts: TrafficCounts) -> Double? {
        switch self {
        case .requests: Double(counts.requests)
        case .errorRatio: counts.requests == 0 ? nil : min(1, Double(counts.errors) / Double(counts.requests))
        case .p50: counts.latency.quantile(0.5)
        case .p95: counts.latency.quantile(0.95)
        case .p99: counts.latency.quantile(0.99)
        case .mean: counts.latency.mean
        case .bytes: Double(counts.receivedBytes) + Double(counts.sentBytes)
        }
    }
}
