package import Logging
package import MeshCore
package import Postgres
internal import Synchronization

/// Tells a replica that something was written, by it or another one.
///
/// A signal says where and nothing else; readers look at the database. A lost one costs latency, never correctness.
package final class ChangeSignals: Sendable {
    static let channel = "sluice"
    /// The announcement of a release that was written, after its mesh's. Meshes' announcements have a slash.
    static let releasePayload = "release"
    /// Goes before a mesh of which only conditions changed.
    private static let conditionsPrefix = "conditions:"

    /// A signal.
    package enum Signal: Hashable, Sendable {
        /// The mesh's feed has something new.
        case changed(MeshKey)
        /// Conditions of the mesh's objects changed; no object did.
        case conditions(MeshKey)
        /// A release was written, so one may be due.
        case release
        /// Signals may have been missed: look at everything.
        case anything
    }

    private let options: ConnectionOptions
    private let logger: Logger
    private let subscribers = Mutex<[Subscriber]>([])

    private struct Subscriber {
        let queue: SignalQueue
        let wants: @Sendable (Signal) -> Bool
    }

    package init(_ options: ConnectionOptions, logger: Logger) {
        self.options = options
        self.logger = logger
    }

    /// A queue of what is told from now on, for one consumer; for as long as there are signals.
    ///
    /// - Parameter wants: what the consumer is woken for; ``Signal/anything`` is for everybody.
    package func subscribe(
        where wants: @escaping @Sendable (Signal) -> Bool = { _ in true }
    ) -> AsyncStream<Signal> {
        let queue = SignalQueue()
        subscribers.withLock { $0.append(Subscriber(queue: queue, wants: wants)) }
        return queue.signals
    }

    /// Listens until cancelled; reconnects by itself.
    package func run() async throws {
        let listener = Listener(options, channels: [SQLIdentifier(Self.channel)], logger: logger) {
            self.deliver(Self.signal($0))
        }
        try await listener.run()
    }

    private func deliver(_ signal: Signal) {
        for subscriber in subscribers.withLock({ $0 }) where signal == .anything || subscriber.wants(signal) {
            subscriber.queue.put(signal)
        }
    }

    private static func signal(_ event: Listener.Event) -> Signal {
        guard case .notification(let notification) = event else { return .anything }
        if notification.payload == releasePayload { return .release }
        if notification.payload.hasPrefix(conditionsPrefix) {
            return mesh(notification.payload.dropFirst(conditionsPrefix.count)).map(Signal.conditions) ?? .anything
        }
        return mesh(notification.payload[...]).map(Signal.changed) ?? .anything
    }

    private static func mesh(_ text: Substring) -> MeshKey? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let tenant = Name(String(parts[0])), let mesh = Name(String(parts[1])) else {
            return nil
        }
        return MeshKey(tenant: tenant, mesh: mesh)
    }

    /// The announcement that conditions of a mesh changed.
    static func conditionsPayload(_ mesh: MeshKey) -> String { conditionsPrefix + mesh.description }
}

/// Signals that wait for one consumer: at most 1024, and then ``ChangeSignals/Signal/anything`` stands for those that are
/// dropped.
struct SignalQueue: Sendable {
    let signals: AsyncStream<ChangeSignals.Signal>
    private let continuation: AsyncStream<ChangeSignals.Signal>.Continuation

    init() {
        (signals, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    }

    /// The newest signals are kept. That some were dropped is said after them, so it is the last to be dropped itself.
    func put(_ signal: ChangeSignals.Signal) {
        if case .dropped = continuation.yield(signal) { continuation.yield(.anything) }
    }
}
