import PostgresServer
import TestSupport
import Testing

@testable import Postgres

@Suite("Errors and cancellation", .timeLimit(.minutes(2)))
struct FailureTests {
    @Test("of constraints carry SQLSTATE, table, column and constraint")
    func constraints() async throws {
        let connection = try await openConnection()
        try await connection.execute(
            script: """
                CREATE TEMP TABLE city (name text CONSTRAINT city_pk PRIMARY KEY, size int8 NOT NULL
                    CONSTRAINT city_size CHECK (size > 0));
                INSERT INTO city VALUES ('Brno', 1);
                """)
        let unique = try await postgresError {
            _ = try await connection.query("INSERT INTO city VALUES (\("Brno"), 2)")
        }
        #expect(unique.kind == .server)
        #expect(unique.sqlState == .uniqueViolation)
        #expect(unique.constraint == "city_pk")
        #expect(unique.table == "city")
        #expect(unique.severity == "ERROR")
        #expect(unique.detail?.contains("Brno") == true)
        #expect(unique.statement == "INSERT INTO city VALUES ($1, 2)")
        #expect(!unique.isRetriable && !unique.isUnavailable)
        let check = try await postgresError { _ = try await connection.query("INSERT INTO city VALUES ('A', 0)") }
        #expect(check.sqlState == .checkViolation && check.constraint == "city_size")
        let null = try await postgresError { _ = try await connection.query("INSERT INTO city VALUES ('A', NULL)") }
        #expect(null.sqlState == .notNullViolation && null.column == "size")
        let insert = try await connection.query("INSERT INTO city SELECT 'c' || g, g FROM generate_series(1, 5) g")
        #expect(insert.affectedRows == 5)
        #expect(insert.commandTag == "INSERT 0 5")
    }

    @Test("in a pipeline undo the whole pipeline, and the connection goes on")
    func pipeline() async throws {
        let connection = try await openConnection()
        try await connection.execute(script: "CREATE TEMP TABLE t (a int8)")
        let error = try await postgresError {
            _ = try await connection.pipeline([
                "INSERT INTO t VALUES (1)", "SELECT 1/0", "INSERT INTO t VALUES (2)", "SELECT never_prepared FROM t",
            ])
        }
        #expect(error.sqlState == SQLState(rawValue: "22012"))
        let results = try await connection.pipeline([
            "SELECT set_config('sluice.x', \("v"), true)", "SELECT current_setting('sluice.x') AS x",
            "SELECT count(*) FROM t",
            "INSERT INTO t VALUES (2)",
        ])
        #expect(try results[1][0]["x", as: String.self] == "v")
        #expect(try results[2][0][0, as: Int.self] == 0)
        // The setting was local to the pipeline's transaction.
        #expect(try await connection.query("SELECT current_setting('sluice.x', true)")[0][0, as: String?.self] != "v")
    }

    @Test("at the implicit commit of a pipeline are reported")
    func deferred() async throws {
        let connection = try await openConnection()
        try await connection.execute(
            script: "CREATE TEMP TABLE d (a int8 CONSTRAINT d_key UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        let error = try await postgresError {
            _ = try await connection.pipeline(["INSERT INTO d VALUES (1)", "INSERT INTO d VALUES (1)"])
        }
        #expect(error.constraint == "d_key")
        #expect(try await connection.query("SELECT count(*) FROM d")[0][0, as: Int.self] == 0)
    }

    @Test("in scripts leave pipeline mode in order")
    func scripts() async throws {
        let connection = try await openConnection()
        let error = try await postgresError { try await connection.execute(script: "SELECT 1; SELEKT 2; SELECT 3") }
        #expect(error.sqlState == .syntaxError)
        let results = try await connection.execute(script: "SELECT 1 AS a; SELECT 'x' AS b")
        #expect(try results[0][0]["a", as: String.self] == "1")
        #expect(try results[1][0]["b", as: String.self] == "x")
        #expect(try await connection.query("SELECT \(5)")[0][0, as: Int.self] == 5)
    }

    @Test("about changed tables are healed by preparing again")
    func stalePlans() async throws {
        let connection = try await openConnection()
        try await connection.execute(script: "CREATE TEMP TABLE s (a int8); INSERT INTO s VALUES (1)")
        #expect(try await connection.query("SELECT * FROM s").columnNames == ["a"])
        try await connection.execute(script: "ALTER TABLE s ADD b int8")
        #expect(try await connection.query("SELECT * FROM s").columnNames == ["a", "b"])
        try await connection.execute(script: "DEALLOCATE ALL")
        #expect(try await connection.query("SELECT * FROM s").count == 1)
    }

