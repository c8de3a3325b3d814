import PostgresServer
import TestSupport
import Testing

@testable import Postgres

/// What becomes of sessions whose client hangs.
@Suite("Limits of a session", .timeLimit(.minutes(2)))
struct SessionLimitTests {
    private func options(_ limits: SessionLimits? = SessionLimits()) async throws -> ConnectionOptions {
        var options = ConnectionOptions(try await PostgresServer.shared().connectionString)
        options.limits = limits
        return options
    }

    private func setting(_ name: String, _ connection: Connection) async throws -> String {
        try await connection.query("SELECT current_setting(\(name)) AS value")[0]["value"]
    }

    @Test("are set on every connection, and by default shorter than the lease of a release")
    func settings() async throws {
        let connection = try await Connection.open(options())
        #expect(try await setting("idle_in_transaction_session_timeout", connection) == "5s")
        #expect(try await setting("lock_timeout", connection) == "7s")
        #expect(try await setting("statement_timeout", connection) == "35s")
        #expect(try await setting("client_connection_check_interval", connection) == "5s")
    }

    @Test("of the connection string win, and other settings are left alone")
    func own() async throws {
        var options = try await options()
        options.conninfo += " options='-c lock_timeout=123ms' keepalives_idle=77"
        let connection = try await Connection.open(options)
        #expect(try await setting("lock_timeout", connection) == "123ms")
        #expect(try await setting("idle_in_transaction_session_timeout", connection) == "5s")
        #expect(try await setting("statement_timeout", Connection.open(self.options(nil))) == "0")
    }

    @Test(
        "What libpq says of a connection has no password in it",
        arguments: [
            "postgress://u:secret@h/db", "postgres://u:secret@nowhere.invalid:1/db", "password='secret' nonsense",
        ])
    func secrets(conninfo: String) async throws {
        let error = try await postgresError { _ = try await Connection.open(ConnectionOptions(conninfo)) }
        #expect(!error.message.contains("secret"), "\(error.message)")
        let plain = ConnectionOptions("postgres://u:secret@h/db").redacted(
            "cannot read postgres://u:secret@h/db: secret")
        #expect(plain == "cannot read ***: ***")
    }

    @Test("A session that hangs in a transaction is ended by the server, and whoever waits for its row gets it")
    func hanging() async throws {
        let table = uniqueName("hanging_")
        let observer = try await openConnection()
        try await observer.execute(script: "CREATE TABLE \(table) (n int8); INSERT INTO \(table) VALUES (0)")
        let hanging = try await Connection.open(options(SessionLimits(idleInTransaction: .milliseconds(300))))
        _ = try await hanging.pipeline(["BEGIN", "UPDATE \(identifier: table) SET n = 1"])
        // Nobody does anything on it any more.
        let waiting = try await Connection.open(options(SessionLimits(lock: .seconds(60))))
        let update = try await waiting.query("UPDATE \(identifier: table) SET n = n + 10 RETURNING n")
        #expect(try update[0]["n", as: Int.self] == 10)

        let error = try await postgresError { _ = try await hanging.query("COMMIT") }
        #expect(error.sqlState == .idleInTransaction)
        #expect(error.kind == .connectionLost && error.isUnavailable)
        try await observer.execute(script: "DROP TABLE \(table)")
    }

    @Test("Who waits for a row for too long is told which table it is of", arguments: [true, false])
    func lockedTable(byServer: Bool) async throws {
        let table = uniqueName("locked_")
        let holder = try await openConnection()
        try await holder.execute(script: "CREATE TABLE \(table) (n int8); INSERT INTO \(table) VALUES (0)")
        _ = try await holder.pipeline(["BEGIN", "UPDATE \(identifier: table) SET n = 1"])
        let limits = SessionLimits(lock: byServer ? .milliseconds(50) : .seconds(60))
        let waiting = try await Connection.open(options(limits))
        let error = try await postgresError {
            _ = try await waiting.query(
                "UPDATE \(identifier: table) SET n = 2", timeout: byServer ? nil : .milliseconds(50))
        }
        #expect(error.lockedTable == table.name)
        #expect(error.kind == (byServer ? .server : .timedOut))
        _ = try await holder.query("ROLLBACK")
        try await holder.execute(script: "DROP TABLE \(table)")
    }

