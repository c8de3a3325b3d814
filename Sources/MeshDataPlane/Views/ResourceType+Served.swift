internal import EnvoyConfig
internal import XDSServer

extension EnvoyConfig.ResourceType {
    var served: XDSServer.ResourceType {
        switch self {
        case .cluster: .cluster
        case .endpoints: .endpoint
        case .listener: .listener
        case .routes: .route
        }
    }
}

extension XDSServer.ResourceType {
    /// `nil`: nothing of this type is compiled.
    var encoded: EnvoyConfig.ResourceType? {
        switch self {
        case .cluster: .cluster
        case .endpoint: .endpoints
        case .listener: .listener
        case .route: .routes
        case .scopedRoute, .virtualHost, .extensionConfig, .secret, .runtime: nil
        }
    }
}
