/// One connection and the work that is under way on it: what was sent, and which answers are still to come.
///
/// Never waits. ``Connection`` keeps it in a `Mutex`, waits for the socket between calls, and owns the deadlines.
struct Session: ~Copyable {
    /// One answer that the server owes, in the order of sending (libpq 34.5, "Pipeline Mode").
    private enum Step {
        case deallocate(String)
        case prepare(StatementCache.Key)
        case execute(StatementCache.Key, StatementCache.Entry)
        case sync
    }

    /// The outcome of a whole pipeline.
    struct Reply {
        /// One for each statement, if nothing failed.
        var rows: [Rows] = []
        /// The first failure; it made the server skip the rest.
        var failure: PostgresError?
        /// The failure says that a prepared statement is out of date; the cache has been cleaned, so trying again may
        /// help.
        var isStale = false
    }

    enum Progress {
        case wait(Poller.Interest)
        case done(Reply)
    }

    var handle: ConnectionHandle
    /// Whether a task is using the connection; a second one is refused.
    var isInUse = false
    /// Set when the connection can no longer be trusted: it broke, or an answer was abandoned.
    private(set) var isBroken = false

    private var cache: StatementCache
    /// Names of statements that left the cache but are still on the server.
    private var orphans: [String] = []
    private var steps: [Step] = []
    private var cursor = 0
    private var isScript = false
    private var reply = Reply()

    init(handle: consuming ConnectionHandle, statementCacheCapacity: Int) {
        self.handle = handle
        cache = StatementCache(capacity: statementCacheCapacity)
    }

    /// Whether the connection can serve another caller.
    var isReusable: Bool { !isBroken && !isInUse && !handle.isBad && handle.isIdleOutsideTransaction }

    mutating func markBroken() { isBroken = true }

    // MARK: Sending

    /// Queues a pipeline and writes as much of it as the socket takes.
    mutating func send(_ statements: [Statement]) throws(PostgresError) -> Progress {
        reset(script: false)
        try freeOrphans()
        for statement in statements {
            if let defect = statement.defect { throw abandoned(defect) }
            let key = StatementCache.Key(sql: statement.sql, slots: statement.parameters.slots)
            let entry = try plan(key)
            guard handle.sendExecute(entry.name, statement.parameters) else { throw refused() }
            steps.append(.execute(key, entry))
        }
        guard handle.sendSync() else { throw refused() }
        steps.append(.sync)
        return .wait(handle.flush() == 1 ? .readOrWrite : .read)
    }

    private mutating func plan(_ key: StatementCache.Key) throws(PostgresError) -> StatementCache.Entry {
        switch cache.plan(key) {
        case .execute(let entry): return entry
        case .prepare(let entry, let evicted):
            // libpq takes C strings: text after a NUL would silently be dropped.
            guard !key.sql.utf8.contains(0) else {
                cache.forget(key)
                throw abandoned(PostgresError(.misuse, "a statement cannot contain a NUL character"))
            }
            if let evicted { orphans.append(evicted) }
            guard handle.sendPrepare(entry.name, sql: key.sql, types: key.slots.map(\.type)) else { throw refused() }
            steps.append(.prepare(key))
            return entry
        }
    }

    /// Frees evicted statements on the server, at a moment when that cannot fail because of the caller's transaction.
    private mutating func freeOrphans() throws(PostgresError) {
        guard !orphans.isEmpty, handle.isIdleOutsideTransaction else { return }
        for name in orphans {
            guard handle.sendPlain("DEALLOCATE \(name)") else { throw refused() }
            steps.append(.deallocate(name))
        }
        orphans.removeAll()
    }

    /// Queues a script for the simple protocol, outside pipeline mode until its answers are in.
    mutating func send(script: String) throws(PostgresError) -> Progress {
        reset(script: true)
        guard !script.utf8.contains(0) else {
            throw PostgresError(.misuse, "a script cannot contain a NUL character")
        }
        guard handle.exitPipeline(), handle.sendScript(script) else { throw refused() }
        return .wait(handle.flush() == 1 ? .readOrWrite : .read)
    }

    private mutating func reset(script: Bool) {
        steps.removeAll(keepingCapacity: true)
        cursor = 0
        isScript = script
        reply = Reply()
    }

    /// A defect found after other statements of the pipeline were queued leaves answers that nobody will wait for.
    private mutating func abandoned(_ defect: PostgresError) -> PostgresError {
        if !steps.isEmpty { isBroken = true }
        return defect
    }

    private mutating func refused() -> PostgresError {
        isBroken = true
        return PostgresError(.connectionLost, handle.errorMessage.trimmedLines)
    }

