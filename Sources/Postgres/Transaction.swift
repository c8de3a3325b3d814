internal import Synchronization

/// A transaction under way, given to the body of ``Pool/transaction(isolation:readOnly:prelude:retries:_:)``.
///
/// One statement or pipeline at a time. Of no use after the body has returned.
package final class Transaction: Sendable {
    /// An isolation level: what a transaction may see of others (PostgreSQL 13.2).
    package enum Isolation: Sendable {
        case readCommitted, repeatableRead, serializable
    }

    private enum Phase {
        /// BEGIN and what goes with it are still to be sent.
        case unopened([Statement])
        case open
        case ended
    }

    private struct State {
        var phase: Phase
        /// The statements that go with COMMIT.
        var closing: [Statement] = []
        var failure: PostgresError?
    }

    private let connection: Connection
    private let state: Mutex<State>

    init(on connection: Connection, opening: [Statement]) {
        self.connection = connection
        state = Mutex(State(phase: .unopened(opening)))
    }

    static func begin(_ isolation: Isolation, _ readOnly: Bool) -> Statement {
        switch (isolation, readOnly) {
        case (.readCommitted, false): "BEGIN ISOLATION LEVEL READ COMMITTED"
        case (.readCommitted, true): "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
        case (.repeatableRead, false): "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case (.repeatableRead, true): "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case (.serializable, false): "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case (.serializable, true): "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"
        }
    }

    /// Runs one statement.
    @discardableResult
    package func query(_ statement: Statement, timeout: Duration? = nil) async throws(PostgresError) -> Rows {
        let all = try await pipeline([statement], timeout: timeout)
        guard let rows = all.first else { throw PostgresError(.misuse, "the server sent no result") }
        return rows
    }

    /// Runs all statements in one round trip; after an error the transaction can only be rolled back.
    @discardableResult
    package func pipeline(_ statements: [Statement], timeout: Duration? = nil) async throws(PostgresError) -> [Rows] {
        guard !statements.isEmpty else { return [] }
        let opening = try state.withLock { (state) throws(PostgresError) -> [Statement] in
            switch state.phase {
            case .unopened(let statements):
                state.phase = .open
                return statements
            case .open: return []
            case .ended: throw PostgresError(.misuse, "the transaction has ended")
            }
        }
        do throws(PostgresError) {
            let rows = try await connection.pipeline(opening + statements, timeout: timeout)
            return Array(rows.dropFirst(opening.count))
        } catch {
            state.withLock { if $0.failure == nil { $0.failure = error } }
            throw error
        }
    }

    /// The first failure of a statement, or that of COMMIT.
    var failure: PostgresError? { state.withLock { $0.failure } }

    /// Whether running the transaction again may help.
    var isRetriable: Bool { failure?.isRetriable ?? false }

    /// Adds statements that travel with COMMIT, so that locks are not held for another round trip.
    package func atCommit(_ statements: [Statement]) {
        state.withLock { $0.closing += statements }
    }

    /// Runs the last statements of the transaction and commits it, in one round trip: what they lock is locked for no longer
    /// than the server works on them, whatever becomes of this process.
    ///
    /// - Returns: one result for each of `statements`.
    package func commit(running statements: [Statement]) async throws(PostgresError) -> [Rows] {
        let (opening, closing) = try state.withLock { (state) throws(PostgresError) -> ([Statement], [Statement]) in
            defer { state.phase = .open }
            switch state.phase {
            case .unopened(let opening): return (opening, state.closing)
            case .open: return ([], state.closing)
            case .ended: throw PostgresError(.misuse, "the transaction has ended")
            }
        }
        return try await commit(opening, statements, closing, timeout: nil, ignoringCancellation: false)
    }

    func commit() async throws(PostgresError) {
        let closing = state.withLock { state -> [Statement]? in
            defer { if case .unopened = state.phase { state.phase = .ended } }
            if case .open = state.phase { return state.closing }
            return nil
        }
        guard let closing else { return }
        // Not cancellable: the outcome of an interrupted COMMIT would be anybody's guess. But not for ever either.
        let limit = WorkDeadline.current.map { max(Duration.seconds(1), ContinuousClock.now.duration(to: $0)) }
        _ = try await commit([], [], closing, timeout: limit, ignoringCancellation: true)
    }

    private func commit(
        _ opening: [Statement], _ statements: [Statement], _ closing: [Statement], timeout: Duration?,
        ignoringCancellation: Bool
    ) async throws(PostgresError) -> [Rows] {
        do throws(PostgresError) {
            let results = try await connection.pipeline(
                opening + statements + closing + ["COMMIT"], timeout: timeout,
                ignoringCancellation: ignoringCancellation)
            state.withLock { $0.phase = .ended }
            // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
            if results.last?.commandTag == "ROLLBACK" {
                throw state.withLock { $0.failure }
                    ?? PostgresError(.server, "the transaction had failed and was rolled back")
            }
            return Array(results.dropFirst(opening.count).prefix(statements.count))
        } catch {
            var error = error
            // A session that the server ended because it was idle in the transaction has not committed it. Of any other that
            // broke nobody knows; one that goes on has said that the transaction failed.
            let mayHaveHappened = [.connectionLost, .timedOut, .cancelled].contains(error.kind)
            if mayHaveHappened, connection.isBroken, error.sqlState != .idleInTransaction {
                error.kind = .outcomeUnknown
                error.message = "the connection broke during COMMIT, so its outcome is unknown: \(error.message)"
            }
            state.withLock { $0.failure = error }
            throw error
        }
    }

    /// Undoes everything. If that fails the connection is closed, to the same effect.
    func rollback() async {
        let wasOpen = state.withLock { state in
            defer { state.phase = .ended }
            if case .open = state.phase { return true }
            return false
        }
        guard wasOpen, !connection.isIdleOutsideTransaction else { return }
        _ = try? await connection.pipeline(["ROLLBACK"], timeout: nil, ignoringCancellation: true)
    }
}
