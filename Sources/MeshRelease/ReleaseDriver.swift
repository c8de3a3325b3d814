internal import FaultPoints
internal import GrayRelease
package import Logging
internal import MeshCore

/// Drives the releases that are due: claims them, looks at the world, decides, commits. Any number of replicas may run
/// one on the same queue.
///
/// It remembers nothing between two looks at a release, so it can be killed at any point: before the commit nothing has
/// happened, after it everything has.
package struct ReleaseDriver<Queue: ReleaseQueue>: Sendable {
    package struct Configuration: Sendable {
        /// How many releases are driven at the same time.
        package var batch = 16
        /// How long a claim holds. A replica that dies is replaced after that.
        package var lease = Duration.seconds(15)
        /// How long one release may take before it is given back, so that it does not hold up the others.
        package var patience = Duration.seconds(5)
        /// How long a lost signal may go unnoticed.
        package var idle = Duration.seconds(2)
        /// Signals within this time count as one.
        package var holdOff = Duration.milliseconds(20)
        /// How long a release whose observation or commit failed is left alone.
        package var retryDelay = Duration.seconds(1)
        /// The first and the longest wait after the queue could not be reached; doubles in between.
        package var backoff = Duration.milliseconds(100)...Duration.seconds(5)
        /// How long work in hand may take after cancellation.
        package var shutdown = Duration.seconds(5)

        package init() {}
    }

    private let queue: Queue
    private let replica: String
    private let configuration: Configuration
    private let logger: Logger

    /// - Parameter replica: this replica's name, unique among all that run.
    package init(queue: Queue, replica: String, configuration: Configuration = Configuration(), logger: Logger) {
        self.queue = queue
        self.replica = replica
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until the task is cancelled: then claims nothing more, finishes what it has in hand, and ends those leases.
    ///
    /// Never ends because of errors; a queue that cannot be reached is asked again, ever more slowly.
    package func run() async throws {
        let stop = Latch()
        // Cancellation must not reach commits in hand; the task is awaited right here.
        let running = Task { await work(until: stop) }  // lint:allow
        await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            stop.open()
        }
    }

    private func work(until stop: Latch) async {
        await withTaskGroup { group in
            group.addTask { await loop(until: stop) }
            group.addTask {
                await stop.wait()
                try? await Task.sleep(for: configuration.shutdown)
            }
            // Whichever is first: the loop's end, or the end of its time.
            await group.next()
            group.cancelAll()
        }
    }

    private func loop(until stop: Latch) async {
        var backoff = configuration.backoff.lowerBound
        while !stop.isOpen {
            do {
                let claimed = try await queue.claim(
                    by: replica, limit: configuration.batch, lease: configuration.lease)
                backoff = configuration.backoff.lowerBound
                if claimed.isEmpty {
                    try await waitUntilDue(or: stop)
                } else {
                    await drive(claimed)
                }
            } catch {
                logger.warning("cannot claim releases", metadata: ["error": "\(error)", "retryAfter": "\(backoff)"])
                let wait = backoff * Double.random(in: 0.5...1)
                await unlessStopped(stop) { try? await Task.sleep(for: wait) }
                backoff = min(backoff * 2, configuration.backoff.upperBound)
            }
        }
    }

    /// Waits until something may be due.
    private func waitUntilDue(or stop: Latch) async throws {
        let time = try await queue.timeUntilDue(atMost: configuration.idle)
        try await unlessStopped(stop) {
            if time > .zero { try await queue.waitForSignal(atMost: min(time, configuration.idle)) }
            // Also where a release is due and another replica is at it.
            try await Task.sleep(for: configuration.holdOff)
        }
    }

    private func drive(_ releases: [Queue.Claim]) async {
        await withDiscardingTaskGroup { group in
            for release in releases { group.addTask { await drive(release) } }
        }
    }

    private func drive(_ release: Queue.Claim) async {
        do {
            FaultPoint.releaseClaimed.reach()
            try await withDeadline(configuration.patience) {
                let (observations, now) = try await queue.observe(release)
                let decision = ReleaseMachine.decide(
                    spec: release.spec, status: release.status, observations: observations, now: now)
                FaultPoint.releaseDecided.reach()
                let outcome = try await queue.commit(decision, of: release)
                FaultPoint.releaseCommitted.reach()
                record(decision, of: release, outcome)
            }
        } catch {
            logger.warning("cannot drive a release", metadata: ["release": "\(release.id)", "error": "\(error)"])
            // Without success the lease ends by itself.
            try? await queue.giveBack(release, delay: configuration.retryDelay)
        }
    }

    private func record(_ decision: ReleaseDecision, of release: Queue.Claim, _ outcome: CommitOutcome) {
        guard outcome == .committed else {
            logger.debug("somebody else wrote the release first", metadata: ["release": "\(release.id)"])
            return
        }
        for event in decision.events {
            logger.info(
                "release event",
                metadata: [
                    "release": "\(release.id)", "event": "\(event.kind.rawValue)", "phase": "\(event.phase.rawValue)",
                    "step": "\(event.stepIndex.map(String.init) ?? "-")", "canary": "\(event.canaryShare.basisPoints)",
                    "reason": "\(event.reason?.rawValue ?? "-")",
                ])
        }
    }

    /// Does something that is given up when the driver is asked to stop.
    private func unlessStopped(_ stop: Latch, _ body: @escaping @Sendable () async throws -> Void) async rethrows {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await stop.wait() }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Gives up after `limit`.
    private func withDeadline(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: limit)
                throw TookTooLong()
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private struct TookTooLong: Error {}
}
