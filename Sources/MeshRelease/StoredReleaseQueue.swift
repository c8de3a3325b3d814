package import GrayRelease
package import MeshControl
package import MeshCore

/// The releases in the database, as the driver's queue.
package struct StoredReleaseQueue: ReleaseQueue {
    private let control: ControlPlane
    private let signal: ReleaseSignal

    /// - Parameter signal: to be notified when a release was written, or may have become due.
    package init(control: ControlPlane, signal: ReleaseSignal) {
        self.control = control
        self.signal = signal
    }

    package func claim(by replica: String, limit: Int, lease: Duration) async throws -> [ClaimedRelease] {
        try await control.claimReleases(by: replica, limit: limit, lease: lease)
    }

    package func observe(
        _ claimed: ClaimedRelease
    ) async throws -> (observations: ReleaseObservations, now: Timestamp) {
        let world = try await control.observe(claimed.release)
        return (world.observations, world.now)
    }

    package func commit(_ decision: ReleaseDecision, of claimed: ClaimedRelease) async throws -> CommitOutcome {
        try await control.commit(decision, of: claimed) ? .committed : .lost
    }

    package func giveBack(_ claimed: ClaimedRelease, delay: Duration) async throws {
        try await control.giveBack(claimed, delay: delay)
    }

    package func timeUntilDue(atMost limit: Duration) async throws -> Duration {
        try await control.timeUntilReleaseDue(atMost: limit)
    }

    package func waitForSignal(atMost limit: Duration) async throws { try await signal.wait(atMost: limit) }
}

extension ClaimedRelease: ReleaseClaim {
    package var id: ReleaseID { ReleaseID(mesh: release.mesh, name: release.name) }
    package var spec: ReleaseSpec { release.spec }
    package var status: ReleaseStatus { release.status }
}
