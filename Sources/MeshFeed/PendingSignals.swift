internal import MeshStore
internal import Synchronization

/// Signals that wait for the reader: each once, however often it comes, for one look finds all that there is. So a mesh that is
/// written to without a pause costs one read at a time, and the others have their turns in between.
final class PendingSignals: Sendable {
    private struct State {
        /// The signals that wait, each once.
        var waiting: Set<ChangeSignals.Signal> = []
        /// The waiting signals, the oldest first.
        var order: [ChangeSignals.Signal] = []
    }

    /// Yields when there may be a signal; for one consumer.
    let wakeups: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() { (wakeups, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func put(_ signal: ChangeSignals.Signal) {
        state.withLock { state in
            if state.waiting.insert(signal).inserted { state.order.append(signal) }
        }
        waker.yield()
    }

    /// The signal that has waited longest; it no longer does.
    func take() -> ChangeSignals.Signal? {
        state.withLock { state in
            guard !state.order.isEmpty else { return nil }
            let signal = state.order.removeFirst()
            state.waiting.remove(signal)
            return signal
        }
    }
}
