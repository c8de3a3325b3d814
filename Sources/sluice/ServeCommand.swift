internal import ArgumentParser
internal import CoreMetrics
internal import Logging
internal import Prometheus

/// `sluice serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the REST API and xDS.",
        discussion: """
            Every option has an environment variable, named in brackets; the option wins. CONFIG_ACCESS_LOG_FILE names a file \
            that is told which setting was read from where; secrets are left out.

            \(ServerSettings.adminToken.variable): \(ServerSettings.adminToken.help) It has no option, because command lines \
            can be read by others.
            """)

    @OptionGroup var server: SettingOptions<ServerSettings>
    @OptionGroup var database: SettingOptions<DatabaseSettings>

    mutating func run() async throws {
        let settings = try Settings(SettingReader(server.said + database.said))
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, logLevel: settings.logLevel) }
        let metrics = PrometheusFactory(logger: Logger(label: "sluice"))
        MetricsSystem.bootstrap(metrics)
        try await Program(settings, metrics: metrics).run()
    }
}
