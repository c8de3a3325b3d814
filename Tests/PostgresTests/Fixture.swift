import Logging
import PostgresServer
import Synchronization
import Testing

@testable import Postgres

let logger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// A pool on the process's shared server.
func withPool<Value: Sendable>(
    _ maximum: Int = 8, _ change: (inout PoolOptions) -> Void = { _ in },
    _ body: (Pool) async throws -> Value
) async throws -> Value {
    var options = PoolOptions(try await PostgresServer.shared().connectionString)
    options.maximumConnections = maximum
    change(&options)
    return try await Pool.running(options, logger: logger, body)
}

func openConnection() async throws -> Connection {
    try await Connection.open(ConnectionOptions(PostgresServer.shared().connectionString))
}

/// A name that no other test uses.
func uniqueName(_ prefix: String) -> SQLIdentifier {
    SQLIdentifier(prefix + String(UInt64.random(in: 0 ... .max), radix: 36))
}

/// Waits for a condition, at most 30 s.
func until(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        try await Task.sleep(for: .milliseconds(2))
    }
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

/// Counts across tasks.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}
