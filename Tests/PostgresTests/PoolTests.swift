import Glibc
import PostgresServer
import TestSupport
import Testing

@testable import Postgres

@Suite("The pool", .timeLimit(.minutes(2)))
struct PoolTests {
    @Test("serves 64 tasks with 8 connections, each its own answers")
    func crowd() async throws {
        try await withPool(8) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<64 {
                    group.addTask {
                        for round in 0..<50 {
                            let number = task * 1000 + round
                            let rows = try await pool.pipeline(["SELECT \(number)", "SELECT \("\(number)")"])
                            let seen: Int = try rows[0][0][0]
                            let text: String = try rows[1][0][0]
                            #expect(seen == number && text == "\(number)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(pool.statistics.open <= 8)
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test("refuses a caller after its waiting time")
    func waitedTooLong() async throws {
        try await withPool(1, { $0.waitTimeout = .milliseconds(10) }) { pool in
            // Nobody waits for the connection while it is made, however long that takes.
            try await until("the connection is there") { pool.statistics.idle == 1 }
            try await pool.withConnection { _ in
                let late = try await postgresError { try await pool.query("SELECT 1") }
                #expect(late.kind == .poolExhausted && late.isUnavailable)
                #expect(pool.statistics.waiting == 0)
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test("refuses one waiter too many at once")
    func tooManyWait() async throws {
        try await withPool(1, { $0.maximumWaiters = 1 }) { pool in
            let first = try await pool.withConnection { _ in
                let first = Task { try await pool.query("SELECT 1").count }
                try await until("one waits") { pool.statistics.waiting == 1 }
                #expect(try await postgresError { try await pool.query("SELECT 1") }.kind == .poolExhausted)
                #expect(pool.statistics.waiting == 1)
                return first
            }
            #expect(try await first.value == 1)
        }
    }

    @Test("forgets a waiter whose task is cancelled")
    func waiterCancelled() async throws {
        try await withPool(1) { pool in
            try await pool.withConnection { _ in
                let task = Task { try await pool.query("SELECT 1") }
                try await until("it waits") { pool.statistics.waiting == 1 }
                task.cancel()
                #expect(try await postgresError { _ = try await task.value }.kind == .cancelled)
                #expect(pool.statistics.waiting == 0)
            }
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test("replaces a connection whose backend is terminated under a statement, and one that died idle")
    func terminated() async throws {
        try await withPool(1) { pool in
            let backend = try await pool.withConnection { $0.backendPID }
            let victim = Task { try await pool.query("SELECT pg_sleep(60)") }
            let killer = try await openConnection()
            try await until("it sleeps") {
                try await !killer.query(
                    "SELECT 1 FROM pg_stat_activity WHERE pid = \(backend) AND wait_event = 'PgSleep'"
                ).isEmpty
            }
            _ = try await killer.query("SELECT pg_terminate_backend(\(backend))")
            let error = try await postgresError { _ = try await victim.value }
            #expect(error.kind == .connectionLost)
            #expect(error.sqlState == .adminShutdown)
            #expect(error.isUnavailable)

            let second = try await pool.withConnection { $0.backendPID }
            _ = try await killer.query("SELECT pg_terminate_backend(\(second))")
            // The process, not its row in pg_stat_activity: that goes before the socket is closed.
            try await until("it is gone") { kill(second, 0) != 0 }
            // The idle connection is found dead before a statement is sent on it.
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test("does not lend out a connection that was left in a transaction")
    func abandonedTransaction() async throws {
        try await withPool(1) { pool in
            _ = try await pool.query("BEGIN")
            let state: String? = try await pool.query("SELECT pg_current_xact_id_if_assigned()::text")[0][0]
            #expect(state == nil)
            #expect(pool.statistics.open == 1)
        }
    }

    @Test("answers quickly while the server is down, and recovers by itself after SIGKILL and restart")
    func serverRestart() async throws {
        let server = try await PostgresServer.temporary(logger: quietLogger)
        var options = PoolOptions(server.connectionString)
        options.backoff = .milliseconds(10)...(.milliseconds(50))
        try await Pool.running(options, logger: quietLogger) { pool in
            try await pool.query("CREATE TABLE kept AS SELECT 42 AS answer")
            let process = try #require(server.processID)
            kill(process, SIGKILL)
            try await until("the pool knows that the server is away") {
                let error = try? await postgresError { try await pool.query("SELECT 1", timeout: .seconds(5)) }
                return error?.isUnavailable == true && !pool.statistics.isServerReachable
            }
            let error = try await postgresError { try await pool.query("SELECT 1") }
            #expect(error.kind == .connectionFailed)
            try await server.start()
            try await until("the pool has recovered") {
                (try? await pool.query("SELECT answer FROM kept")[0][0, as: Int.self]) == 42
            }
        }
        await server.stop()
    }

    @Test("refuses callers when it is closed")
    func closed() async throws {
        let pool = try await withPool { $0 }
        #expect(try await postgresError { try await pool.query("SELECT 1") }.kind == .poolClosed)
    }
}
