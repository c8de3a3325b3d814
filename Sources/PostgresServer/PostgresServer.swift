internal import Foundation
internal import Glibc
package import Logging
internal import Synchronization

/// A PostgreSQL of Sluice's own, for those who bring none.
///
/// The server is started detached and outlives a killed Sluice; the next start finds it running and goes on with it. It
/// listens on a Unix socket in a private directory, never on the network. Sluice's role owns its database but is no
/// superuser, so row-level security holds for it.
package final class PostgresServer: Sendable {
    /// For libpq: the role `sluice` on the database `sluice`. Valid whether or not the server runs.
    package let connectionString: String
    /// The place where the cluster really is, see ``Layout``.
    package var clusterDirectory: String { cluster.layout.cluster }

    let cluster: Cluster
    private let logger: Logger
    /// Set for a temporary server: when it closes, a watchdog ends the server and removes its files.
    private let lifeline = Mutex<Lifeline?>(nil)

    /// - Throws: ``PostgresServerError`` if PostgreSQL or an account to run it is missing.
    package convenience init(dataDirectory: String, logger: Logger) throws {
        try self.init(PostgresServerOptions(dataDirectory: dataDirectory), logger: logger)
    }

    package init(_ options: PostgresServerOptions, logger: Logger) throws {
        let account = try Account.current()
        let layout = Layout(
            dataDirectory: options.dataDirectory, account: account, fallback: options.fallbackDirectory)
        cluster = Cluster(
            installation: try .find(searchPath: options.searchPath), account: account, layout: layout, options: options)
        connectionString = "host=\(layout.socketDirectory) user=\(Cluster.role) dbname=\(Cluster.database)"
        self.logger = logger
    }

    /// The ``connectionString`` of another database.
    ///
    /// - Parameter user: `postgres` is the superuser.
    package func connectionString(database: String, user: String = "sluice") -> String {
        "host=\(cluster.layout.socketDirectory) user=\(user) dbname=\(database)"
    }

    /// The process number of the running server.
    package var processID: Int32? { Postmaster(of: cluster.layout.cluster)?.processID }

    // MARK: Life

    /// Makes the cluster if there is none, starts the server if it does not run, and returns when it accepts
    /// connections.
    ///
    /// After a crash PostgreSQL recovers by itself. When the server was killed, its orphaned backends may hold the
    /// cluster for a moment, so a failed start is tried again until ``PostgresServerOptions/patience`` runs out.
    ///
    /// - Throws: ``PostgresServerError``.
    package func start() async throws {
        do {
            try await startOrThrow()
        } catch let error as PostgresServerError {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PostgresServerError(PostgresServerError.sentence(error))
        }
    }

    /// Returns when the server accepts connections, which somebody else has started or is starting.
    package func waitForOwner() async throws {
        let deadline = ContinuousClock.now + cluster.options.patience
        while Postmaster(of: cluster.layout.cluster) == nil || !Postmaster.isReady(cluster.layout.cluster) {
            guard ContinuousClock.now < deadline else {
                throw PostgresServerError(
                    "another Sluice looks after \(cluster.layout.base), and its PostgreSQL is still not ready")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func startOrThrow() async throws {
        if cluster.layout.isElsewhere {
            logger.notice(
                "the account postgres cannot enter the data directory, so the cluster is elsewhere",
                metadata: ["directory": "\(cluster.layout.base)"])
        }
        try await cluster.makeIfMissing()
        let deadline = ContinuousClock.now + cluster.options.patience
        while Postmaster(of: cluster.layout.cluster) == nil {
            do {
                try await launch()
            } catch let error as PostgresServerError {
                guard ContinuousClock.now < deadline else { throw error }
                logger.warning("PostgreSQL did not start; trying again", metadata: ["reason": "\(error)"])
                try await Task.sleep(for: .milliseconds(500))
            }
        }
        while !Postmaster.isReady(cluster.layout.cluster) {
            guard ContinuousClock.now < deadline else {
                throw PostgresServerError("PostgreSQL is still not ready; see \(cluster.layout.cluster)/log")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func launch() async throws {
        try cluster.writeSettings()
        Postmaster.removeMisleadingLocks(cluster.layout)
        // In a task of its own, which our cancellation does not reach: a `pg_ctl` killed half-way would leave a server
        // that has no lock file yet, so that nobody could stop it.
        let launching = Task { [cluster] in  // lint:allow
            // Through `pg_ctl` the server belongs to no terminal and to no process of ours.
            try await Program(account: cluster.account).run(
                cluster.installation.program("pg_ctl"),
                [
                    "start", "--silent", "--wait", "--timeout", "\(cluster.options.patience.components.seconds)",
                    "--pgdata", cluster.layout.cluster, "--log", cluster.layout.startLog,
                ])
        }
        do {
            _ = try await launching.value
        } catch {
            // `pg_ctl` itself only says "Examine the log output".
            let log = (try? String(contentsOfFile: cluster.layout.startLog, encoding: .utf8)) ?? ""
            throw PostgresServerError("\(error)\n\(log.suffix(1000))")
        }
    }

    /// How soon a death is noticed.
    private static let lookInterval = Duration.seconds(1)

    /// Starts the server, restarts it whenever it dies, and stops it when the task is cancelled.
    package func run() async throws {
        try await start()
        var postmaster = Postmaster(of: cluster.layout.cluster)
        var pause = Duration.milliseconds(250)
        while (try? await Task.sleep(for: Self.lookInterval)) != nil {
            if postmaster?.isRunning == true { continue }
            // Somebody may have restarted it.
            postmaster = Postmaster(of: cluster.layout.cluster)
            if postmaster != nil { continue }
            logger.error("PostgreSQL has died; starting it again")
            do {
                try await start()
                pause = .milliseconds(250)
            } catch {
                if Task.isCancelled { break }
                logger.error("PostgreSQL does not start", metadata: ["reason": "\(error)"])
                guard (try? await Task.sleep(for: pause)) != nil else { break }
                pause = min(pause * 2, .seconds(30))
            }
        }
        await stop()
    }

    /// Stops the server, if it runs: first politely to all sessions (fast shutdown), then at once (immediate shutdown).
    ///
    /// Also works in a cancelled task. A temporary server's files are removed, too.
    package func stop() async {
        if let postmaster = Postmaster(of: cluster.layout.cluster) {
            for signal in [SIGINT, SIGQUIT] where postmaster.isRunning {
                postmaster.signal(signal)
                let deadline = ContinuousClock.now + cluster.options.patience / 2
                while postmaster.isRunning, ContinuousClock.now < deadline { await Self.pause() }
            }
        }
        if let lifeline = lifeline.withLock({ $0.take() }) {
            try? FileManager.default.removeItem(atPath: cluster.layout.socketDirectory)
            try? FileManager.default.removeItem(atPath: cluster.layout.base)
            _ = consume lifeline
        }
    }

    /// 20 ms, which unlike those of `Task.sleep` pass in a cancelled task, too.
    private static func pause() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
        }
    }

    // MARK: For tests

    /// Starts a fresh server below `/tmp` whose data may be lost and whose role may create databases.
    ///
    /// It ends, and its files go, with ``stop()``, with the last reference to it, and with this process, however that
    /// ends: a small shell process waits for the end of a pipe that only this process holds open.
    package static func temporary(logger: Logger = Logger(label: "postgres")) async throws -> PostgresServer {
        let name = String(UInt64.random(in: 0 ... .max), radix: 36)
        var options = PostgresServerOptions(dataDirectory: "/tmp/sluice-test-\(name)")
        options.isDurable = false
        options.mayCreateDatabases = true
        let server = try PostgresServer(options, logger: logger)
        let lifeline = try await Lifeline(layout: server.cluster.layout)
        server.lifeline.withLock { $0 = lifeline }
        try await server.start()
        return server
    }

    /// Made by whoever asks first; the others wait for the same one.
    private static let sharedServer = Task { try await temporary() }  // lint:allow

    /// One ``temporary(logger:)`` server for the whole process; make databases of your own on it.
    package static func shared() async throws -> PostgresServer { try await sharedServer.value }
}
