package import GrayRelease
internal import Logging
internal import MeshCore
internal import MeshModel
internal import MeshStore

/// A release that one replica may drive until its lease ends, as it was when it was claimed.
package struct ClaimedRelease: Sendable {
    package let release: StoredRelease
    /// Tells by row version and lease epoch whether the claim still holds.
    let row: ReleaseRow
}

/// Use cases of the release engine. It is the replica itself and acts for all tenants, so no permission is checked.
extension ControlPlane {
    /// How the engine is named in audit trail and events.
    private static let engine = "release-engine"

    /// How long a release that cannot be read is left alone.
    private static let unreadablePause = Duration.seconds(60)

    /// Claims releases whose time has come and whose lease is free or over, the longest waiting first.
    ///
    /// One that cannot be read is given back: it was written by a newer program, which may be about to take over. The others
    /// do not wait for it.
    ///
    /// - Parameter replica: the replica's name, unique among all that run.
    package func claimReleases(by replica: String, limit: Int, lease: Duration) async throws -> [ClaimedRelease] {
        try await translatingErrors {
            var claimed: [ClaimedRelease] = []
            for row in try await store.claimReleases(by: replica, limit: limit, lease: lease) {
                do {
                    claimed.append(ClaimedRelease(release: try StoredRelease(row), row: row))
                } catch {
                    logger.error(
                        "cannot read a release", metadata: ["release": "\(row.object.key)", "error": "\(error)"])
                    try await store.giveBack(row, delay: Self.unreadablePause)
                }
            }
            return claimed
        }
    }

    /// Commits what was decided about a claimed release, in one transaction, and ends the lease.
    ///
    /// - Returns: `false` if somebody has written the release or taken the lease meanwhile; then nothing was written.
    package func commit(_ decision: ReleaseDecision, of claimed: ClaimedRelease) async throws -> Bool {
        let (row, release) = (claimed.row, claimed.release)
        do {
            return try await translatingErrors {
                try await store.write(
                    tenant: release.mesh.tenant, mesh: release.mesh.mesh, actor: Self.engine,
                    requestId: "\(release.mesh)/\(release.name)"
                ) { transaction in
                    let object = try await transaction.commit(
                        decision, of: row, leaseEpoch: row.leaseEpoch, actor: Self.engine, isLast: true)
                    // Thrown, so that nothing of the transaction is committed.
                    guard object != nil else { throw SupersededDecision() }
                    return true
                }
            }
        } catch is SupersededDecision {
            return false
        }
    }

    /// Ends a lease without a decision; the release is due again after `delay`. Does nothing if the lease is lost.
    package func giveBack(_ claimed: ClaimedRelease, delay: Duration) async throws {
        try await translatingErrors { try await store.giveBack(claimed.row, delay: delay) }
    }

    /// How long until a release is due, at most `limit`; one under lease is due when the lease ends.
    package func timeUntilReleaseDue(atMost limit: Duration) async throws -> Duration {
        try await translatingErrors { try await store.timeUntilReleaseDue(atMost: limit) }
    }
}
