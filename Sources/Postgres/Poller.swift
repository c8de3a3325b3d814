internal import CLibPQ
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Waits for sockets: one thread and one `epoll` for all connections of the process.
///
/// A task that waits here is suspended, so no thread of the cooperative pool ever blocks on PostgreSQL. One thread is
/// cheaper than a `DispatchSource` a connection: a round trip wakes this thread and the task's, and no third one.
///
/// Source: epoll(7), `EPOLLONESHOT`.
@safe
final class Poller: Sendable {
    static let shared = Poller()

    /// The events to wait for.
    enum Interest { case read, write, readOrWrite }

    /// Why a wait ended.
    enum Readiness { case ready, timedOut, cancelled }

    private struct Waiter {
        let continuation: CheckedContinuation<Readiness, Never>
        let deadline: ContinuousClock.Instant?
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        /// When the thread must look at deadlines next; at or before the earliest of them.
        var wakeAt: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let tokens = Atomic<UInt64>(1)
    private let epoll: Int32
    private let bell: Int32

    private init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && bell >= 0, "no file descriptor left for the poller")
        var event = unsafe epoll_event(events: EPOLLIN.rawValue, data: epoll_data(u64: 0))
        unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event)
        // A serial queue of its own, so the loop occupies a thread that nobody else counts on.
        DispatchQueue(label: "postgres.poller").async { [self] in
            while true { self.turn() }
        }
    }

    /// Suspends until `descriptor` is ready, `deadline` has passed, or, if `cancellable`, the task is cancelled.
    ///
    /// One waiter a descriptor. An error or hang-up counts as ready: the next libpq call reports it.
    func wait(
        for interest: Interest, on descriptor: Int32, until deadline: ContinuousClock.Instant?, cancellable: Bool
    ) async -> Readiness {
        let token = tokens.wrappingAdd(1, ordering: .relaxed).newValue
        guard cancellable else { return await suspend(token, interest, descriptor, deadline, cancellable: false) }
        return await withTaskCancellationHandler {
            await suspend(token, interest, descriptor, deadline, cancellable: true)
        } onCancel: {
            resume(token, .cancelled)
        }
    }

    private func suspend(
        _ token: UInt64, _ interest: Interest, _ descriptor: Int32, _ deadline: ContinuousClock.Instant?,
        cancellable: Bool
    ) async -> Readiness {
        await withCheckedContinuation { continuation in
            let mustRing = state.withLock { state in
                state.waiters[token] = Waiter(continuation: continuation, deadline: deadline)
                guard let deadline, state.wakeAt.map({ deadline < $0 }) ?? true else { return false }
                state.wakeAt = deadline
                return true
            }
            if mustRing { ring() }
            if !arm(token, interest, descriptor) { resume(token, .ready) }
            // The cancellation handler may have run before there was anything to resume.
            if cancellable, Task.isCancelled { resume(token, .cancelled) }
        }
    }

    /// Asks for one event. MOD first: all but the first wait of a connection find its descriptor registered.
    private func arm(_ token: UInt64, _ interest: Interest, _ descriptor: Int32) -> Bool {
        let events =
            switch interest {
            case .read: EPOLLIN.rawValue
            case .write: EPOLLOUT.rawValue
            case .readOrWrite: EPOLLIN.rawValue | EPOLLOUT.rawValue
            }
        var event = unsafe epoll_event(events: events | EPOLLONESHOT.rawValue, data: epoll_data(u64: token))
        if unsafe epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 { return true }
        guard errno == ENOENT else { return false }
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    private func resume(_ token: UInt64, _ readiness: Readiness) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: token) }
        waiter?.continuation.resume(returning: readiness)
    }

    private func ring() {
        _ = eventfd_write(bell, 1)
    }

    /// One round of the thread: waits, hands out events, then looks at deadlines that are due.
    private func turn() {
        let timeout: Int32 = state.withLock { state in
            guard let wakeAt = state.wakeAt else { return -1 }
            let milliseconds = ContinuousClock.now.duration(to: wakeAt) / .milliseconds(1)
            return Int32(max(0, min(milliseconds.rounded(.up), 3_600_000)))
        }
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = unsafe epoll_wait(epoll, events.baseAddress, 64, timeout)
            for index in 0..<max(0, Int(count)) {
                let token = unsafe events[index].data.u64
                if token == 0 { drainBell() } else { resume(token, .ready) }
            }
        }
        expire()
    }

    private func drainBell() {
        var value: eventfd_t = 0
        _ = unsafe eventfd_read(bell, &value)
    }

    private func expire() {
        let expired = state.withLock { state -> [Waiter] in
            let now = ContinuousClock.now
            guard let wakeAt = state.wakeAt, wakeAt <= now else { return [] }
            let due = state.waiters.filter { $0.value.deadline.map { $0 <= now } ?? false }
            for token in due.keys { state.waiters[token] = nil }
            state.wakeAt = state.waiters.values.lazy.compactMap(\.deadline).min()
            return Array(due.values)
        }
        for waiter in expired { waiter.continuation.resume(returning: .timedOut) }
    }
}
