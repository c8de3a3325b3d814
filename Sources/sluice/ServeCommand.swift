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
    @OptionGroup var sealing: SettingOptions<SealingSettings>

    mutating func run() async throws {
        let reader = SettingReader(server.given + database.given + sealing.given)
        let settings = try Settings(reader)
        LoggingSystem.bootstrap { JSONLogHandler(label: $0, logLevel: settings.logLevel) }
        let metrics = PrometheusFactory(logger: Logger(label: "sluice"))
        MetricsSystem.bootstrap(metrics)
        let keys = try KeyFile.keys(reader, for: settings.database)
        try await Program(settings, sealing: keys, metrics: metrics).run()
    }
}
