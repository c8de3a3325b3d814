internal import Foundation
internal import Logging
internal import ServiceLifecycle

/// SIGTERM and SIGINT: the first drains, a second one stops at once.
///
/// The private PostgreSQL, if there is one, outlives a stop at once and is found again at the next start.
struct SignalWatch: Sendable {
    let logger: Logger

    /// Calls `drain` at the first signal and ends the process at the second. Runs until cancelled.
    func run(drain: @escaping @Sendable () async -> Void) async {
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        var isDraining = false
        for await number in signals {
            if isDraining {
                LogWriter.standardError.flush(atMost: .milliseconds(100))
                exit(1)
            }
            isDraining = true
            logger.notice("draining", metadata: ["signal": "\(number)"])
            await drain()
        }
    }
}

/// Does one thing when the server drains: after the services behind it have stopped, before those in front of it do.
struct Farewell: Service {
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
