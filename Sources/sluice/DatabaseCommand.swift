internal import ArgumentParser
internal import Logging
internal import Postgres

/// A command that does one thing to the database, and prints what it has to say.
protocol DatabaseCommand: AsyncParsableCommand {
    var database: SettingOptions<DatabaseSettings> { get }
}

extension DatabaseCommand {
    /// Only errors: commands print what they have to say.
    static var logger: Logger {
        var logger = Logger(label: "sluice")
        logger.logLevel = .error
        return logger
    }

    /// Runs `body` with the database that is meant.
    ///
    /// - Throws: ``ConfigurationError``, ``Failure``.
    func withPool<T: Sendable>(_ body: (Pool) async throws -> T) async throws -> T {
        try await DatabaseLocation(SettingReader(database.given)).withPool(Self.logger, body)
    }
}
