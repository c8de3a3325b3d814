internal import MeshCore
internal import Synchronization

/// Counts requests and their durations by route, and prints them in Prometheus' text format.
///
/// Source: "Exposition formats", https://prometheus.io/docs/instrumenting/exposition_formats/. The route is the template,
/// never the path, so the number of series is bounded by the table of routes.
package final class HTTPMetrics: Sendable {
    private struct Series: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    private struct Durations {
        var buckets = [UInt64](repeating: 0, count: HTTPMetrics.bounds.count)
        var count: UInt64 = 0
        var microseconds: UInt64 = 0
    }

    private struct State {
        var requests: [Series: UInt64] = [:]
        var durations: [String: Durations] = [:]
    }

    /// Upper bounds of the duration buckets in microseconds, with their labels in seconds.
    private static let bounds: [(microseconds: Int64, label: String)] = [
        (1_000, "0.001"), (2_500, "0.0025"), (5_000, "0.005"), (10_000, "0.01"), (25_000, "0.025"), (50_000, "0.05"),
        (100_000, "0.1"), (250_000, "0.25"), (500_000, "0.5"), (1_000_000, "1"), (5_000_000, "5"), (30_000_000, "30"),
    ]

    private let state = Mutex(State())
    /// Methods that get their own label; clients may invent any other.
    private static let methods: Set<String> = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]

    package init() {}

    /// Counts one answered request.
    ///
    /// - Parameter route: the route's template, or `unknown`.
    package func record(method: String, route: String, status: Int, elapsed: Duration) {
        let series = Series(method: Self.methods.contains(method) ? method : "other", route: route, status: status)
        let microseconds = max(0, elapsed.microseconds)
        state.withLock { state in
            state.requests[series, default: 0] += 1
            var durations = state.durations[route] ?? Durations()
            if let bucket = Self.bounds.firstIndex(where: { microseconds <= $0.microseconds }) {
                durations.buckets[bucket] += 1
            }
            durations.count += 1
            durations.microseconds += UInt64(microseconds)
            state.durations[route] = durations
        }
    }

    /// All series, sorted.
    package func text() -> String {
        let state = state.withLock { $0 }
        var lines = [
            "# HELP sluice_http_requests_total Answered requests of the REST API.",
            "# TYPE sluice_http_requests_total counter",
        ]
        lines += state.requests.map { series, count in
            "sluice_http_requests_total{method=\"\(series.method)\",route=\"\(series.route)\",status=\"\(series.status)\"} \(count)"
        }.sorted()
        lines += [
            "# HELP sluice_http_request_duration_seconds Time from the request's header to the answer.",
            "# TYPE sluice_http_request_duration_seconds histogram",
        ]
        for (route, durations) in state.durations.sorted(by: { $0.key < $1.key }) {
            lines += Self.lines(of: durations, route: route)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of durations: Durations, route: String) -> [String] {
        let name = "sluice_http_request_duration_seconds"
        var lines: [String] = []
        var cumulated: UInt64 = 0
        for (bound, count) in zip(bounds, durations.buckets) {
            cumulated += count
            lines.append("\(name)_bucket{route=\"\(route)\",le=\"\(bound.label)\"} \(cumulated)")
        }
        lines.append("\(name)_bucket{route=\"\(route)\",le=\"+Inf\"} \(durations.count)")
        lines.append("\(name)_sum{route=\"\(route)\"} \(Double(durations.microseconds) / 1e6)")
        lines.append("\(name)_count{route=\"\(route)\"} \(durations.count)")
        return lines
    }
}
