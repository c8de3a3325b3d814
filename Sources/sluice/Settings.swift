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

/// A host and a TCP port, `127.0.0.1:8080` or `[::1]:8080`.
struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    /// `0...65_535`; 0 lets the system choose.
    let port: Int

    /// - Throws: ``ConfigurationError`` naming the setting.
    init(_ text: String, setting: String) throws {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ConfigurationError("\(setting) must be HOST:PORT, not \"\(text)\"")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw ConfigurationError("\(setting) must name a host, not \"\(text)\"") }
        self.host = host
        self.port = Int(port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
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

    var url: String? { databaseUrl ?? Environment.value("DATABASE_URL") }

    /// The absolute path of the data directory, which is created if it is missing.
    ///
    /// - Throws: ``ConfigurationError``.
    func directory() throws -> String {
        let path = URL(fileURLWithPath: dataDir ?? Environment.value("DATA_DIR") ?? ".sluice").standardizedFileURL.path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ConfigurationError("the data directory \(path) cannot be created: \(error.localizedDescription)")
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
            if let url {
                return try await Pool.running(PoolOptions(url), logger: logger, body)
            }
            let server = try PostgresServer(dataDirectory: try directory(), logger: logger)
            let wasRunning = server.processID != nil
            try await server.start()
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
            throw Failure("\(error)")
        }
    }
}
