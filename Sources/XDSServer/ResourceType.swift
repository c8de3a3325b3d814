/// The kinds of resources that are served, in the order in which they are pushed: what is referred to before what refers
/// to it ("Eventual consistency considerations", xDS protocol).
package enum ResourceType: Int, CaseIterable, Sendable {
    case cluster, endpoint, listener, route

    package var typeURL: String {
        switch self {
        case .cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        case .endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
        case .listener: "type.googleapis.com/envoy.config.listener.v3.Listener"
        case .route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        }
    }

    /// - Returns: `nil` for types that are not served.
    package init?(typeURL: String) {
        guard let type = Self.allCases.first(where: { $0.typeURL == typeURL }) else { return nil }
        self = type
    }

    /// What `GET …/proxies` and metrics call it: `CDS`, `EDS`, `LDS`, `RDS`.
    package var abbreviation: String {
        switch self {
        case .cluster: "CDS"
        case .endpoint: "EDS"
        case .listener: "LDS"
        case .route: "RDS"
        }
    }

    /// Whether a state-of-the-world response is the whole truth, so that what it leaves out is deleted, and whether a first
    /// request without names means everything. So for listeners and clusters only.
    var isFullState: Bool { self == .listener || self == .cluster }

    /// Whether updates wait until clusters and endpoints are acknowledged (make before break), and clusters and endpoints
    /// are only removed when this type is acknowledged.
    var refersToClusters: Bool { self == .listener || self == .route }
}
