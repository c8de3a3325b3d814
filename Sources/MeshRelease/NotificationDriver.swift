package import Logging
package import MeshControl
internal import MeshStore

/// Delivers what releases tell channels, beside the drivers that decide and measure. Any number of replicas may run one.
///
/// A channel is delivered to by one replica at a time, and each delivery is a task of its own: a channel that hangs delays no other, and
/// no release.
package struct NotificationDriver: Sendable {
    private let control: ControlPlane
    private let signal: ReleaseSignal
    private let logger: Logger

    /// How long a claim holds: longer than one delivery may take. A replica that dies is replaced after that.
    private static let lease = Duration.seconds(30)
    /// How long one delivery may take before its claim is left to end.
    private static let patience = Duration.seconds(20)
    /// How long a message that another replica wrote may go unnoticed.
    private static let idle = Duration.seconds(1)

    /// - Parameter signal: to be notified when a release was written.
    package init(control: ControlPlane, signal: ReleaseSignal, logger: Logger) {
        self.control = control
        self.signal = signal
        self.logger = logger
    }

    /// Delivers until the task is cancelled.
    package func run() async throws {
        let work = SlidingWork(
            name: "deliver notifications", places: ControlPlane.deliveries, logger: logger,
            take: { limit in try await control.claimChannels(limit: limit, lease: Self.lease) },
            wait: {
                let time = try await control.timeUntilDeliveryDue(atMost: Self.idle)
                // Also where somebody else is at it, or the tenant's deliveries are under way.
                try await signal.wait(atMost: max(.milliseconds(100), time))
            },
            carryOut: { claim in
                await deliver(claim)
                signal.notify()
            }, forget: { try await control.forgetMessages() })
        try await work.run()
    }

    private func deliver(_ claim: ClaimedChannel) async {
        do {
            _ = try await MeshStore.withDeadline(Self.patience) { try await control.deliver(claim) }
        } catch {
            // The claim ends by itself, and then somebody tries again.
            logger.warning(
                "cannot deliver a notification", metadata: ["channel": "\(claim.key)", "error": "\(error)"])
        }
    }
}