    @Test("do not grow the server's memory: evicted statements are freed there")
    func eviction() async throws {
        var small = ConnectionOptions(try await PostgresServer.shared().connectionString)
        small.statementCacheCapacity = 4
        let connection = try await Connection.open(small)
        for number in 0..<20 {
            var statement: Statement = "SELECT 1 AS "
            statement.append("\(identifier: SQLIdentifier("c\(number)"))")
            _ = try await connection.query(statement)
        }
        let count: Int = try await connection.query("SELECT count(*) FROM pg_prepared_statements")[0][0]
        #expect(count <= 6)
    }

    @Test("COPY is refused and the connection given up")
    func copy() async throws {
        let connection = try await openConnection()
        _ = try await postgresError { _ = try await connection.query("COPY (SELECT 1) TO STDOUT") }
        #expect(!connection.isReusable)
    }

    @Test("a second task on one connection is refused")
    func sharing() async throws {
        let connection = try await openConnection()
        let slow = Task { try await connection.query("SELECT pg_sleep(60)") }
        try await until("the first is under way") { try await isSleeping(connection.backendPID) }
        let error = try await postgresError { _ = try await connection.query("SELECT 1") }
        #expect(error.kind == .misuse)
        slow.cancel()
        #expect(try await postgresError { _ = try await slow.value }.kind == .cancelled)
    }

    @Test("cancelling the task cancels the statement on the server, and the connection goes on")
    func cancellation() async throws {
        let connection = try await openConnection()
        let task = Task { try await connection.query("SELECT pg_sleep(60)") }
        try await until("it sleeps") { try await isSleeping(connection.backendPID) }
        task.cancel()
        let error = try await postgresError { _ = try await task.value }
        #expect(error.kind == .cancelled)
        #expect(try await !isSleeping(connection.backendPID))
        #expect(try await connection.query("SELECT 1").count == 1)
    }

    @Test("a statement over its time is cancelled on the server")
    func timeout() async throws {
        let connection = try await openConnection()
        let error = try await postgresError {
            _ = try await connection.query("SELECT pg_sleep(60)", timeout: .milliseconds(50))
        }
        #expect(error.kind == .timedOut)
        #expect(try await connection.query("SELECT 1").count == 1)
    }

    @Test("a cancellation that does nothing is repeated")
    func repeated() async throws {
        let connection = try await openConnection()
        let error = try await postgresError {
            // Outlives the first, as a statement does that has not begun yet.
            _ = try await connection.query(
                "DO $$ BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(60); END $$",
                timeout: .milliseconds(50))
        }
        #expect(error.kind == .timedOut)
        #expect(try await connection.query("SELECT 1").count == 1)
    }

    @Test("a cancelled task sends nothing")
    func cancelledBefore() async throws {
        let connection = try await openConnection()
        let task = Task {
            try? await hangUntilCancelled()
            return try await connection.query("SELECT 1")
        }
        task.cancel()
        let error = try await postgresError { _ = try await task.value }
        #expect(error.kind == .cancelled)
    }

    @Test("work has a deadline that its statements do not wait beyond, and leaves the connection usable")
    func workDeadline() async throws {
        let connection = try await openConnection()
        let error = try await postgresError {
            _ = try await WorkDeadline.$current.withValue(.now + .milliseconds(50)) {
                try await connection.query("SELECT pg_sleep(60)")
            }
        }
        #expect(error.kind == .timedOut)
        #expect(try await connection.query("SELECT 1").count == 1)
    }

    @Test(
        "an unreachable server is a connection failure with the reason",
        arguments: [
            "host=/nonexistent", "host=127.0.0.1 port=1", "host=/nonexistent,127.0.0.1 port=1,1", "nonsense", "a=b",
        ])
    func unreachable(_ conninfo: String) async throws {
        let error = try await postgresError { _ = try await Connection.open(ConnectionOptions(conninfo)) }
        #expect(error.kind == .connectionFailed)
        #expect(error.isUnavailable)
        #expect(!error.message.isEmpty)
    }

    private func isSleeping(_ backend: Int32) async throws -> Bool {
        let rows = try await openConnection().query(
            "SELECT 1 FROM pg_stat_activity WHERE pid = \(backend) AND state = 'active' AND wait_event = 'PgSleep'")
        return !rows.isEmpty
    }
}