    @Test("A connection that the server refuses is told with its code, and whether it may pass")
    func refusals() async throws {
        let server = try await PostgresServer.shared()
        let role = uniqueName("full_")
        let administrator = try await Connection.open(
            ConnectionOptions(server.connectionString(database: "postgres", user: "postgres")))
        try await administrator.execute(script: "CREATE ROLE \(role) LOGIN CONNECTION LIMIT 0")
        let full = try await postgresError {
            _ = try await Connection.open(
                ConnectionOptions(server.connectionString(database: "postgres", user: role.name)))
        }
        try await administrator.execute(script: "DROP ROLE \(role)")
        #expect(full.kind == .connectionFailed)
        #expect(full.sqlState == .tooManyConnections)
        #expect(full.shortage == .connections)
        #expect(full.isUnavailable && !full.isRefusal)
        #expect(!full.message.contains("LOCATION") && !full.message.contains("53300"), "\(full.message)")

        let unknown = try await postgresError {
            _ = try await Connection.open(ConnectionOptions(server.connectionString(database: "nowhere")))
        }
        #expect(unknown.sqlState == .invalidCatalogName)
        #expect(unknown.isRefusal)
        #expect(unknown.message.contains("database \"nowhere\" does not exist"))
    }
}

@Suite("The last statements of a transaction", .timeLimit(.minutes(2)))
struct LastStatementTests {
    @Test("are committed in their own round trip, with what was to go with the commit")
    func commit() async throws {
        try await withPool { pool in
            let table = uniqueName("last_")
            try await pool.execute(script: "CREATE TABLE \(table) (n int8)")
            let seen = try await pool.transaction { transaction in
                transaction.atCommit(["INSERT INTO \(identifier: table) VALUES (2)"])
                let rows = try await transaction.commit(running: [
                    "INSERT INTO \(identifier: table) VALUES (1) RETURNING n", "SELECT 7 AS n",
                ])
                #expect(try rows.map { try $0[0]["n", as: Int.self] } == [1, 7])
                // Others see it before the body ends.
                return try await pool.query("SELECT n FROM \(identifier: table) ORDER BY n").map {
                    try $0["n", as: Int.self]
                }
            }
            #expect(seen == [1, 2])
            let late = try await postgresError {
                try await pool.transaction { transaction in
                    _ = try await transaction.commit(running: ["SELECT 1"])
                    _ = try await transaction.query("SELECT 1")
                }
            }
            #expect(late.kind == .misuse)
            try await pool.execute(script: "DROP TABLE \(table)")
        }
    }

    @Test("undo everything if one of them fails, and say what failed")
    func failure() async throws {
        try await withPool { pool in
            let table = uniqueName("last_")
            try await pool.execute(script: "CREATE TABLE \(table) (n int8 UNIQUE)")
            let error = try await postgresError {
                try await pool.transaction { transaction in
                    try await transaction.query("INSERT INTO \(identifier: table) VALUES (1)")
                    _ = try await transaction.commit(running: ["INSERT INTO \(identifier: table) VALUES (1)"])
                }
            }
            #expect(error.kind == .server && error.sqlState == .uniqueViolation)
            #expect(try await pool.query("SELECT 1 FROM \(identifier: table)").isEmpty)
            #expect(pool.statistics.open == pool.statistics.idle, "the connection is good")
            try await pool.execute(script: "DROP TABLE \(table)")
        }
    }

    @Test("that wait for a lock when their time is over are known not to have happened")
    func deadline() async throws {
        try await withPool { pool in
            let table = uniqueName("last_")
            let holder = try await openConnection()
            try await holder.execute(script: "CREATE TABLE \(table) (n int8); INSERT INTO \(table) VALUES (0)")
            _ = try await holder.pipeline(["BEGIN", "UPDATE \(identifier: table) SET n = 1"])
            let error = try await postgresError {
                try await WorkDeadline.$current.withValue(.now + .milliseconds(100)) {
                    try await pool.transaction { transaction in
                        _ = try await transaction.commit(running: ["UPDATE \(identifier: table) SET n = 2"])
                    }
                }
            }
            #expect(error.kind == .timedOut)
            #expect(error.lockedTable == table.name)
            _ = try await holder.query("COMMIT")
            #expect(try await pool.query("SELECT n FROM \(identifier: table)")[0]["n", as: Int.self] == 1)
            try await pool.execute(script: "DROP TABLE \(table)")
        }
    }
}
