internal import Foundation
internal import Logging
internal import MeshStore
internal import Postgres
internal import PostgresServer

/// The database that is meant.
enum DatabaseLocation: Sendable, Equatable {
    /// One that others look after, as a connection URL or string.
    case url(String)
    /// A private PostgreSQL in this directory.
    case directory(String)

    /// - Throws: ``ConfigurationError``.
    init(_ reader: SettingReader) throws(ConfigurationError) {
        let directory = try reader.value(of: DatabaseSettings.dataDirectory)
        let url = try reader.value(of: DatabaseSettings.url)
        self = url.map(Self.url) ?? .directory(URL(fileURLWithPath: directory).standardizedFileURL.path)
    }
}

extension DatabaseLocation {
    /// Makes a data directory if it is missing.
    ///
    /// - Throws: ``ConfigurationError`` naming its setting.
    static func makeDirectory(_ path: String) throws(ConfigurationError) {
        do {
            // Others need not see what is in it; root's must be passable for the account that PostgreSQL runs as.
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: geteuid() == 0 ? 0o711 : 0o700])
        } catch {
            throw ConfigurationError(
                "\(DatabaseSettings.dataDirectory): cannot make \(path): \(PostgresServerError.sentence(error))")
        }
    }
}

extension DatabaseLocation {
    /// Runs `body` with the database, which is started for it if it is the private one and not running.
    ///
    /// - Throws: ``Failure``, ``ConfigurationError``.
    func withPool<T: Sendable>(_ logger: Logger, _ body: (Pool) async throws -> T) async throws -> T {
        do {
            switch self {
            case .url(let url): return try await Pool.running(PoolOptions(url), logger: logger, body)
            case .directory(let path): return try await Self.withPrivateServer(path, logger, body)
            }
        } catch let error as ConfigurationError {
            throw error
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(PostgresServerError.sentence(error))
        }
    }

    private static func withPrivateServer<T: Sendable>(
        _ directory: String, _ logger: Logger, _ body: (Pool) async throws -> T
    ) async throws -> T {
        try makeDirectory(directory)
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
            outcome = .success(try await Pool.running(PoolOptions(server.connectionString), logger: logger, body))
        } catch {
            outcome = .failure(error)
        }
        if !wasRunning { await server.stop() }
        return try outcome.get()
    }
}
