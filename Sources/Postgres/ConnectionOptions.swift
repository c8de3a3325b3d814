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
    /// twentieth of it. Default 5 s.
    package var cancellationGrace: Duration = .seconds(5)
    /// Prepared statements a connection keeps. Default 256.
    package var statementCacheCapacity = 256

    package init(_ conninfo: String) { self.conninfo = conninfo }
}

extension Connection {
    /// Opens a connection.
    ///
    /// - Throws: ``PostgresError/Kind/connectionFailed`` with libpq's reason for every host,
    ///   ``PostgresError/Kind/cancelled``.
    package static func open(_ options: ConnectionOptions) async throws(PostgresError) -> Connection {
        let attempt = await OffPool.run { Attempt(options) }
        let deadline = ContinuousClock.now + options.connectTimeout
        var polling = ConnectionHandle.Polling.write
        while true {
            switch polling {
            case .ready: return try attempt.finish(options)
            case .failed: throw PostgresError(.connectionFailed, attempt.errorMessage)
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
