internal import Dispatch
package import Logging
internal import Synchronization

/// A bounded set of connections, shared by all tasks.
///
/// ``run()`` must be running somewhere: it makes the connections, replaces broken ones, and closes cold ones. While the
/// server is away, calls fail at once with the reason and one attempt at a time goes on in the background.
package final class Pool: Sendable {
    private struct State {
        var machine: PoolMachine<Connection>
        var continuations: [UInt64: CheckedContinuation<Result<Connection, PostgresError>, Never>] = [:]
        var lastID: UInt64 = 0
        var isTimerSet = false
        /// The resource that the server was last short of, and when.
        var shortage: (PostgresError.Shortage, at: ContinuousClock.Instant)?
    }

    package let options: PoolOptions
    private let state: Mutex<State>
    private let logger: Logger
    /// One element for each connection to open.
    private let openings: AsyncStream<Void>
    private let requestOpening: AsyncStream<Void>.Continuation

    package init(_ options: PoolOptions, logger: Logger) {
        self.options = options
        self.logger = logger
        let limits = PoolMachine<Connection>.Limits(
            minimum: max(0, min(options.minimumConnections, options.maximumConnections)),
            maximum: max(1, options.maximumConnections), maximumWaiters: max(0, options.maximumWaiters))
        state = Mutex(State(machine: PoolMachine(limits: limits)))
        (openings, requestOpening) = AsyncStream.makeStream()
    }

    /// How many connections exist, are idle, and how many callers wait.
    package struct Statistics: Sendable, Hashable {
        package var open: Int
        package var idle: Int
        package var waiting: Int
        /// Whether the last attempt to connect succeeded, or none was made yet.
        package var isServerReachable: Bool
    }

    package var statistics: Statistics {
        state.withLock {
            Statistics(
                open: $0.machine.open, idle: $0.machine.idleCount, waiting: $0.machine.waiterCount,
                isServerReachable: $0.machine.failure == nil)
        }
    }

    /// The resource that the server said, in answer to any statement of the last ten seconds, it has run out of.
    package var recentShortage: PostgresError.Shortage? {
        state.withLock { state in
            guard let (shortage, at) = state.shortage, .now < at + .seconds(10) else { return nil }
            return shortage
        }
    }

    func note(_ error: PostgresError) {
        guard let shortage = error.shortage else { return }
        state.withLock { $0.shortage = (shortage, .now) }
    }

    // MARK: Background

    /// Looks after the connections until the task is cancelled or ``close()`` is called. Call it once.
    package func run() async throws {
        openMissing()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.maintain() }
            for await _ in openings { group.addTask { await self.open() } }
            group.cancelAll()
        }
        close()
    }

    /// Runs a pool around `body`, for commands and tests.
    package static func running<Value: Sendable>(
        _ options: PoolOptions, logger: Logger, _ body: (Pool) async throws -> Value
    ) async throws -> Value {
        let pool = Pool(options, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            defer { pool.close() }
            return try await body(pool)
        }
    }

    /// Refuses all callers from now on and closes idle connections; lent ones close when they come back.
    package func close() {
        let (waiters, connections) = state.withLock { state in
            let (ids, connections) = state.machine.close()
            return (ids.compactMap { state.continuations.removeValue(forKey: $0) }, connections)
        }
        for waiter in waiters { waiter.resume(returning: .failure(PostgresError(.poolClosed, "the pool is closed"))) }
        requestOpening.finish()
        _ = consume connections
    }

    private func openMissing() {
        let count = state.withLock { $0.machine.claimOpenings() }
        for _ in 0..<count { requestOpening.yield() }
    }

    /// Opens one connection, however often it takes while nobody else tries.
    private func open() async {
        var backoff = Backoff(options.backoff)
        while true {
            do throws(PostgresError) {
                let connection = try await Connection.open(options.connection)
                place { $0.opened(connection, now: .now) }
                return openMissing()
            } catch {
                if error.kind == .cancelled { return state.withLock { $0.machine.openingAbandoned() } }
                let (refused, next) = state.withLock { state in
                    let (ids, next) = state.machine.openFailed(error)
                    return (ids.compactMap { state.continuations.removeValue(forKey: $0) }, next)
                }
                for waiter in refused { waiter.resume(returning: .failure(error)) }
                guard case .retry = next else { return }
                let pause = backoff.next()
                logger.warning(
                    "cannot connect to PostgreSQL", metadata: ["reason": "\(error.message)", "retry": "\(pause)"])
                guard (try? await Task.sleep(for: pause)) != nil else {
                    return state.withLock { $0.machine.openingAbandoned() }
                }
            }
        }
    }

    /// Every now and then: closes cold connections, drops dead ones, and opens what is missing.
    private func maintain() async {
        while (try? await Task.sleep(for: options.maintenanceInterval)) != nil {
            let cold = state.withLock { state in
                // Looks at sockets without waiting for them.
                state.machine.removeIdle { !$0.isAlive() }
                return state.machine.removeCold(since: .now - options.idleTimeout)
            }
            _ = consume cold
            openMissing()
        }
    }

    // MARK: Borrowing

    /// Lends a connection to `body` alone.
    package func withConnection<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let connection = try await lease()
        defer { release(connection) }
        return try await body(connection)
    }

    /// - Throws: ``PostgresError/Kind/poolExhausted``, ``PostgresError/Kind/poolClosed``,
    ///   ``PostgresError/Kind/cancelled``, and the reason why no connection can be made.
    func lease() async throws(PostgresError) -> Connection {
        while true {
            let connection: Connection
            if let idle = state.withLock({ $0.machine.takeIdle() }) {
                connection = idle
            } else {
                connection = try await queue().get()
            }
            if connection.isAlive() { return connection }
            discard()
        }
    }

    private func queue() async -> Result<Connection, PostgresError> {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(id, continuation)
                // The handler below may have run before there was anything to cancel.
                if Task.isCancelled { cancel(id) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func enqueue(_ id: UInt64, _ continuation: CheckedContinuation<Result<Connection, PostgresError>, Never>) {
        let (answer, mustSetTimer) = state.withLock { state -> (Result<Connection, PostgresError>?, Bool) in
            switch state.machine.lease(id, until: .now + options.waitTimeout) {
            case .take(let connection): return (.success(connection), false)
            case .refuse(let error): return (.failure(error), false)
            case .wait:
                state.continuations[id] = continuation
                defer { state.isTimerSet = true }
                return (nil, !state.isTimerSet)
            }
        }
        if mustSetTimer { setTimer(after: options.waitTimeout) }
        if let answer { continuation.resume(returning: answer) } else { openMissing() }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state in
            state.machine.cancel(id) ? state.continuations.removeValue(forKey: id) : nil
        }
        waiter?.resume(returning: .failure(PostgresError(.cancelled, "the task was cancelled")))
    }

    /// One timer for all waiters: all wait equally long, so the first in the queue is the first to expire.
    private func setTimer(after delay: Duration) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay.dispatchInterval) { [weak self] in self?.expire() }
    }

    private func expire() {
        let now = ContinuousClock.now
        let (expired, next) = state.withLock { state in
            let ids = state.machine.expire(now: now)
            let next = state.machine.nextDeadline
            state.isTimerSet = next != nil
            return (ids.compactMap { state.continuations.removeValue(forKey: $0) }, next)
        }
        let error = PostgresError(.poolExhausted, "no connection became free in \(options.waitTimeout)")
        for waiter in expired { waiter.resume(returning: .failure(error)) }
        // A millisecond more, because the timer's clock may be a little ahead of ours.
        if let next { setTimer(after: now.duration(to: next) + .milliseconds(1)) }
    }

    /// Takes a connection back; one that is broken or still in a transaction is closed.
    func release(_ connection: Connection) {
        guard connection.isReusable else { return discard() }
        place { $0.release(connection, now: .now) }
    }

    private func discard() {
        state.withLock { $0.machine.discarded() }
        openMissing()
    }

    private func place(_ decide: (inout PoolMachine<Connection>) -> PoolMachine<Connection>.Placement) {
        let handover = state.withLock {
            state -> (Connection, CheckedContinuation<Result<Connection, PostgresError>, Never>)? in
            switch decide(&state.machine) {
            case .hand(let connection, let id): state.continuations.removeValue(forKey: id).map { (connection, $0) }
            case .keep, .close: nil
            }
        }
        if let (connection, waiter) = handover { waiter.resume(returning: .success(connection)) }
    }
}
