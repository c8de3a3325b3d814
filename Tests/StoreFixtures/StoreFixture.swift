package import MeshStore
package import Postgres
internal import PostgresServer
internal import TestSupport
internal import Testing

/// Databases of their own for tests, all on the one PostgreSQL of the test process.
///
/// The migrations run once, in a template; every test gets a copy of it. The role that tests connect as owns its databases
/// but is no superuser, as in production, so row-level security holds for it.
package struct StoreFixture: Sendable {
    package let store: MeshStore
    /// Of this database, for what connects by itself.
    package let options: ConnectionOptions
    /// The same database; sees no tenant's rows unless a session names the tenant.
    package var pool: Pool { store.pool }

    private static let template = Task {
        let name = Self.newName()
        try await Self.administrate("CREATE DATABASE \(identifier: name)")
        let options = try await Self.options(database: name)
        _ = try await Pool.running(PoolOptions(options), logger: quietLogger) { try await Migrator(pool: $0).up() }
        return name
    }

    /// Swift Testing starts all tests at once, but the server has 100 connections.
    private static let turns = Turns(6)

    /// Gives `body` a freshly migrated database without any row.
    ///
    /// - Parameter connections: how many statements can run at the same time.
    package static func run<Value: Sendable>(
        connections: Int = 8, _ body: (StoreFixture) async throws -> Value
    ) async throws -> Value {
        let template = try await template.value
        return try await withDatabase("TEMPLATE \(identifier: template)") { options in
            var poolOptions = PoolOptions(options)
            poolOptions.maximumConnections = connections
            // As long as a test may wait for the others that run beside it.
            poolOptions.waitTimeout = .seconds(60)
            return try await Pool.running(poolOptions, logger: quietLogger) { pool in
                try await body(StoreFixture(store: MeshStore(pool: pool, logger: quietLogger), options: options))
            }
        }
    }

    /// Gives `body` a database in which no migration has run.
    package static func runEmpty<Value: Sendable>(_ body: (Pool) async throws -> Value) async throws -> Value {
        try await withDatabase("") { options in
            try await Pool.running(PoolOptions(options), logger: quietLogger, body)
        }
    }

    private static func withDatabase<Value: Sendable>(
        _ origin: Statement, _ body: (ConnectionOptions) async throws -> Value
    ) async throws -> Value {
        try await turns.withTurn { try await withNewDatabase(origin, body) }
    }

    private static func withNewDatabase<Value: Sendable>(
        _ origin: Statement, _ body: (ConnectionOptions) async throws -> Value
    ) async throws -> Value {
        let name = newName()
        try await administrate("CREATE DATABASE \(identifier: name) \(origin)")
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(try await options(database: name)))
        } catch {
            result = .failure(error)
        }
        try await drop(name)
        return try result.get()
    }

    /// Drops a database, also while connections of the test are still being closed.
    private static func drop(_ name: SQLIdentifier) async throws {
        try await until("nobody works in the database") {
            do {
                try await administrate("DROP DATABASE \(identifier: name) WITH (FORCE)")
                return true
            } catch let error as PostgresError where error.sqlState == .insufficientPrivilege {
                // An autovacuum worker, which is the superuser's, cannot be ended; it ends soon by itself.
                return false
            }
        }
    }

    private static func newName() -> SQLIdentifier {
        SQLIdentifier("test_" + String(UInt64.random(in: 0 ... .max), radix: 36))
    }

    private static func options(database: SQLIdentifier) async throws -> ConnectionOptions {
        var options = ConnectionOptions(try await PostgresServer.shared().connectionString(database: database.name))
        // Tests hold transactions open until something else has happened, however long that takes on a busy machine.
        options.limits = SessionLimits(
            idleInTransaction: .seconds(60), statement: .seconds(90), lock: .seconds(60), network: .seconds(60))
        options.connectTimeout = .seconds(60)
        return options
    }

    /// Runs what cannot run in a transaction or inside the database in question.
    private static func administrate(_ statement: Statement) async throws {
        let connection = try await Connection.open(ConnectionOptions(PostgresServer.shared().connectionString))
        _ = try await connection.query(statement)
    }
}
