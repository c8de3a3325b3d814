package import Documents

/// A figure that the server has of every version, from what sidecars report.
package enum BuiltinMetric: String, CaseIterable, Sendable {
    /// The share of requests whose final answer, after all tries, was no error: the callers' view.
    case requestSuccessRate = "request-success-rate"
    /// The share of tries that were answered without error: the version's view.
    case attemptSuccessRate = "attempt-success-rate"
    /// Latencies in milliseconds, quantiles within their bucket of ``LatencyLadder``.
    case medianDuration = "request-duration-p50"
    case p95Duration = "request-duration-p95"
    case p99Duration = "request-duration-p99"
    /// The mean latency in milliseconds, exact.
    case meanDuration = "request-duration-mean"
    /// The share of requests that took longer than a bound of ``LatencyLadder``, exact.
    case slowRequestRatio = "slow-request-ratio"
    /// Requests a second.
    case requestRate = "request-rate"

    /// Whether it is a share of requests, `0...1`.
    package var isRatio: Bool {
        switch self {
        case .requestSuccessRate, .attemptSuccessRate, .slowRequestRatio: true
        default: false
        }
    }

    /// The share of the requests that a duration metric is the quantile of; `nil` of all others.
    package var quantile: Double? {
        switch self {
        case .medianDuration: 0.5
        case .p95Duration: 0.95
        case .p99Duration: 0.99
        default: nil
        }
    }

    /// The time that one measuring point covers, whose multiples intervals are.
    package static let slot = Duration.seconds(10)
}

/// A builtin metric with the bound that it may need: `{"builtin": "slow-request-ratio", "over": "250ms"}`.
package struct BuiltinSeries: Document {
    package var metric: BuiltinMetric
    /// A bound of ``LatencyLadder``; only of ``BuiltinMetric/slowRequestRatio``, which has one.
    package var over: Duration?

    package init(_ metric: BuiltinMetric, over: Duration? = nil) {
        self.metric = metric
        self.over = over
    }

    package init() { self.init(.requestRate) }

    package static let fields: [Field<Self>] = [
        .required("builtin", \.metric, .choice, "The figure."),
        .optional("over", \.over, .ladderBound, overDescription),
    ]
    package static let schemaName: String? = nil

    static let overDescription = "slow-request-ratio: what is slow; one of the bounds by which latencies are counted."

    package func finish(_ reading: Members) { checkBound(reading, isRead: reading.isRead("builtin")) }

    /// Reports a bound that is missing, or that means nothing.
    func checkBound(_ reading: Members, isRead: Bool) {
        guard isRead else { return }
        if metric == .slowRequestRatio && !reading.has("over") {
            reading.report("over", .required, "is required by slow-request-ratio, such as \"250ms\"")
        }
        if metric != .slowRequestRatio && reading.isRead("over") {
            reading.report("over", .conflict, "means something to slow-request-ratio only")
        }
    }
}

extension Shape where Value == Duration {
    /// A bound of ``LatencyLadder``.
    static var ladderBound: Shape {
        duration(.milliseconds(1)...(.seconds(63))).checked { bound, place, log in
            let milliseconds = bound.milliseconds
            let isWhole = Duration.milliseconds(milliseconds) == bound
            guard !isWhole || LatencyLadder.index(of: Int(milliseconds)) == nil else { return }
            let nearest = LatencyLadder.nearestBounds(to: Double(milliseconds) + (isWhole ? 0 : 0.5))
            let choices = [nearest.below, nearest.above].map { Duration.milliseconds($0).text }
            log.report(
                place.pointer, .invalidValue,
                "must be a bound by which latencies are counted; the nearest are \(choices[0]) and \(choices[1])",
                choices: choices)
        }
    }
}
