internal import ArgumentParser
internal import Documents
internal import Foundation
internal import GRPCServer
internal import Logging
internal import MeshModel

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the REST API and xDS.",
        discussion: """
            Every option has an environment variable, named in brackets; the option wins.

            SLUICE_ADMIN_TOKEN is the bearer token of the platform administrator, who can do everything. It has no option, \
            because command lines can be read by others.
            """)

    @Option(help: "Where the REST API listens. [SLUICE_HTTP] (default: 127.0.0.1:8080)")
    var http: String?

    @Option(help: "Where the xDS server listens. [SLUICE_XDS] (default: 127.0.0.1:15010)")
    var xds: String?

    @Option(
        help: """
            The address that bootstraps tell proxies to connect to. [SLUICE_XDS_ADVERTISE] (default: the one of --xds)
            """)
    var xdsAdvertise: String?

    @Option(help: "PEM file with the certificate chain of the xDS server; with it, xDS is TLS. [SLUICE_XDS_TLS_CERT]")
    var xdsTlsCert: String?

    @Option(help: "PEM file with the private key of the xDS server. [SLUICE_XDS_TLS_KEY]")
    var xdsTlsKey: String?

    @Option(
        help: """
            PEM file with the authority that proxies trust to have signed the xDS server's certificate, for their \
            bootstraps. [SLUICE_XDS_TLS_CA] (default: the file of --xds-tls-cert, right for a self-signed one)
            """)
    var xdsTlsCa: String?

    @Option(
        help: """
            PEM file with authorities: only proxies with a certificate that one of them signed may connect. It does not \
            replace their tokens. [SLUICE_XDS_TLS_CLIENT_CA]
            """)
    var xdsTlsClientCa: String?

    @Option(
        help: """
            Where proxies' machines have their certificate for --xds-tls-client-ca, for bootstraps. \
            [SLUICE_XDS_TLS_CLIENT_CERT]
            """)
    var xdsTlsClientCert: String?

    @Option(help: "Where they have the key of that certificate, for bootstraps. [SLUICE_XDS_TLS_CLIENT_KEY]")
    var xdsTlsClientKey: String?

    @Option(help: "Origins that browsers may call the API from, separated by commas. [SLUICE_CORS_ORIGINS]")
    var corsOrigins: String?

    @Option(
        help: """
            How long proxies that are not connected are listed, for example 30m; a minute at least. \
            [SLUICE_PROXY_RETENTION] (default: 1h)
            """)
    var proxyRetention: String?

    @Option(
        help: """
            How long a sidecar that hears from no server goes on, for example 5m; then it drops its listeners, so that \
            nothing goes by configuration that nobody can take back any more. 3s at least, and longer than a restart takes. \
            Without it a sidecar goes on for ever. [SLUICE_LISTENER_TTL]
            """)
    var listenerTtl: String?

    @Option(
        help: """
            How often event streams that have nothing to tell say so, for example 30s; a second at least. \
            [SLUICE_WATCH_HEARTBEAT] (default: 15s)
            """)
    var watchHeartbeat: String?

    @Option(
        help: """
            How often proxies report what they send where, for example 10s; a second at least. Without it they do not. \
            [SLUICE_LOAD_REPORT_INTERVAL]
            """)
    var loadReportInterval: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical. [SLUICE_LOG_LEVEL] (default: info)")
    var logLevel: String?

    @OptionGroup var database: DatabaseOptions

    mutating func run() async throws {
        let settings = try settings()
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, logLevel: settings.logLevel) }
        try await Program(settings).run()
    }

    private func settings() throws -> Settings {
        let http = try ListenAddress(http ?? Environment.value("HTTP") ?? "127.0.0.1:8080", setting: "--http")
        let xds = try ListenAddress(xds ?? Environment.value("XDS") ?? "127.0.0.1:15010", setting: "--xds")
        let advertised = try (xdsAdvertise ?? Environment.value("XDS_ADVERTISE"))
            .map { try ListenAddress($0, setting: "--xds-advertise") }
        return Settings(
            http: http, xds: xds, xdsAdvertised: advertised ?? xds, xdsTLS: try tls(),
            adminToken: try Self.adminToken(), databaseURL: try database.url(),
            dataDirectory: try database.directory(),
            origins: (corsOrigins ?? Environment.value("CORS_ORIGINS"))?.split(separator: ",").map(String.init) ?? [],
            // Less would forget the proxies of a replica that is only slow.
            proxyRetention: try Self.duration(
                proxyRetention ?? Environment.value("PROXY_RETENTION"), of: "--proxy-retention", atLeast: .seconds(60))
                ?? .seconds(3_600),
            listenerTTL: try Self.duration(
                listenerTtl ?? Environment.value("LISTENER_TTL"), of: "--listener-ttl", atLeast: .seconds(3)),
            watchHeartbeat: try Self.duration(
                watchHeartbeat ?? Environment.value("WATCH_HEARTBEAT"), of: "--watch-heartbeat", atLeast: .seconds(1))
                ?? .seconds(15),
            // gRPC's client takes less for a second.
            loadReportInterval: try Self.duration(
                loadReportInterval ?? Environment.value("LOAD_REPORT_INTERVAL"), of: "--load-report-interval",
                atLeast: .seconds(1)),
            logLevel: try level())
    }

    /// - Throws: ``ConfigurationError`` if it is so short that it can be guessed.
    private static func adminToken() throws -> String? {
        guard let token = Environment.value("ADMIN_TOKEN") else { return nil }
        let limit = Limits.adminTokenLength
        guard token.utf8.count >= limit.value else {
            throw ConfigurationError(
                "SLUICE_ADMIN_TOKEN must have \(limit.value) bytes at least (limit \(limit.name)), for example of "
                    + "`openssl rand -hex 24`")
        }
        return token
    }

    /// - Throws: ``ConfigurationError`` naming the setting, if `text` is no duration of at least `minimum`.
    private static func duration(_ text: String?, of setting: String, atLeast minimum: Duration) throws -> Duration? {
        guard let text else { return nil }
        guard let duration = Duration(text: text), duration >= minimum else {
            throw ConfigurationError("\(setting) must be a duration of \(minimum.text) at least, not \"\(text)\"")
        }
        return duration
    }

    private func tls() throws -> Settings.TLS? {
        let certificate = xdsTlsCert ?? Environment.value("XDS_TLS_CERT")
        let key = xdsTlsKey ?? Environment.value("XDS_TLS_KEY")
        let clientAuthorities = xdsTlsClientCa ?? Environment.value("XDS_TLS_CLIENT_CA")
        guard certificate != nil || key != nil else {
            guard clientAuthorities == nil else {
                throw ConfigurationError("--xds-tls-client-ca needs --xds-tls-cert and --xds-tls-key")
            }
            return nil
        }
        guard let certificate, let key else {
            throw ConfigurationError("--xds-tls-cert and --xds-tls-key go together")
        }
        let authority = xdsTlsCa ?? Environment.value("XDS_TLS_CA") ?? certificate
        for file in [certificate, key, clientAuthorities ?? certificate]
        where !FileManager.default.isReadableFile(atPath: file) {
            throw ConfigurationError("cannot read \(file)")
        }
        guard let trusted = try? String(contentsOfFile: authority, encoding: .utf8), trusted.contains("CERTIFICATE")
        else { throw ConfigurationError("\(authority) has no certificate in PEM") }
        return Settings.TLS(
            files: .init(certificateChain: certificate, privateKey: key, clientAuthorities: clientAuthorities),
            trustedCertificates: trusted, clientCertificate: try clientCertificate())
    }

    private func clientCertificate() throws -> (chainFile: String, keyFile: String)? {
        let chain = xdsTlsClientCert ?? Environment.value("XDS_TLS_CLIENT_CERT")
        let key = xdsTlsClientKey ?? Environment.value("XDS_TLS_CLIENT_KEY")
        if let chain, let key { return (chain, key) }
        guard chain == nil, key == nil else {
            throw ConfigurationError("--xds-tls-client-cert and --xds-tls-client-key go together")
        }
        return nil
    }

    private func level() throws -> Logger.Level {
        let text = logLevel ?? Environment.value("LOG_LEVEL") ?? "info"
        guard let level = Logger.Level(rawValue: text) else {
            throw ConfigurationError(
                "--log-level must be one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }
}

/// What `sluice serve` was told, checked.
struct Settings: Sendable {
    struct TLS: Sendable {
        var files: TLSFiles.Paths
        /// PEM, for bootstraps.
        var trustedCertificates: String
        /// Where proxies have theirs, for bootstraps.
        var clientCertificate: (chainFile: String, keyFile: String)?
    }

    var http: ListenAddress
    var xds: ListenAddress
    var xdsAdvertised: ListenAddress
    /// `nil`: xDS is plaintext.
    var xdsTLS: TLS?
    /// `nil`: nobody is platform administrator; API keys still work.
    var adminToken: String?
    /// `nil`: a private PostgreSQL in the data directory.
    var databaseURL: String?
    var dataDirectory: String
    var origins: [String]
    /// How long proxies are remembered that are away; a minute at least.
    var proxyRetention: Duration
    /// How long a sidecar that hears from no server goes on with its listeners, three seconds at least; `nil`: for ever.
    var listenerTTL: Duration?
    /// How often an event stream says that it is still there; a second at least.
    var watchHeartbeat: Duration
    /// How often proxies report their load; `nil`: they do not.
    var loadReportInterval: Duration?
    var logLevel: Logger.Level
}
