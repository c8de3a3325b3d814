internal import Glibc
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// SIGTERM and SIGINT: the first drains, a second one stops at once.
///
/// The private PostgreSQL, if there is one, outlives a stop at once and is found again at the next start. `ServiceGroup` could
/// take the first one itself, but it has no meaning for the same signal a second time: its signals that drain and its signals
/// that cancel must differ, and what is cancelled is still waited for.
struct SignalWatch: Sendable {
    private let signals: UnixSignalsSequence
    private let logger: Logger

    /// Begins to watch: when it has returned, no signal goes unseen.
    init(logger: Logger) async {
        signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        self.logger = logger
    }

    /// Calls `drain` at the first signal and ends the process at the second. Runs until cancelled, once.
    func run(drain: @escaping @Sendable () async -> Void) async {
        var isDraining = false
        for await signal in signals {
            if isDraining {
                LogWriter.standardError.flush(atMost: .milliseconds(100))
                exit(1)
            }
            isDraining = true
            logger.notice("draining", metadata: ["signal": "\(signal.rawValue)"])
            await drain()
        }
    }
}

/// Does one thing when the server drains: after the services behind it have stopped, before those in front of it do.
struct RetireReplica: Service {
    let work: @Sendable () async -> Void

    func run() async throws {
        try await gracefulShutdown()
        await work()
    }
}

/// A service whose work simply ends when the server drains.
struct Background: Service {
    let name: String
    let logger: Logger
    let work: @Sendable () async throws -> Void

    init(_ name: String, _ logger: Logger, _ work: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.logger = logger
        self.work = work
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await work()
            } catch is CancellationError {
                return
            } catch {
                guard !Task.isCancelled else { return }
                logger.critical("ended unexpectedly", metadata: ["service": "\(name)", "error": "\(error)"])
                throw error
            }
        }
    }
}
