internal import NIOCore
internal import Synchronization

/// Counts calls against their bounds, and has those wait for which there is no room.
///
/// Whoever waits longer goes first among those that there is room for; one that waits for its provider does not hold up the
/// calls of its tenant to other providers.
final class CallBounds: Sendable {
    private struct Waiter {
        let id: Int
        let bounds: [EgressBound]
        let promise: EventLoopPromise<Void>
    }

    private struct State {
        var counts: [String: Int] = [:]
        /// In the order in which they came. There is no room for any of them.
        var waiters: [Waiter] = []
        var nextID = 0

        /// The first bound that has no room.
        func full(among bounds: [EgressBound]) -> EgressBound? {
            bounds.first { counts[$0.name, default: 0] >= $0.limit }
        }

        mutating func admit(_ bounds: [EgressBound]) {
            for bound in bounds { counts[bound.name, default: 0] += 1 }
        }

        mutating func dismiss(_ bounds: [EgressBound]) {
            for bound in bounds {
                let rest = counts[bound.name, default: 0] - 1
                counts[bound.name] = rest > 0 ? rest : nil
            }
        }

        /// Admits all that there is room for.
        mutating func admitWaiters() -> [Waiter] {
            var admitted: [Waiter] = []
            var rest: [Waiter] = []
            for waiter in waiters {
                if full(among: waiter.bounds) == nil {
                    admit(waiter.bounds)
                    admitted.append(waiter)
                } else {
                    rest.append(waiter)
                }
            }
            waiters = rest
            return admitted
        }
    }

    private let state = Mutex(State())

    /// The number of calls that wait.
    var waiting: Int { state.withLock(\.waiters.count) }

    /// Waits until there is room. Whoever has entered leaves again.
    ///
    /// - Throws: ``EgressFailure/busy(_:)`` if there is none in time, or ``EgressFailure/cancelled``.
    func enter(
        _ bounds: [EgressBound], until deadline: NIODeadline, on loop: any EventLoop
    ) async throws(EgressFailure) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.full(among: bounds) != nil else {
                state.admit(bounds)
                return nil
            }
            let waiter = Waiter(id: state.nextID, bounds: bounds, promise: loop.makePromise())
            state.nextID &+= 1
            state.waiters.append(waiter)
            return waiter
        }
        guard let waiter else { return }
        let id = waiter.id
        let alarm = loop.scheduleTask(deadline: deadline) { self.giveUp(id, isCancelled: false) }
        defer { alarm.cancel() }
        try await waiter.promise.futureResult.value { self.giveUp(id, isCancelled: true) }
    }

    func leave(_ bounds: [EgressBound]) {
        let admitted = state.withLock { state in
            state.dismiss(bounds)
            return state.admitWaiters()
        }
        for waiter in admitted { waiter.promise.succeed() }
    }

    /// Takes a waiter out, unless it has been admitted.
    private func giveUp(_ id: Int, isCancelled: Bool) {
        let found = state.withLock { state -> (waiter: Waiter, full: EgressBound?)? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            let waiter = state.waiters.remove(at: index)
            return (waiter, state.full(among: waiter.bounds))
        }
        guard let found else { return }
        let failure = found.full.map(EgressFailure.busy) ?? .cancelled
        found.waiter.promise.fail(isCancelled ? .cancelled : failure)
    }
}

extension EventLoopFuture where Value: Sendable {
    /// Waits for the value.
    ///
    /// - Parameter cancel: is called when the task is cancelled, and makes the future fail.
    func result(cancel: @escaping @Sendable () -> Void) async -> Result<Value, EgressFailure> {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                whenComplete { continuation.resume(returning: $0) }
            }
        } onCancel: {
            cancel()
        }
        return result.mapError { ($0 as? EgressFailure) ?? .broken("\($0)") }
    }

    /// Waits for the value, as ``result(cancel:)`` does.
    func value(cancel: @escaping @Sendable () -> Void) async throws(EgressFailure) -> Value {
        try await result(cancel: cancel).get()
    }
}

extension EventLoopPromise {
    func fail(_ failure: EgressFailure) { fail(failure as any Error) }
}
