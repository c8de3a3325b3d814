internal import Egress
internal import Logging

/// The settings of `sluice serve`, checked.
struct Settings: Sendable {
    var http: ListenAddress
    var xds: ListenAddress
    var xdsAdvertised: ListenAddress
    /// `nil`: xDS is plaintext.
    var xdsTLS: TLS?
    /// `nil`: nobody is platform administrator; API keys still work.
    var adminToken: String?
    var database: DatabaseLocation
    var origins: [String]
    /// How long proxies are remembered that are away.
    var proxyRetention: Duration
    /// How long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    var listenerTTL: Duration?
    /// How often an event stream says that it is still there.
    var watchHeartbeat: Duration
    /// How often proxies report their load; `nil`: they do not.
    var loadReportInterval: Duration?
    var egressAllow: [CIDR]
    var logLevel: Logger.Level

    /// - Throws: ``ConfigurationError`` naming the setting that cannot be used.
    init(_ reader: SettingReader) throws(ConfigurationError) {
        http = try reader.value(of: ServerSettings.http)
        xds = try reader.value(of: ServerSettings.xds)
        xdsAdvertised = try reader.value(of: ServerSettings.xdsAdvertise) ?? xds
        xdsTLS = try TLS(reader)
        adminToken = try reader.value(of: ServerSettings.adminToken)
        database = try DatabaseLocation(reader)
        origins = try reader.value(of: ServerSettings.corsOrigins) ?? []
        proxyRetention = try reader.value(of: ServerSettings.proxyRetention)
        listenerTTL = try reader.value(of: ServerSettings.listenerTTL)
        watchHeartbeat = try reader.value(of: ServerSettings.watchHeartbeat)
        egressAllow = try reader.value(of: ServerSettings.egressAllow) ?? []
        loadReportInterval = try reader.value(of: ServerSettings.loadReportInterval)
        logLevel = try reader.value(of: ServerSettings.logLevel)
    }
}
