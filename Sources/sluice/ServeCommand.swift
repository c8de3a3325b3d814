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
            \(SettingReader.help)

            \(ServerSettings.adminToken.variable): \(ServerSettings.adminToken.help) It has no option, because command lines \
            can be read by others.
            """)

    @OptionGroup var server: SettingOptions<ServerSettings>
    @OptionGroup var database: SettingOptions<DatabaseSettings>

    mutating func run() async throws {
        let settings = try Settings(SettingReader(server.given + database.given))
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, logLevel: settings.logLevel) }
        let metrics = PrometheusFactory(logger: Logger(label: "sluice"))
        MetricsSystem.bootstrap(metrics)
        try await Program(settings, metrics: metrics).run()
    }
}
