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
    private static let places = 32
    /// How long a claim holds: longer than all providers of a run may take.
    private static let lease = Duration.seconds(30)
    /// How long one run may take before its claim is left to end.
    private static let patience = Duration.seconds(20)
    /// How long a run that another replica made due may go unnoticed.
    private static let idle = Duration.seconds(1)

    /// - Parameter signal: to be notified when a release may have become due.
    package init(control: ControlPlane, signal: ReleaseSignal, logger: Logger) {
        self.control = control
        self.signal = signal
        self.logger = logger
    }

    /// Measures until the task is cancelled.
    package func run() async throws {
        let work = SlidingWork(
            name: "measure", places: Self.places, logger: logger,
            take: { limit in try await control.claimRuns(limit: limit, lease: Self.lease) },
            wait: {
                let time = try await control.timeUntilRunDue(atMost: Self.idle)
                try await Task.sleep(for: max(.milliseconds(20), time))
            },
            carryOut: { claim in await measure(claim) }, forget: { try await control.forgetMeasurements() })
        try await work.run()
    }

    private func measure(_ claim: ClaimedRun) async {
        do {
            let isNew = try await MeshStore.withDeadline(Self.patience + claim.callTime) {
                try await control.measure(claim)
            }
            if isNew { signal.notify() }
        } catch {
            // The claim ends by itself, and then somebody tries again.
            logger.warning(
                "cannot measure for a release",
                metadata: ["release": "\(claim.release.object.key)", "error": "\(error)"])
        }
    }
}
