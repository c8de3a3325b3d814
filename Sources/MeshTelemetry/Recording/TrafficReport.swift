package import MeshCore
package import MeshStore

/// The count of a sidecar since its last report.
package struct TrafficReport: Hashable, Sendable {
    package struct Destination: Hashable, Sendable {
        /// The host, as clusters are named after it (`Host.unambiguous`).
        package var host: String
        /// `1...65_535`.
        package var port: Int
        package var version: Name?

        package init(host: String, port: Int, version: Name?) {
            self.host = host
            self.port = port
            self.version = version
        }
    }

    package var mesh: TrafficMesh
    package var proxy: NamespacedName
    package var source: TrafficSource
    /// How long it had counted; `nil`: it does not say, and has as long as it is told to.
    package var interval: Duration?
    package var counts: [Destination: TrafficCounts]

    package init(
        mesh: TrafficMesh, proxy: NamespacedName, source: TrafficSource, interval: Duration? = nil,
        counts: [Destination: TrafficCounts]
    ) {
        self.mesh = mesh
        self.proxy = proxy
        self.source = source
        self.interval = interval
        self.counts = counts
    }

    /// How often sidecars are told to report.
    package static let standardInterval = Duration.seconds(10)
    /// How long after its end a slot is known: closed, and written by all who can.
    package static let knownAfter = Duration.seconds(8)
}