    // MARK: Receiving

    /// Takes what the socket has, writes what it takes, and says what to wait for next.
    mutating func advance() throws(PostgresError) -> Progress {
        let flushed = handle.flush()
        let isAlive = handle.consumeInput() && flushed >= 0
        if isScript ? drainScript() : drainPipeline() { return .done(reply) }
        guard isAlive, !isBroken, !handle.isBad else {
            isBroken = true
            throw reply.failure ?? PostgresError(.connectionLost, handle.errorMessage.trimmedLines)
        }
        return .wait(flushed == 1 ? .readOrWrite : .read)
    }

    /// - Returns: whether the last answer is in.
    private mutating func drainPipeline() -> Bool {
        var endsSeen = 0
        while cursor < steps.count, !handle.isBusy {
            guard let result = handle.nextResult() else {
                if case .sync = steps[cursor] {
                    // The end of an error report at the sync itself (a deferred constraint); the sync comes next.
                    endsSeen += 1
                    if endsSeen > 1 || handle.isBad { return false }
                } else {
                    cursor += 1
                }
                continue
            }
            switch result.status {
            case .pipelineSync: cursor = steps.count
            case .pipelineAborted: skipped(steps[cursor])
            case .failed: fail(PostgresError(result))
            case .copy: fail(PostgresError(.misuse, "COPY is not supported"))
            case .command, .rows: accept(result)
            }
            if isBroken { return false }
        }
        return cursor == steps.count
    }

    private mutating func accept(_ result: consuming ResultHandle) {
        guard case .execute(_, let entry) = steps[cursor] else { return }
        let columns: Columns
        if let known = entry.columns { columns = known } else { columns = Columns(of: result) }
        entry.columns = columns
        reply.rows.append(Rows(result, columns: columns))
    }

    /// A statement whose preparation was skipped is not on the server.
    private mutating func skipped(_ step: Step) {
        switch step {
        case .prepare(let key): cache.forget(key)
        case .deallocate(let name): orphans.append(name)
        case .execute, .sync: break
        }
    }

    private mutating func fail(_ error: PostgresError) {
        var error = error
        if cursor < steps.count {
            switch steps[cursor] {
            case .prepare(let key):
                cache.forget(key)
                error.statement = key.sql
            case .execute(let key, _):
                error.statement = key.sql
                noteStaleness(error, key)
            case .deallocate: reply.isStale = true
            case .sync: break
            }
        }
        if error.kind != .server { isBroken = true }
        if reply.failure == nil { reply.failure = error }
    }

    /// After a migration, "cached plan must not change result type" (0A000); after `DISCARD ALL`, unknown names
    /// (26000).
    private mutating func noteStaleness(_ error: PostgresError, _ key: StatementCache.Key) {
        switch error.sqlState {
        case .invalidStatementName?: cache.removeAll()
        case .featureNotSupported? where error.message.contains("cached plan"): cache.forget(key)
        default: return
        }
        reply.isStale = true
    }

    /// - Returns: whether the last answer is in and pipeline mode is back.
    private mutating func drainScript() -> Bool {
        while !handle.isBusy {
            guard let result = handle.nextResult() else {
                if handle.isBad { return false }
                if !handle.enterPipeline() { isBroken = true }
                return true
            }
            switch result.status {
            case .failed: fail(PostgresError(result))
            case .copy: fail(PostgresError(.misuse, "COPY is not supported"))
            case .command, .rows, .pipelineSync, .pipelineAborted: acceptText(result)
            }
            if isBroken { return false }
        }
        return false
    }

    private mutating func acceptText(_ result: consuming ResultHandle) {
        let columns = Columns(of: result)
        reply.rows.append(Rows(result, columns: columns))
    }

    // MARK: Idle

    /// Reads what arrived while nobody was waiting: notifications, or the news that the server has gone.
    ///
    /// - Returns: false if the connection is lost.
    mutating func poll() -> Bool {
        // Each turn of libpq reads once: first the server's last words, then the end of the stream. A server that keeps
        // talking is alive.
        for _ in 0..<8 {
            if isBroken || handle.isBad { return false }
            guard handle.hasInput else { return true }
            if !handle.consumeInput() { isBroken = true }
            // Parses what was read.
            _ = handle.isBusy
        }
        return true
    }

    func notifications() -> [Notification] {
        var all: [Notification] = []
        while let notification = handle.nextNotification() { all.append(notification) }
        return all
    }
}

extension String {
    /// libpq ends its messages with a line break and may report one line for each host; where in the server's source an error
    /// comes from is nobody's concern.
    var trimmedLines: String {
        split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.joined(separator: "; ")
    }
}
