import Foundation
import Logging
import TestSupport
import Testing

@testable import Postgres
@testable import PostgresServer

private let logger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// A directory below `/tmp` that the account `postgres` can reach, removed afterwards together with the server in it.
private func withServer(_ body: (PostgresServerOptions) async throws -> Void) async throws {
    let base = "/tmp/sluice-life-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    var options = PostgresServerOptions(dataDirectory: base)
    options.isDurable = false
    // Cleans up even if this process is killed.
    let lifeline = try await Lifeline(layout: PostgresServer(options, logger: logger).cluster.layout)
    defer { withExtendedLifetime(lifeline) {} }
    let result: Result<Void, any Error>
    do {
        result = .success(try await body(options))
    } catch {
        result = .failure(error)
    }
    try await PostgresServer(options, logger: logger).stop()
    try? FileManager.default.removeItem(atPath: base)
    try result.get()
}

private func connect(_ server: PostgresServer) async throws -> Connection {
    try await Connection.open(ConnectionOptions(server.connectionString))
}

@Suite("A private PostgreSQL", .timeLimit(.minutes(3)))
struct ServerLifeTests {
    @Test("starts in an empty directory with a role that is no superuser and owns its database")
    func firstStart() async throws {
        try await withServer { options in
            let server = try PostgresServer(options, logger: logger)
            try await server.start()
            let row = try #require(
                try await connect(server).query(
                    """
                    SELECT rolsuper OR rolbypassrls OR rolcreatedb AS mighty,
                        current_setting('listen_addresses') AS listens,
                        pg_get_userbyid(datdba)::text AS owner
                    FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
                    """
                ).first)
            #expect(try row["mighty", as: Bool.self] == false)
            #expect(try row["listens", as: String.self] == "")
            #expect(try row["owner", as: String.self] == "sluice")
        }
    }

    @Test("is found running by the next Sluice after the last one was killed")
    func reuse() async throws {
        try await withServer { options in
            try await PostgresServer(options, logger: logger).start()
            let before = try PostgresServer(options, logger: logger).processID
            let next = try PostgresServer(options, logger: logger)
            try await next.start()
            #expect(before != nil)
            #expect(next.processID == before)
        }
    }

    @Test("is restarted with its data when it is killed, and stopped when its supervisor is cancelled")
    func supervision() async throws {
        try await withServer { options in
            var options = options
            options.isDurable = true
            let server = try PostgresServer(options, logger: logger)
            try await server.start()
            _ = try await connect(server).query("CREATE TABLE kept AS SELECT 42 AS answer")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                let first = try #require(Postmaster(of: server.clusterDirectory))
                first.signal(SIGKILL)
                try await until("the server runs again") {
                    server.processID.map { $0 != first.processID } ?? false
                        && Postmaster.isReady(server.clusterDirectory)
                }
                let answer: Int = try #require(try await connect(server).query("SELECT answer FROM kept").first)[0]
                #expect(answer == 42)
                group.cancelAll()
            }
            #expect(server.processID == nil)
        }
    }

    @Test("leaves no process behind when it is stopped")
    func stops() async throws {
        try await withServer { options in
            let server = try PostgresServer(options, logger: logger)
            try await server.start()
            let process = try #require(server.processID)
            await server.stop()
            #expect(server.processID == nil)
            #expect(!FileManager.default.fileExists(atPath: "/proc/\(process)/cwd"))
        }
    }

    @Test("starts although an earlier initdb was cut off and the lock file names a foreign process")
    func leftovers() async throws {
        try await withServer { options in
            let files = FileManager.default
            try files.createDirectory(
                atPath: options.dataDirectory + "/postgres.new/base", withIntermediateDirectories: true)
            let server = try PostgresServer(options, logger: logger)
            try await server.start()
            await server.stop()
            // This process lives, but is no postmaster.
            try "\(ProcessInfo.processInfo.processIdentifier)\n".write(
                toFile: server.clusterDirectory + "/postmaster.pid", atomically: true, encoding: .utf8)
            try await server.start()
            #expect(try await connect(server).query("SELECT 1").count == 1)
        }
    }

    @Test("of a test takes its files along")
    func temporary() async throws {
        let server = try await PostgresServer.temporary()
        let cluster = server.clusterDirectory
        _ = try await connect(server).query("CREATE DATABASE another")
        #expect(FileManager.default.fileExists(atPath: cluster))
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: cluster))
    }
}
