package import Logging
package import MeshModel
package import Postgres

/// Tells a replica that something was written, by it or another one.
///
/// A signal says which mesh and nothing else; readers look at the feed. A lost one costs latency, never correctness.
package final class ChangeSignals: Sendable {
    static let channel = "sluice"

    /// What a signal says.
    package enum Signal: Hashable, Sendable {
        case changed(MeshKey)
        /// Signals may have been missed: look at everything.
        case anything
    }

    private let listener: Listener
    /// For one consumer. At most 1024 wait here; then ``Signal/anything`` stands for those that are dropped.
    package let signals: AsyncStream<Signal>
    private let continuation: AsyncStream<Signal>.Continuation

    package init(_ options: ConnectionOptions, logger: Logger) {
        listener = Listener(options, channels: [SQLIdentifier(Self.channel)], logger: logger)
        (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    }

    /// Listens until cancelled; reconnects by itself.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.listener.run() }
            group.addTask {
                for await event in self.listener.events { self.deliver(Self.signal(event)) }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The newest signals are kept. That some were dropped is said after them, so it is the last to be dropped itself.
    func deliver(_ signal: Signal) {
        if case .dropped = continuation.yield(signal) { continuation.yield(.anything) }
    }

    private static func signal(_ event: Listener.Event) -> Signal {
        guard case .notification(let notification) = event else { return .anything }
        let parts = notification.payload.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let tenant = Name(String(parts[0])), let mesh = Name(String(parts[1])) else {
            return .anything
        }
        return .changed(MeshKey(tenant: tenant, mesh: mesh))
    }
}
