/// The statistics of a client about the clusters that it sends to, since its last report.
package struct StatsReport: Sendable {
    /// The call's, as its metadata proved it.
    package var identity: CallIdentity
    /// By the cluster's name, as the client wrote it: nobody has compared it with what the client was sent. At most
    /// ``maxClusters``. Empty: the client is there, and has sent nothing.
    package var clusters: [String: ClusterStats]
    /// How long the client says that it had counted, in 0…1 h by its own clock; `nil`: it does not say.
    package var interval: Duration?

    /// Clusters of a report; the rest of a larger one is left out.
    package static let maxClusters = 20_000

    package init(identity: CallIdentity, clusters: [String: ClusterStats] = [:], interval: Duration? = nil) {
        self.identity = identity
        self.clusters = clusters
        self.interval = interval
    }
}

/// The requests that a client sent to a cluster, by Envoy's statistics of clusters ("Cluster Manager: Statistics").
package struct ClusterStats: Hashable, Sendable {
    /// By status code of HTTP, the answers that callers got (`upstream_rq_<code>`), 503 and 504 included where nothing answered.
    package var answers: [Int: UInt64] = [:]
    /// By status code, the answers after which the client tried again (`retry.upstream_rq_<code>`).
    package var retried: [Int: UInt64] = [:]
    /// By status of gRPC, the answers to calls (`grpc.<status>`); each of them is one of ``answers`` too.
    package var calls: [Int: UInt64] = [:]
    /// How long answers took (`upstream_rq_time`).
    package var times: Histogram?
    /// Bytes that came from the cluster's endpoints (`upstream_cx_rx_bytes_total`), and that went there.
    package var receivedBytes: UInt64 = 0
    package var sentBytes: UInt64 = 0

    /// A histogram as the client counted it. What it says is checked as far as that there are as many counts as it takes.
    package struct Histogram: Hashable, Sendable {
        /// The buckets' upper bounds in milliseconds, rising; the last bucket has none.
        package var bounds: [Double]
        /// One more than bounds.
        package var counts: [UInt64]
        /// The sum of all values, in milliseconds. Envoy computes it from its own finer buckets, whose values it knows to two digits.
        package var sum: Double

        package init(bounds: [Double], counts: [UInt64], sum: Double) {
            self.bounds = bounds
            self.counts = counts
            self.sum = sum
        }
    }

    package init() {}
}

/// Hears the statistics of clients.
package protocol StatsDelegate: Sendable {
    /// Takes a client's statistics in the form in which they came (``StatsReport/init(_:identity:)``).
    ///
    /// Called on an event loop: must be quick and must not block.
    ///
    /// - Parameters:
    ///   - done: to be called once, from anywhere, with the status that the call ends with.
    func record(_ message: [UInt8], of identity: CallIdentity, done: @escaping @Sendable (StatsStatus) -> Void)
}

/// The fate of a message of statistics.
package enum StatsStatus: Hashable, Sendable {
    case taken
    /// Nothing in it can be read; a sentence why.
    case unreadable(String)
    /// There is too much to do; a sentence that names the limit.
    case full(String)
}
