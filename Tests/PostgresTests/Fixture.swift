import PostgresServer
import TestSupport

@testable import Postgres

/// A pool on the process's shared server.
func withPool<Value: Sendable>(
    _ maximum: Int = 8, _ change: (inout PoolOptions) -> Void = { _ in },
    _ body: (Pool) async throws -> Value
) async throws -> Value {
    var options = PoolOptions(try await PostgresServer.shared().connectionString)
    options.maximumConnections = maximum
    // As long as a test may wait for the others that run beside it.
    options.waitTimeout = .seconds(60)
    change(&options)
    return try await Pool.running(options, logger: quietLogger, body)
}

func openConnection() async throws -> Connection {
    try await Connection.open(ConnectionOptions(PostgresServer.shared().connectionString))
}

/// A name that no other test uses.
func uniqueName(_ prefix: String) -> SQLIdentifier {
    SQLIdentifier(prefix + String(UInt64.random(in: 0 ... .max), radix: 36))
}

/// The error that `body` throws.
func postgresError(_ body: () async throws -> Void) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    throw PostgresError(.misuse, "no error was thrown")
}
