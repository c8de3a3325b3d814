internal import ArgumentParser
internal import Foundation
internal import Logging
internal import MeshStore
internal import Postgres
internal import PostgresServer

/// Settings come from flags, then from environment variables, then from defaults.
enum Environment {
    /// The value of `SLUICE_<NAME>`; an empty one counts as not set.
    static func value(_ name: String) -> String? {
        ProcessInfo.processInfo.environment["SLUICE_\(name)"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// What every subcommand that uses the database can be told.
struct DatabaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "PostgreSQL to use, as a connection URL or string. [SLUICE_DATABASE_URL]",
            discussion: "Without it, a private PostgreSQL is started in the data directory."))
    var databaseUrl: String?

    @Option(help: "Where a private PostgreSQL keeps its data. [SLUICE_DATA_DIR] (default: .sluice)")
    var dataDir: String?

    /// The database that is meant; `nil`: the private one.
    ///
    /// - Throws: ``ConfigurationError``, which does not repeat what was given: it may have a password in it.
    func url() throws -> String? {
        guard let url = databaseUrl ?? Environment.value("DATABASE_URL") else { return nil }
        // libpq takes anything else for the name of a database on this machine, which is then waited for.
        guard url.prefixMatch(of: /postgres(ql)?:\/\/|\s*[a-z_]+\s*=/) != nil else {
            throw ConfigurationError(
                """
                --database-url (SLUICE_DATABASE_URL) must be a URL such as postgresql://ROLE@HOST/DATABASE or a string such \
                as "host=HOST user=ROLE dbname=DATABASE"
                """)
        }
        return url
    }

    /// The absolute path of the data directory, which is created if it is missing.
    ///
    /// - Throws: ``ConfigurationError``.
    func directory() throws -> String {
        let path = URL(fileURLWithPath: dataDir ?? Environment.value("DATA_DIR") ?? ".sluice").standardizedFileURL.path
        do {
            // Others need not see what is in it; root's must be passable for the account that PostgreSQL runs as.
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: geteuid() == 0 ? 0o711 : 0o700])
        } catch {
            throw ConfigurationError("the data directory cannot be created: \(PostgresServerError.sentence(error))")
        }
        return path
    }
}

extension DatabaseOptions {
    /// Commands print what they have to say.
    static let quietLogger: Logger = {
        var logger = Logger(label: "sluice")
        logger.logLevel = .error
        return logger
    }()

    /// Runs `body` with the database that is meant, which is started for it if it is the private one and not running.
    func withPool<T: Sendable>(_ body: (Pool) async throws -> T) async throws -> T {
        let logger = Self.quietLogger
        do {
            if let url = try url() {
                return try await Pool.running(PoolOptions(url), logger: logger, body)
            }
            let directory = try directory()
            let server = try PostgresServer(dataDirectory: directory, logger: logger)
            // `nil`: a server is running whose PostgreSQL this is.
            let lock: DirectoryLock?
            do {
                lock = try DirectoryLock(directory)
            } catch is DirectoryInUse {
                lock = nil
            }
            defer { withExtendedLifetime(lock) {} }
            let wasRunning = lock == nil || server.processID != nil
            if lock == nil { try await server.waitForOwner() } else { try await server.start() }
            let outcome: Result<T, any Error>
            do {
                outcome = .success(
                    try await Pool.running(PoolOptions(server.connectionString), logger: logger, body))
            } catch {
                outcome = .failure(error)
            }
            if !wasRunning { await server.stop() }
            return try outcome.get()
        } catch let error as ConfigurationError {
            throw error
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(PostgresServerError.sentence(error))
        }
    }
}
