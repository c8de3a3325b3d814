/// How to reach PostgreSQL and how long to wait for it.
package struct ConnectionOptions: Sendable {
    /// A libpq connection string or `postgresql://` URL (libpq 34.1.1): several hosts, `target_session_attrs`, TLS
    /// modes and files, keep-alives. May hold a password, so it is never logged.
    package var conninfo: String
    /// Shown in `pg_stat_activity`. Default `sluice`.
    package var applicationName = "sluice"
    /// For all hosts together. Default 5 s.
    package var connectTimeout: Duration = .seconds(5)
    /// For a statement or pipeline that names no other; `nil` for none. Default 30 s.
    package var statementTimeout: Duration? = .seconds(30)
    /// How long a cancelled statement may take to stop before the connection is given up; the server is asked every
    /// twentieth of it. Default 1 s.
    package var cancellationGrace: Duration = .seconds(1)
    /// The bounds by which the server itself ends a session whose client hangs or has vanished; `nil`: none.
    package var limits: SessionLimits? = SessionLimits()
    /// Prepared statements a connection keeps. Default 256.
    package var statementCacheCapacity = 256

    package init(_ conninfo: String) { self.conninfo = conninfo }

    /// A text of libpq's without what is secret in ``conninfo``: it repeats what it does not understand, and takes a mistyped
    /// URL for the name of a database.
    func redacted(_ text: String) -> String {
        var secrets = conninfo.matches(of: /:\/\/[^:\/@]*:([^@]+)@/).map { String($0.1) }
        secrets += conninfo.matches(of: /password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)/).map { String($0.1) }
        guard !secrets.isEmpty else { return text }
        return ([conninfo] + secrets).reduce(text) { $0.replacing($1, with: "***") }
    }
}

/// How long a session may hold what others need, by the server's own clock: the client may be a machine that has lost its
/// power in the middle of a transaction, or a process that was stopped.
///
/// A setting that the role or the database has already (`ALTER ROLE … SET`) wins.
package struct SessionLimits: Sendable, Hashable {
    /// Between two statements of a transaction. The server ends the session then, and its locks. Default 5 s: less than the
    /// lease of any work that another replica takes over, and more than any use case computes between two statements.
    package var idleInTransaction: Duration
    /// For a statement, should its client not be there any more to end it. Default 35 s: more than
    /// ``ConnectionOptions/statementTimeout``.
    package var statement: Duration
    /// For a row that somebody else has locked. Default 7 s: more than ``idleInTransaction``, so whoever waits for a session
    /// that hangs gets the row when that is ended.
    package var lock: Duration
    /// How long the network may be dead before either side gives the connection up. Default 15 s.
    package var network: Duration

    package init(
        idleInTransaction: Duration = .seconds(5), statement: Duration = .seconds(35), lock: Duration = .seconds(7),
        network: Duration = .seconds(15)
    ) {
        self.idleInTransaction = idleInTransaction
        self.statement = statement
        self.lock = lock
        self.network = network
    }

    /// Sets what is not set. Settings that this server does not know, or that its kind of socket does not have, are left out.
    var statements: [Statement] {
        func milliseconds(_ duration: Duration) -> String { String(Int(duration / .milliseconds(1))) }
        let limits: [(name: String, value: String)] = [
            ("idle_in_transaction_session_timeout", milliseconds(idleInTransaction)),
            ("statement_timeout", milliseconds(statement)), ("lock_timeout", milliseconds(lock)),
            // For a client that hangs half-way through sending, too (PostgreSQL 17).
            ("transaction_timeout", milliseconds(statement)),
            // Whether the client is still there while it waits for a lock or for a long statement (PostgreSQL 14).
            ("client_connection_check_interval", milliseconds(network / 3)),
        ]
        let network: [(name: String, value: String)] = [
            ("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "\(max(1, Int(self.network / .seconds(3))))"),
            ("tcp_keepalives_count", "2"), ("tcp_user_timeout", milliseconds(self.network)),
        ]
        return [
            """
            SELECT set_config(name, value, false)
              FROM unnest(\(limits.map(\.name))::text[], \(limits.map(\.value))::text[]) AS wanted (name, value)
             WHERE current_setting(name, true) = '0'
            """,
            """
            SELECT set_config(name, value, false)
              FROM unnest(\(network.map(\.name))::text[], \(network.map(\.value))::text[]) AS wanted (name, value)
             WHERE current_setting(name, true) IS NOT NULL
            """,
        ]
    }

    /// The client's side of ``network``, in libpq's keywords (libpq 34.1.2). Those of the connection string win.
    var keywords: [(String, String)] {
        [
            ("keepalives", "1"), ("keepalives_idle", "5"),
            ("keepalives_interval", "\(max(1, Int(network / .seconds(3))))"), ("keepalives_count", "2"),
            ("tcp_user_timeout", "\(Int(network / .milliseconds(1)))"),
        ]
    }
}

extension Connection {
    /// Opens a connection.
    ///
    /// - Throws: ``PostgresError/Kind/connectionFailed`` with libpq's reason for every host,
    ///   ``PostgresError/Kind/cancelled``.
    package static func open(_ options: ConnectionOptions) async throws(PostgresError) -> Connection {
        let deadline = ContinuousClock.now + options.connectTimeout
        let connection = try await connect(options, until: deadline)
        guard let limits = options.limits else { return connection }
        do throws(PostgresError) {
            _ = try await connection.pipeline(
                limits.statements, timeout: max(Duration.milliseconds(1), ContinuousClock.now.duration(to: deadline)))
        } catch {
            guard error.kind != .cancelled else { throw error }
            var failure = error
            failure.kind = .connectionFailed
            throw failure
        }
        return connection
    }

    private static func connect(
        _ options: ConnectionOptions, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> Connection {
        let attempt = await OffPool.run { Attempt(options) }
        var polling = ConnectionHandle.Polling.write
        while true {
            switch polling {
            case .ready: return try attempt.finish(options)
            case .failed: throw attempt.failure
            case .read, .write:
                // Another host may have another socket.
                switch await Poller.shared.wait(
                    for: polling == .read ? .read : .write, on: attempt.socket, until: deadline, cancellable: true)
                {
                case .ready: break
                case .timedOut: throw PostgresError(.connectionFailed, "the server did not answer in time")
                case .cancelled: throw PostgresError(.cancelled, "the task was cancelled")
                }
            }
            // May resolve a name or read a certificate.
            polling = await OffPool.run { attempt.poll() }
        }
    }
}
