package import Logging
package import MeshControl
internal import MeshModel
internal import MeshStore

/// Measures what releases go by, beside the driver that decides: a provider that does not answer delays no other release and no
/// decision. Any number of replicas may run one.
///
/// It remembers nothing between two looks at a run, so it can be killed at any point: before the commit nothing was measured, after it
/// everything was.
package struct MeasurementDriver: Sendable {
    private let control: ControlPlane
    private let signal: ReleaseSignal
    private let logger: Logger

    /// Runs that are measured at the same time.
    private static let batch = 32
    /// How long a claim holds: longer than all providers of a run may take.
    private static let lease = Duration.seconds(30)
    /// How long one run may take before its claim is left to end.
    private static let patience = Duration.seconds(20)
    /// How long a run that another replica made due may go unnoticed.
    private static let idle = Duration.seconds(1)
    private static let retry = Duration.seconds(2)
    private static let forgetting = Duration.seconds(3_600)

    /// - Parameter signal: to be notified when a release may have become due.
    package init(control: ControlPlane, signal: ReleaseSignal, logger: Logger) {
        self.control = control
        self.signal = signal
        self.logger = logger
    }

    /// Measures until the task is cancelled.
    package func run() async throws {
        var forgotten = ContinuousClock.now
        while true {
            do {
                let claims = try await control.claimRuns(limit: Self.batch, lease: Self.lease)
                if claims.isEmpty {
                    try await Task.sleep(
                        for: max(.milliseconds(20), try await control.timeUntilRunDue(atMost: Self.idle)))
                } else {
                    await measure(claims)
                }
                if forgotten + Self.forgetting < .now {
                    forgotten = .now
                    try await control.forgetMeasurements()
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("cannot measure", metadata: ["error": "\(error)"])
                try await Task.sleep(for: Self.retry)
            }
            try Task.checkCancellation()
        }
    }

    private func measure(_ claims: [ClaimedRun]) async {
        await withDiscardingTaskGroup { group in
            for claim in claims {
                group.addTask {
                    do {
                        let isNew = try await MeshStore.withDeadline(Self.patience) { try await control.measure(claim) }
                        if isNew { signal.notify() }
                    } catch {
                        // The claim ends by itself, and then somebody tries again.
                        logger.warning(
                            "cannot measure for a release",
                            metadata: ["release": "\(claim.release.object.key)", "error": "\(error)"])
                    }
                }
            }
        }
    }
}
