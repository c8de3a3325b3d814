internal import EnvoyConfig
internal import XDSServer

extension ConfigType {
    var xdsType: ResourceType {
        switch self {
        case .cluster: .cluster
        case .endpoints: .endpoint
        case .listener: .listener
        case .routes: .route
        }
    }
}

extension ResourceType {
    /// `nil`: nothing of this type is compiled.
    var configType: ConfigType? {
        switch self {
        case .cluster: .cluster
        case .endpoint: .endpoints
        case .listener: .listener
        case .route: .routes
        case .scopedRoute, .virtualHost, .extensionConfig, .secret, .runtime: nil
        }
    }
}
