internal import Documents
internal import Egress
internal import Logging
internal import MeshModel

/// The settings of `sluice serve` besides those of the database.
enum ServerSettings: SettingList {
    static let all: [any DeclaredSetting] =
        [http, xds, xdsAdvertise] + tls + [
            corsOrigins, proxyRetention, listenerTTL, watchHeartbeat, loadReportInterval, egressAllow, logLevel,
            adminToken,
        ]

    static let http = Setting(
        "http", "Where the REST API listens.", default: "127.0.0.1:8080", must: ListenAddress.rule,
        ListenAddress.init(text:))

    static let xds = Setting(
        "xds", "Where the xDS server listens.", default: "127.0.0.1:15010", must: ListenAddress.rule,
        ListenAddress.init(text:))

    static let xdsAdvertise = Setting<ListenAddress?>(
        "xds-advertise", "The address that bootstraps tell proxies to connect to.", otherwise: "the one of --xds",
        must: ListenAddress.rule, ListenAddress.init(text:))

    static let corsOrigins = Setting<[String]?>(
        "cors-origins", "Origins that browsers may call the API from, separated by commas.",
        must: "be origins, separated by commas"
    ) { $0.split { $0 == "," || $0 == " " }.map(String.init) }

    /// Less than a minute would forget the proxies of a replica that is only slow.
    static let proxyRetention = Setting.duration(
        "proxy-retention", "How long proxies that are not connected are listed, for example 30m.",
        default: "1h", atLeast: .seconds(60))

    static let listenerTTL = Setting.duration(
        "listener-ttl",
        """
        How long a sidecar that hears from no server goes on, for example 5m; then it drops its listeners, so that nothing \
        goes by configuration that nobody can take back any more. It should be longer than a restart takes. Without it a \
        sidecar goes on for ever.
        """, atLeast: .seconds(3))

    static let watchHeartbeat = Setting.duration(
        "watch-heartbeat",
        "How often event streams that have nothing to tell say so, for example 30s.",
        default: "15s", atLeast: .seconds(1))

    /// gRPC's client takes less than a second for one.
    static let loadReportInterval = Setting.duration(
        "load-report-interval",
        """
        How often proxies whose bootstrap is an earlier server's report what they send where, for example 10s. Without it they do \
        not. Others report every 10s in any case.
        """,
        atLeast: .seconds(1))

    static let egressAllow = Setting<[CIDR]?>(
        "egress-allow",
        """
        Networks that may be called although they are private or the machine's own, and without TLS, such as 10.0.0.0/8, separated by \
        commas: by metric providers that users name.
        """,
        must: "be networks such as 10.0.0.0/8 or fd00::/8, separated by commas"
    ) { text in
        let parts = text.split { $0 == "," || $0 == " " }
        let networks = parts.compactMap { CIDR(String($0)) }
        return networks.count == parts.count ? .some(networks) : nil
    }

    static let logLevel = Setting(
        "log-level", "trace, debug, info, notice, warning, error or critical.", default: "info",
        must: "be one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))",
        Logger.Level.init(rawValue:))

    static let adminToken = Setting<String?>(
        "admin-token", "The bearer token of the platform administrator, who can do everything.", isSecret: true,
        hasOption: false,
        must: """
            have \(Limits.adminTokenLength.value) bytes at least (limit \(Limits.adminTokenLength.name)), for example of \
            `openssl rand -hex 24`
            """
    ) { $0.utf8.count >= Limits.adminTokenLength.value ? $0 : nil }
}

extension Setting {
    /// - Parameter minimum: shorter ones are refused; the help says so.
    fileprivate static func duration(
        _ name: String, _ help: String, default defaultText: String, atLeast minimum: Duration
    ) -> Self where Value == Duration {
        Setting(
            name, "\(help) At least \(minimum.text).", default: defaultText, must: Duration.rule(minimum)
        ) { Duration(text: $0, atLeast: minimum) }
    }

    fileprivate static func duration(
        _ name: String, _ help: String, atLeast minimum: Duration
    ) -> Self where Value == Duration? {
        Setting(name, "\(help) At least \(minimum.text).", must: Duration.rule(minimum)) {
            Duration(text: $0, atLeast: minimum)
        }
    }
}

extension Duration {
    fileprivate static func rule(_ minimum: Duration) -> String { "be a duration of \(minimum.text) at least" }

    fileprivate init?(text: String, atLeast minimum: Duration) {
        guard let duration = Duration(text: text), duration >= minimum else { return nil }
        self = duration
    }
}
