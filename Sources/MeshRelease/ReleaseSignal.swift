internal import Synchronization

/// Tells a driver that something was written. Notices that come while nobody waits are remembered, as one.
package final class ReleaseSignal: Sendable {
    private struct State {
        var isPending = false
        var latch = Latch()
    }

    private let state = Mutex(State())

    package init() {}

    package func notify() {
        let latch = state.withLock { state in
            state.isPending = true
            return state.latch
        }
        latch.open()
    }

    /// Returns after the next notice, or one that came since the last wait, and at the latest after `limit`.
    package func wait(atMost limit: Duration) async throws {
        let latch = state.withLock { $0.latch }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await latch.wait() }
            group.addTask { try await Task.sleep(for: limit) }
            defer { group.cancelAll() }
            try await group.next()
        }
        state.withLock { state in
            guard state.isPending else { return }
            state = State()
        }
    }
}
