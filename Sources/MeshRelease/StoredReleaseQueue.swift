package import GrayRelease
package import Logging
package import MeshControl
package import MeshCore
internal import MeshModel
internal import MeshStore

/// The releases in the database, as the driver's queue.
package struct StoredReleaseQueue: ReleaseQueue {
    package struct Claim: ReleaseClaim {
        let row: ReleaseRow
        let release: StoredRelease

        package var id: ReleaseID { ReleaseID(mesh: release.mesh, name: release.name) }
        package var spec: ReleaseSpec { release.spec }
        package var status: ReleaseStatus { release.status }
    }

    /// How the engine is named in audit trail and events.
    package static let actor = "release-engine"

    private let control: ControlPlane
    private let signal: ReleaseSignal
    private let logger: Logger

    /// - Parameter signal: to be notified when a release was written, or may have become due.
    package init(control: ControlPlane, signal: ReleaseSignal, logger: Logger) {
        self.control = control
        self.signal = signal
        self.logger = logger
    }

    package func claim(owner: String, limit: Int, lease: Duration) async throws -> [Claim] {
        var claims: [Claim] = []
        for row in try await control.store.claimReleases(owner: owner, limit: limit, lease: lease) {
            do {
                claims.append(Claim(row: row, release: try StoredRelease(row)))
            } catch {
                // Written by a newer program, which may be about to take over. The others must not wait for it.
                logger.error("cannot read a release", metadata: ["release": "\(row.object.key)", "error": "\(error)"])
                try await control.store.giveBack(row, delay: .seconds(60))
            }
        }
        return claims
    }

    package func observe(_ release: Claim) async throws -> (observations: ReleaseObservations, now: Timestamp) {
        let world = try await control.observe(release.release)
        return (world.observations, world.now)
    }

    package func commit(_ decision: ReleaseDecision, of release: Claim) async throws -> CommitOutcome {
        let row = release.row
        let key = row.object.key
        do {
            return try await control.store.write(
                tenant: key.tenant, mesh: key.mesh, actor: Self.actor, requestId: "\(release.id)"
            ) { transaction in
                let object = try await transaction.commit(
                    decision, of: row, leaseEpoch: row.leaseEpoch, actor: Self.actor, isLast: true)
                // Thrown, so that nothing of the transaction is committed.
                guard object != nil else { throw LostComparison() }
                return .committed
            }
        } catch is LostComparison {
            return .lost
        }
    }

    package func giveBack(_ release: Claim, delay: Duration) async throws {
        try await control.store.giveBack(release.row, delay: delay)
    }

    package func timeUntilDue(atMost limit: Duration) async throws -> Duration {
        try await control.store.timeUntilReleaseDue(atMost: limit)
    }

    package func waitForSignal(atMost limit: Duration) async throws { try await signal.wait(atMost: limit) }

    private struct LostComparison: Error {}
}
