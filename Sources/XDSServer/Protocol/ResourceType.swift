/// The kinds of resources that are served, in the order in which they are pushed.
///
/// Clusters, endpoints, listeners, routes and virtual hosts are in the order of "Eventual consistency considerations" (xDS
/// protocol); a scope names a route configuration as a listener does, so scopes come between those two. The text is silent
/// about the last three. Whoever names an extension's configuration or a secret is not used before it has it (a listener and
/// a cluster warm), so they may come after it; and they must not wait for its acknowledgement, which comes when it is warm.
package enum ResourceType: Int, CaseIterable, Sendable {
    case cluster, endpoint, listener, scopedRoute, route, virtualHost, extensionConfig, secret, runtime

    package var typeURL: String {
        switch self {
        case .cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        case .endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
        case .listener: "type.googleapis.com/envoy.config.listener.v3.Listener"
        case .scopedRoute: "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration"
        case .route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
        case .virtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost"
        case .extensionConfig: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
        case .secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
        case .runtime: "type.googleapis.com/envoy.service.runtime.v3.Runtime"
        }
    }

    /// - Returns: `nil` for types that are not served.
    package init?(typeURL: String) {
        guard let type = Self.allCases.first(where: { $0.typeURL == typeURL }) else { return nil }
        self = type
    }

    /// The type's name in `GET …/proxies` and in metrics: `CDS`, `EDS`, `LDS`, `RDS` and so on.
    package var abbreviation: String {
        switch self {
        case .cluster: "CDS"
        case .endpoint: "EDS"
        case .listener: "LDS"
        case .scopedRoute: "SRDS"
        case .route: "RDS"
        case .virtualHost: "VHDS"
        case .extensionConfig: "ECDS"
        case .secret: "SDS"
        case .runtime: "RTDS"
        }
    }

    /// Whether a state-of-the-world response is the whole truth, so that what it leaves out is deleted, and whether a first
    /// request without names means everything. The text says so of listeners and clusters. Envoy does the same with scopes:
    /// it asks for them without a name and deletes those that a response leaves out (`ScopedRdsConfigSubscription`).
    var isFullState: Bool { self == .listener || self == .cluster || self == .scopedRoute }

    /// The types whose updates wait until clusters and endpoints are acknowledged (make before break), and that are acknowledged
    /// before clusters and endpoints are removed. A scope may have its routes in itself, an extension may call a cluster.
    static let referringToClusters: [ResourceType] = [.listener, .scopedRoute, .route, .virtualHost, .extensionConfig]

    /// Whether what is gone is removed when nothing refers to it any more: secrets like clusters and endpoints.
    var isRemovedLast: Bool { Self.removedLast.contains(self) }
    static let removedLast: [ResourceType] = [.cluster, .endpoint, .secret]

    /// The types of which a client is told at once and always the newest, since what refers to them waits for them.
    static let independent: [ResourceType] = [.secret, .runtime]

    /// Whether a client forgets these by itself when nothing names them any more, and must not be told: to an Envoy that has
    /// a listener in use the removal of an extension's configuration means to refuse requests, also while the listener only
    /// drains (envoy issue 32823).
    var isNeverRemoved: Bool { self == .extensionConfig }

    /// Virtual hosts are asked for when a request needs them, one by one, so only in delta.
    func isServed(in variant: Variant) -> Bool { self != .virtualHost || variant == .delta }
}
