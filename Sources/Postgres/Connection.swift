internal import Synchronization

/// One session with PostgreSQL. All statements go through libpq's pipeline mode, prepared, in binary format.
///
/// One task at a time: a second one that calls meanwhile gets ``PostgresError/Kind/misuse``. Closed with its last
/// reference.
package final class Connection: Sendable {
    private let session: Mutex<Session>
    private let options: ConnectionOptions
    private let socket: Int32

    /// The process that serves this connection (`pg_stat_activity.pid`).
    package let backendPID: Int32
    /// Whether the connection is encrypted.
    package let usesTLS: Bool

    init(_ handle: consuming ConnectionHandle, options: ConnectionOptions) {
        socket = handle.socket
        backendPID = handle.backendPID
        usesTLS = handle.usesTLS
        self.options = options
        session = Mutex(Session(handle: handle, statementCacheCapacity: options.statementCacheCapacity))
    }

    /// Runs one statement. See ``pipeline(_:timeout:)``.
    package func query(_ statement: Statement, timeout: Duration? = nil) async throws(PostgresError) -> Rows {
        let all = try await pipeline([statement], timeout: timeout)
        guard let rows = all.first else { throw PostgresError(.misuse, "the server sent no result") }
        return rows
    }

    /// Sends all statements at once and waits for all results: one round trip.
    ///
    /// Outside a transaction the statements are one implicit transaction: the first error undoes all of them, and
    /// `set_config(…, true)` in the first holds for the rest.
    ///
    /// - Parameter timeout: from sending to the last result; the default is ``ConnectionOptions/statementTimeout``.
    package func pipeline(_ statements: [Statement], timeout: Duration? = nil) async throws(PostgresError) -> [Rows] {
        try await pipeline(statements, timeout: timeout, ignoringCancellation: false)
    }

    /// - Parameter ignoringCancellation: for ROLLBACK, which must run because the task was cancelled.
    func pipeline(
        _ statements: [Statement], timeout: Duration?, ignoringCancellation: Bool
    ) async throws(PostgresError) -> [Rows] {
        guard !statements.isEmpty else { return [] }
        var reply = try await exchange(timeout: timeout, cancellable: !ignoringCancellation) {
            (session: inout Session) throws(PostgresError) in try session.send(statements)
        }
        // Nothing has happened on the server if the session is outside a transaction again.
        if reply.isStale, isReusable {
            reply = try await exchange(timeout: timeout, cancellable: !ignoringCancellation) {
                (session: inout Session) throws(PostgresError) in try session.send(statements)
            }
        }
        if let failure = reply.failure { throw failure }
        guard reply.rows.count == statements.count else {
            throw PostgresError(.misuse, "\(reply.rows.count) results for \(statements.count) statements")
        }
        return reply.rows
    }

    /// Runs several statements, separated by semicolons and without parameters, by the simple protocol. For migrations.
    ///
    /// Without BEGIN and COMMIT of its own the script is one implicit transaction.
    ///
    /// - Returns: the result of every statement; all columns read as text.
    /// - Parameter script: trusted text.
    @discardableResult
    package func execute(script: String, timeout: Duration? = nil) async throws(PostgresError) -> [Rows] {
        let reply = try await exchange(timeout: timeout, cancellable: true) {
            (session: inout Session) throws(PostgresError) in try session.send(script: script)
        }
        if let failure = reply.failure { throw failure }
        return reply.rows
    }

    // MARK: State

    /// Whether another caller can use the connection: it works and is outside a transaction.
    var isReusable: Bool { session.withLock { $0.isReusable } }

    /// Whether it broke, or was given up with answers still owed.
    var isBroken: Bool { session.withLock { $0.isBroken || $0.handle.isBad } }

    var isIdleOutsideTransaction: Bool { session.withLock { $0.handle.isIdleOutsideTransaction } }

    /// Looks, without waiting, whether the server has hung up.
    func isAlive() -> Bool { session.withLock { $0.poll() && $0.isReusable } }

    /// Waits for notifications.
    ///
    /// - Returns: those that arrived; none if `limit` passed or the task was cancelled.
    func notifications(until limit: ContinuousClock.Instant) async throws(PostgresError) -> [Notification] {
        // Some may have been read together with the answer of a statement.
        let early = session.withLock { $0.notifications() }
        if !early.isEmpty { return early }
        guard await Poller.shared.wait(for: .read, on: socket, until: limit, cancellable: true) == .ready else {
            return []
        }
        let arrived: [Notification]? = session.withLock { $0.poll() ? $0.notifications() : nil }
        guard let arrived else { throw PostgresError(.connectionLost, "the server closed the connection") }
        return arrived
    }

    // MARK: One exchange

    /// Sends, then takes answers until the last one is in.
    private func exchange(
        timeout: Duration?, cancellable: Bool,
        _ send: (inout Session) throws(PostgresError) -> Session.Progress
    ) async throws(PostgresError) -> Session.Reply {
        if cancellable, Task.isCancelled { throw PostgresError(.cancelled, "the task was cancelled") }
        var progress = try session.withLock { (session) throws(PostgresError) in
            guard !session.isInUse else { throw PostgresError(.misuse, "the connection is in use by another task") }
            guard !session.isBroken else { throw PostgresError(.connectionLost, "the connection is broken") }
            let progress = try send(&session)
            session.isInUse = true
            return progress
        }
        defer { session.withLock { $0.isInUse = false } }

        var interruption: (reason: PostgresError, givesUp: ContinuousClock.Instant)?
        var deadline = (timeout ?? options.statementTimeout).map { ContinuousClock.now + $0 }
        if cancellable, let limit = WorkDeadline.current { deadline = min(deadline ?? limit, limit) }
        // Lets other tasks send meanwhile. On a busy server the answer is often there afterwards, which saves the poller's
        // two system calls and two changes of thread.
        await Task.yield()
        if session.withLock({ $0.handle.hasInput }) {
            progress = try session.withLock { (session) throws(PostgresError) in try session.advance() }
        }
        while true {
            guard case .wait(let interest) = progress else { break }
            let readiness = await Poller.shared.wait(
                for: interest, on: socket, until: deadline, cancellable: cancellable && interruption == nil)
            if readiness != .ready {
                let reason =
                    readiness == .cancelled
                    ? PostgresError(.cancelled, "the task was cancelled")
                    : PostgresError(.timedOut, "the statement took longer than allowed")
                let stop = interruption ?? (reason, .now + options.cancellationGrace)
                interruption = stop
                guard .now < stop.givesUp, await cancelOnServer() else { throw abandon(stop.reason) }
                // A request that comes before the server has begun with the statement does nothing, so there may be another.
                deadline = min(stop.givesUp, .now + options.cancellationGrace / 20)
            }
            progress = try session.withLock { (session) throws(PostgresError) in try session.advance() }
        }
        guard case .done(var reply) = progress else { throw abandon(PostgresError(.misuse, "no reply")) }
        // A statement that won the race against its cancellation has happened, and its result says so.
        if let interruption, let failure = reply.failure, failure.sqlState == .queryCanceled {
            var reason = interruption.reason
            (reason.statement, reason.context) = (failure.statement, failure.context)
            reply.failure = reason
        }
        return reply
    }

    /// Asks the server to stop the running statement, and waits until the request has arrived there, so that it cannot
    /// hit the next one.
    private func cancelOnServer() async -> Bool {
        guard let canceller = session.withLock({ $0.handle.canceller() }) else { return false }
        return await OffPool.run(atMost: options.cancellationGrace) { canceller.send() }
    }

    /// Gives the connection up with answers still owed.
    private func abandon(_ error: PostgresError) -> PostgresError {
        session.withLock { $0.markBroken() }
        return error
    }
}
