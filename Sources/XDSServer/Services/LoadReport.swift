/// The requests that a client says it has sent to clusters since its last report.
package struct LoadReport: Hashable, Sendable {
    /// The client; see ``Admission/proxy``.
    package var proxy: String
    package var view: ViewID
    /// The owner of the clusters (``Snapshot/owner``).
    package var owner: String?
    /// Clusters of the client's view only, by name. Empty: the client is there, and has sent nothing.
    package var clusters: [String: ClusterLoad]

    package init(proxy: String, view: ViewID, owner: String? = nil, clusters: [String: ClusterLoad]) {
        self.proxy = proxy
        self.view = view
        self.owner = owner
        self.clusters = clusters
    }
}

/// How requests to a cluster have ended (`envoy.config.endpoint.v3.ClusterStats`).
package struct ClusterLoad: Hashable, Sendable {
    /// Requests that were answered, other than with an error: of HTTP, not with 5xx.
    package var succeeded: UInt64 = 0
    /// Requests that were answered with an error, or not at all.
    package var failed: UInt64 = 0
    /// Requests that the client dropped before it chose an endpoint.
    package var dropped: UInt64 = 0

    package init(succeeded: UInt64 = 0, failed: UInt64 = 0, dropped: UInt64 = 0) {
        self.succeeded = succeeded
        self.failed = failed
        self.dropped = dropped
    }

    /// Adds another's requests. What would overflow stays at the greatest number: clients may say what they like.
    package mutating func add(_ other: ClusterLoad) {
        succeeded = Self.sum(succeeded, other.succeeded)
        failed = Self.sum(failed, other.failed)
        dropped = Self.sum(dropped, other.dropped)
    }

    package var isEmpty: Bool { self == ClusterLoad() }

    private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let (sum, isOver) = a.addingReportingOverflow(b)
        return isOver ? .max : sum
    }
}

/// Hears what clients report.
package protocol LoadReportDelegate: Sendable {
    /// Called on an event loop: must be quick and must not block.
    func record(_ report: LoadReport)
}
