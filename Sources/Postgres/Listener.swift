package import Logging

/// Receives notifications on a connection of its own, and connects again whenever it breaks.
package final class Listener: Sendable {
    package enum Event: Hashable, Sendable {
        /// The listener has just begun to listen, for the first time or again: notifications may have been missed, so read
        /// the state itself.
        case mayHaveMissed
        case notification(Notification)
    }

    private let options: ConnectionOptions
    private let channels: [SQLIdentifier]
    private let backoff: ClosedRange<Duration>
    private let logger: Logger
    private let handle: @Sendable (Event) -> Void

    /// How long the line may be silent before a query checks that the server is still there.
    private static let probeInterval: Duration = .seconds(20)

    /// - Parameters:
    ///   - backoff: between two attempts to connect, from the first to the longest.
    ///   - handle: is told of each event, one after the other, and must not block.
    package init(
        _ options: ConnectionOptions, channels: [SQLIdentifier],
        backoff: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3)), logger: Logger,
        handle: @escaping @Sendable (Event) -> Void
    ) {
        self.options = options
        self.channels = channels
        self.backoff = backoff
        self.logger = logger
        self.handle = handle
    }

    /// Listens until the task is cancelled. Call it once.
    package func run() async throws {
        var pauses = Backoff(backoff)
        while !Task.isCancelled {
            do throws(PostgresError) {
                let connection = try await Connection.open(options)
                try await connection.execute(script: channels.map { "LISTEN \($0);" }.joined())
                pauses = Backoff(backoff)
                handle(.mayHaveMissed)
                try await receive(on: connection)
            } catch {
                if error.kind == .cancelled { return }
                let pause = pauses.next()
                logger.warning("lost the listening connection", metadata: ["reason": "\(error)", "retry": "\(pause)"])
                guard (try? await Task.sleep(for: pause)) != nil else { return }
            }
        }
    }

    private func receive(on connection: Connection) async throws(PostgresError) {
        while !Task.isCancelled {
            let deadline = ContinuousClock.now + Self.probeInterval
            let notifications = try await connection.notifications(until: deadline)
            for notification in notifications { handle(.notification(notification)) }
            if notifications.isEmpty, ContinuousClock.now >= deadline { _ = try await connection.query("SELECT 1") }
        }
    }
}
