internal import Dispatch
package import Documents
internal import MeshCore
internal import MeshModel
internal import Synchronization

/// Threads for work that takes the processor and waits for nothing, apart from those that everybody shares: a few jobs at a
/// time, a few that wait, and of each tenant only some of those.
package final class WorkDesk: Sendable {
    /// There is no room for another job.
    struct Full: Error {
        let limit: Limit
        /// Whether the limit is the one of a single tenant.
        let isOfTenant: Bool
    }

    private struct State {
        /// Threads that work.
        var working = 0
        var waiting: [Job] = []
        /// Jobs of a tenant that wait or are worked on.
        var ofTenant: [Name: Int] = [:]
    }

    private final class Job: Sendable {
        let tenant: Name
        let body: @Sendable () -> Void

        init(_ tenant: Name, _ body: @escaping @Sendable () -> Void) {
            self.tenant = tenant
            self.body = body
        }
    }

    private final class Flag: Sendable {
        private let flag = Atomic(false)
        var isUp: Bool { flag.load(ordering: .relaxed) }
        func raise() { flag.store(true, ordering: .relaxed) }
    }

    private let threads: Limit
    private let places: Limit
    private let placesPerTenant: Limit
    private let state = Mutex(State())

    package init(
        threads: Limit = Limits.simulations, places: Limit = Limits.waitingSimulations,
        placesPerTenant: Limit = Limits.waitingSimulationsPerTenant
    ) {
        self.threads = threads
        self.places = places
        self.placesPerTenant = placesPerTenant
    }

    /// Jobs that wait for a thread.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Does a job when its turn comes.
    ///
    /// - Parameter body: is told, whenever it asks, whether nobody waits for it any more.
    /// - Throws: ``Full``; `CancellationError` if the task is cancelled.
    func run<Value: Sendable>(
        for tenant: Name, _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) -> Value
    ) async throws -> Value {
        let flag = Flag()
        let value: Value? = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let job = Job(tenant) {
                    continuation.resume(returning: flag.isUp ? nil : body { flag.isUp })
                }
                if let full = admit(job) { continuation.resume(throwing: full) }
            }
        } onCancel: {
            flag.raise()
        }
        guard let value, !flag.isUp else { throw CancellationError() }
        return value
    }

    /// - Returns: why the job is not done; `nil`: it is.
    private func admit(_ job: Job) -> Full? {
        let (full, starts) = state.withLock { state -> (Full?, Bool) in
            let mine = state.ofTenant[job.tenant, default: 0]
            guard mine < placesPerTenant.value else { return (Full(limit: placesPerTenant, isOfTenant: true), false) }
            guard state.waiting.count < places.value else { return (Full(limit: places, isOfTenant: false), false) }
            state.ofTenant[job.tenant] = mine + 1
            guard state.working < threads.value else {
                state.waiting.append(job)
                return (nil, false)
            }
            state.working += 1
            return (nil, true)
        }
        if starts { DispatchQueue(label: "sluice.work").async { self.work(job) } }
        return full
    }

    private func work(_ first: Job) {
        var next: Job? = first
        while let job = next {
            job.body()
            next = state.withLock { state in
                let rest = state.ofTenant[job.tenant, default: 1] - 1
                state.ofTenant[job.tenant] = rest > 0 ? rest : nil
                if state.waiting.isEmpty {
                    state.working -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}
