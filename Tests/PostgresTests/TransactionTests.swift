import PostgresServer
import TestSupport
import Testing

@testable import Postgres

private struct Refusal: Error {}

@Suite("Transactions", .timeLimit(.minutes(2)))
struct TransactionTests {
    /// A fresh table with one column `n`, dropped afterwards.
    private func withTable(_ body: (Pool, SQLIdentifier) async throws -> Void) async throws {
        try await withPool { pool in
            let table = uniqueName("t_")
            try await pool.query("CREATE TABLE \(identifier: table) (id int8 PRIMARY KEY, n int8)")
            try await body(pool, table)
            try await pool.query("DROP TABLE \(identifier: table)")
        }
    }

    @Test("commit when the body returns and roll back when it throws, whose error comes out")
    func outcome() async throws {
        try await withTable { pool, table in
            let answer = try await pool.transaction { transaction in
                try await transaction.query("INSERT INTO \(identifier: table) VALUES (1, 1)")
                return "done"
            }
            #expect(answer == "done")
            await #expect(throws: Refusal.self) {
                try await pool.transaction { transaction in
                    try await transaction.query("INSERT INTO \(identifier: table) VALUES (2, 2)")
                    throw Refusal()
                }
            }
            #expect(try await pool.query("SELECT count(*) FROM \(identifier: table)")[0][0, as: Int.self] == 1)
            #expect(pool.statistics.open == 1)
        }
    }

    @Test("run their prelude inside, and none of it when the body sends nothing")
    func prelude() async throws {
        try await withPool { pool in
            let prelude: [Statement] = ["SELECT set_config('sluice.tenant', \("acme"), true)"]
            let (seen, level): (String, String) = try await pool.transaction(
                isolation: .repeatableRead, readOnly: true, prelude: prelude
            ) { transaction in
                let row = try await transaction.query(
                    "SELECT current_setting('sluice.tenant') AS t, current_setting('transaction_isolation') AS i")[0]
                return (try row["t"], try row["i"])
            }
            #expect(seen == "acme")
            #expect(level == "repeatable read")
            #expect(try await pool.transaction(prelude: ["SELECT 1/0"]) { _ in 5 } == 5)
        }
    }

    @Test("run again after serialisation failures until none is lost")
    func serialisation() async throws {
        try await withTable { pool, table in
            try await pool.query("INSERT INTO \(identifier: table) VALUES (1, 0)")
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await pool.transaction(isolation: .serializable, retries: 100) { transaction in
                            let n: Int = try await transaction.query("SELECT n FROM \(identifier: table) WHERE id = 1")[
                                0][0]
                            runs.increment()
                            // Two who have read the same cannot both write.
                            try await until("another has read") { runs.value > 1 }
                            try await transaction.query("UPDATE \(identifier: table) SET n = \(n + 1) WHERE id = 1")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pool.query("SELECT n FROM \(identifier: table)")[0][0, as: Int.self] == 8)
            #expect(runs.value > 8)
        }
    }

    @Test("are not run again when no retry is left, nor for other errors")
    func noRetry() async throws {
        try await withPool { pool in
            for (code, retries, expected) in [("40001", 2, 3), ("40P01", 0, 1), ("P0001", 5, 1)] {
                let runs = Counter()
                let error = try await postgresError {
                    try await pool.transaction(retries: retries) { transaction in
                        runs.increment()
                        var statement: Statement = "DO $do$ BEGIN RAISE EXCEPTION USING ERRCODE = "
                        statement.append(code == "40001" ? "'40001'" : code == "40P01" ? "'40P01'" : "'P0001'")
                        statement.append("; END $do$")
                        try await transaction.query(statement)
                    }
                }
                #expect(error.sqlState?.rawValue == code)
                #expect(runs.value == expected)
            }
        }
    }

    @Test("whose body hides a failure do not pretend to have committed")
    func hiddenFailure() async throws {
        try await withTable { pool, table in
            let error = try await postgresError {
                try await pool.transaction { transaction in
                    try await transaction.query("INSERT INTO \(identifier: table) VALUES (1, 1)")
                    _ = try? await transaction.query("SELECT 1/0")
                }
            }
            #expect(error.sqlState == SQLState(rawValue: "22012"))
            #expect(try await pool.query("SELECT count(*) FROM \(identifier: table)")[0][0, as: Int.self] == 0)
        }
    }

    @Test("that lose their connection at COMMIT have an unknown outcome")
    func unknownOutcome() async throws {
        try await withTable { pool, table in
            // A deferred trigger kills the session while it commits.
            try await pool.execute(
                script: """
                    CREATE OR REPLACE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                        'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
                    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON \(table) DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW EXECUTE FUNCTION die();
                    """)
            let error = try await postgresError {
                try await pool.transaction { _ = try await $0.query("INSERT INTO \(identifier: table) VALUES (1, 1)") }
            }
            #expect(error.kind == .outcomeUnknown)
            #expect(error.isUnavailable)
        }
    }

    @Test("roll back when their task is cancelled, and give the connection back")
    func cancellation() async throws {
        try await withTable { pool, table in
            let task = Task {
                try await pool.transaction { transaction in
                    try await transaction.query("INSERT INTO \(identifier: table) VALUES (1, 1)")
                    try await transaction.query("SELECT pg_sleep(60)")
                }
            }
            let observer = try await openConnection()
            try await until("it sleeps") {
                try await !observer.query(
                    """
                    SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
                    WHERE relation = \(table.name)::regclass AND wait_event = 'PgSleep'
                    """
                ).isEmpty
            }
            task.cancel()
            #expect(try await postgresError { _ = try await task.value }.kind == .cancelled)
            #expect(try await pool.query("SELECT count(*) FROM \(identifier: table)")[0][0, as: Int.self] == 0)
            #expect(pool.statistics.open == 1)
        }
    }

    @Test("are over when their body has returned")
    func escaped() async throws {
        try await withPool { pool in
            let escaped = try await pool.transaction { transaction in
                try await transaction.query("SELECT 1")
                return transaction
            }
            #expect(try await postgresError { try await escaped.query("SELECT 1") }.kind == .misuse)
        }
    }
}
