package import MeshStore
internal import Synchronization

/// The inbox of one watch: the newest page of its feed, shared with all others who watch it, and nothing else. A watch
/// that missed pages reads them from the database when it gets to it, so a slow one costs no memory.
package final class WatchInbox: Sendable {
    private struct State {
        var page: FeedPage?
        var mustRead = false
        var mustReadConditions = false
    }

    /// Yields after ``wake()``; ends with the watch.
    package let wakeups: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    package init() { (wakeups, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    package func wake() { waker.yield() }

    package func end() { waker.finish() }

    /// Puts something in; the caller wakes the watch afterwards.
    ///
    /// - Parameter page: `nil`: there is something to be read.
    func put(_ page: FeedPage?) {
        state.withLock { state in
            if let page { state.page = page } else { state.mustRead = true }
        }
    }

    /// Conditions of objects in the feed may have changed.
    func tellOfConditions() { state.withLock { $0.mustReadConditions = true } }

    /// Takes out what came since the last time.
    package func take() -> (page: FeedPage?, mustRead: Bool, mustReadConditions: Bool) {
        state.withLock { state in
            defer { state = State() }
            return (state.page, state.mustRead, state.mustReadConditions)
        }
    }
}
