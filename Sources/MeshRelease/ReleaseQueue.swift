package import GrayRelease
package import MeshCore

/// Which release: its mesh and its name there.
package struct ReleaseID: Hashable, Sendable, CustomStringConvertible {
    package var mesh: MeshKey
    package var name: NamespacedName

    package init(mesh: MeshKey, name: NamespacedName) {
        self.mesh = mesh
        self.name = name
    }

    package var description: String { "\(mesh)/\(name)" }
}

/// A release that this replica alone may drive until the lease ends; whatever else the queue needs to know it again.
package protocol ReleaseClaim: Sendable {
    var id: ReleaseID { get }
    var spec: ReleaseSpec { get }
    var status: ReleaseStatus { get }
}

/// The outcome of a commit.
package enum CommitOutcome: Hashable, Sendable {
    case committed
    /// The release was written, or its lease taken, by another. Nothing was changed.
    case lost
}

/// The queue from which the driver gets releases that are due, and into which it puts what it decided. All times are the database's.
package protocol ReleaseQueue: Sendable {
    /// A claimed release with its row version and lease epoch.
    associatedtype Claim: ReleaseClaim

    /// Takes releases whose wake-up time has come and whose lease is free or over, the longest waiting first: raises
    /// each one's epoch and leases it to `replica`.
    func claim(by replica: String, limit: Int, lease: Duration) async throws -> [Claim]

    /// Reads the world around a claimed release, and the time. Outside of any transaction.
    ///
    /// ACKs are counted against the revisions in the claimed status.
    func observe(_ release: Claim) async throws -> (observations: ReleaseObservations, now: Timestamp)

    /// Writes a decision if row version and lease epoch are still those of the claim, and ends the lease.
    ///
    /// In one transaction: the status (stamped), events, service changes, the next wake-up time and the time of this
    /// commit as the last drive; the mesh's revision grows if the decision changes routes.
    func commit(_ decision: ReleaseDecision, of release: Claim) async throws -> CommitOutcome

    /// Ends a lease without a decision; the release is due again after `delay`. Does nothing if the lease is lost.
    func giveBack(_ release: Claim, delay: Duration) async throws

    /// How long until a release is due, at most `limit`. Zero: one is due now.
    func timeUntilDue(atMost limit: Duration) async throws -> Duration

    /// Returns when something may have become due, or after `limit`. Spurious returns are fine.
    func waitForSignal(atMost limit: Duration) async throws
}
