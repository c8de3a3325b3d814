extension Pool {
    /// Runs one statement in a transaction of its own.
    ///
    /// - Parameter timeout: from sending to the result; the default is ``ConnectionOptions/statementTimeout``. Waiting
    ///   for a connection is limited by ``PoolOptions/waitTimeout``.
    @discardableResult
    package func query(_ statement: Statement, timeout: Duration? = nil) async throws(PostgresError) -> Rows {
        let connection = try await lease()
        defer { release(connection) }
        return try await noting { () throws(PostgresError) in try await connection.query(statement, timeout: timeout) }
    }

    /// Runs all statements in one round trip and one implicit transaction: the first error undoes all of them, and
    /// `set_config(…, true)` in the first holds for the rest.
    ///
    /// - Returns: one result for each statement.
    @discardableResult
    package func pipeline(_ statements: [Statement], timeout: Duration? = nil) async throws(PostgresError) -> [Rows] {
        let connection = try await lease()
        defer { release(connection) }
        return try await noting { () throws(PostgresError) in
            try await connection.pipeline(statements, timeout: timeout)
        }
    }

    /// Remembers what the server has run out of.
    private func noting<Value>(
        _ body: () async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        do throws(PostgresError) {
            return try await body()
        } catch {
            note(error)
            throw error
        }
    }

    /// Runs a trusted script, see ``Connection/execute(script:timeout:)``.
    @discardableResult
    package func execute(script: String, timeout: Duration? = nil) async throws(PostgresError) -> [Rows] {
        let connection = try await lease()
        defer { release(connection) }
        return try await connection.execute(script: script, timeout: timeout)
    }

    /// Runs `body` in a transaction: COMMIT when it returns, ROLLBACK when it throws, and then its error.
    ///
    /// BEGIN and `prelude` travel with the first statements of `body`, so they cost no round trip; a body that sends
    /// nothing touches no database. After a serialisation failure or deadlock (40001, 40P01), noticed by any statement
    /// or by COMMIT and whatever `body` made of it, the whole transaction runs again after a short pause.
    ///
    /// - Parameter prelude: statements to run right after BEGIN, such as `set_config(…, true)`.
    /// - Parameter retries: how often `body` may be run again. Default 5.
    /// - Throws: what `body` throws; ``PostgresError``; ``PostgresError/Kind/outcomeUnknown`` if the connection broke
    ///   during COMMIT.
    package func transaction<Value>(
        isolation: Transaction.Isolation = .readCommitted, readOnly: Bool = false, prelude: [Statement] = [],
        retries: Int = 5, _ body: (Transaction) async throws -> Value
    ) async throws -> Value {
        var backoff = Backoff(.milliseconds(2)...(.milliseconds(200)))
        var retriesLeft = retries
        while true {
            switch await attempt(isolation: isolation, readOnly: readOnly, prelude: prelude, body) {
            case .success(let value): return value
            case .failure(let failure):
                guard failure.isRetriable, retriesLeft > 0, !Task.isCancelled else { throw failure.error }
                retriesLeft -= 1
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    private struct Failure: Error {
        let error: any Error
        let isRetriable: Bool
    }

    private func attempt<Value>(
        isolation: Transaction.Isolation, readOnly: Bool, prelude: [Statement],
        _ body: (Transaction) async throws -> Value
    ) async -> Result<Value, Failure> {
        let connection: Connection
        do throws(PostgresError) {
            connection = try await lease()
        } catch {
            return .failure(Failure(error: error, isRetriable: false))
        }
        defer { release(connection) }
        let transaction = Transaction(on: connection, opening: [Transaction.begin(isolation, readOnly)] + prelude)
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            return .success(value)
        } catch {
            if let failure = transaction.failure { note(failure) }
            await transaction.rollback()
            return .failure(Failure(error: error, isRetriable: transaction.isRetriable))
        }
    }
}
