/// The pool's decisions: who has which connection and who waits. No I/O, no clock, no locks.
///
/// Idle connections are reused last in, first out, so that surplus ones grow cold and are closed; waiters are served
/// first in, first out.
struct PoolMachine<Connection> {
    typealias WaiterID = UInt64
    typealias Instant = ContinuousClock.Instant

    struct Limits {
        var minimum: Int
        var maximum: Int
        var maximumWaiters: Int
    }

    private struct Idle {
        let connection: Connection
        let since: Instant
    }

    private struct Waiter {
        let id: WaiterID
        let deadline: Instant
    }

    private let limits: Limits
    private var idle: [Idle] = []
    /// In the order of arrival, which is also the order of deadlines.
    private var waiters: [Waiter] = []
    /// Connections that exist, idle or lent.
    private(set) var open = 0
    /// Connections being made.
    private(set) var opening = 0
    /// Why the last attempt to connect failed; `nil` after a success.
    private(set) var failure: PostgresError?
    private(set) var isClosed = false

    init(limits: Limits) { self.limits = limits }

    var idleCount: Int { idle.count }
    var waiterCount: Int { waiters.count }
    var nextDeadline: Instant? { waiters.first?.deadline }

    // MARK: Borrowing

    enum Lease {
        case take(Connection)
        case refuse(PostgresError)
        /// The caller is in the queue now.
        case wait
    }

    /// Lends the warmest idle connection, if there is one.
    mutating func takeIdle() -> Connection? { idle.popLast()?.connection }

    mutating func lease(_ id: WaiterID, until deadline: Instant) -> Lease {
        if isClosed { return .refuse(PostgresError(.poolClosed, "the pool is closed")) }
        if let connection = takeIdle() { return .take(connection) }
        // The server is away: waiting would only delay the same answer.
        if let failure, open == 0 { return .refuse(failure) }
        guard waiters.count < limits.maximumWaiters else {
            return .refuse(PostgresError(.poolExhausted, "\(waiters.count) callers already wait for a connection"))
        }
        waiters.append(Waiter(id: id, deadline: deadline))
        return .wait
    }

    /// The use of a connection that has become free.
    enum Placement {
        case hand(Connection, to: WaiterID)
        case keep
        case close(Connection)
    }

    mutating func release(_ connection: Connection, now: Instant) -> Placement {
        guard !isClosed else {
            open -= 1
            return .close(connection)
        }
        if !waiters.isEmpty { return .hand(connection, to: waiters.removeFirst().id) }
        idle.append(Idle(connection: connection, since: now))
        return .keep
    }

    /// A connection broke, or was found dead.
    mutating func discarded() { open -= 1 }

    /// - Returns: whether the waiter was still in the queue.
    mutating func cancel(_ id: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: index)
        return true
    }

    mutating func expire(now: Instant) -> [WaiterID] {
        let due = waiters.prefix { $0.deadline <= now }
        waiters.removeFirst(due.count)
        return due.map(\.id)
    }

    // MARK: Opening

    /// How many connections to begin to open now. They count as ``opening`` from here on.
    mutating func claimOpenings() -> Int {
        guard !isClosed else { return 0 }
        let wanted = max(waiters.count, limits.minimum - open)
        // While the server is away one attempt at a time is enough.
        let ceiling = failure == nil ? limits.maximum - open : min(1, limits.maximum - open)
        let count = max(0, min(wanted, ceiling) - opening)
        opening += count
        return count
    }

    mutating func opened(_ connection: Connection, now: Instant) -> Placement {
        opening -= 1
        open += 1
        failure = nil
        return release(connection, now: now)
    }

    enum AfterFailure {
        /// Try again after a pause.
        case retry
        /// Another attempt is under way, or nobody needs this one.
        case giveUp
    }

    /// - Returns: the waiters to refuse, because no lent connection can come back to them, and what the opener does
    ///   next.
    mutating func openFailed(_ error: PostgresError) -> ([WaiterID], AfterFailure) {
        failure = error
        let refused = open == 0 ? waiters.map(\.id) : []
        if open == 0 { waiters.removeAll() }
        guard !isClosed, opening == 1 else {
            opening -= 1
            return (refused, .giveUp)
        }
        return (refused, .retry)
    }

    /// The opener stopped without a result.
    mutating func openingAbandoned() { opening -= 1 }

    // MARK: Upkeep

    /// Removes idle connections that have not been used since `limit`, keeping the minimum.
    mutating func removeCold(since limit: Instant) -> [Connection] {
        let cold = idle.prefix { $0.since < limit }.count
        return removeIdle(min(cold, max(0, open - limits.minimum)))
    }

    /// Removes the idle connections that `isDead` says nobody can use any more.
    mutating func removeIdle(where isDead: (Connection) -> Bool) {
        let before = idle.count
        idle.removeAll { isDead($0.connection) }
        open -= before - idle.count
    }

    private mutating func removeIdle(_ count: Int) -> [Connection] {
        let removed = idle.prefix(count).map(\.connection)
        idle.removeFirst(count)
        open -= count
        return removed
    }

    mutating func close() -> (waiters: [WaiterID], connections: [Connection]) {
        isClosed = true
        defer { waiters.removeAll() }
        return (waiters.map(\.id), removeIdle(idle.count))
    }
}
