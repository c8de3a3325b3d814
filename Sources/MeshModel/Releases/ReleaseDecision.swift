/// What follows from a release's status and the world: everything that has to be committed in one transaction.
package struct ReleaseDecision: Hashable, Sendable {
    /// To be stamped (``ReleaseStatus/stamp(_:)``) and written.
    package var status: ReleaseStatus
    /// To be inserted, oldest first.
    package var events: [ReleaseEvent]
    /// What to do to the service's status, in this order.
    package var serviceChanges: [ServiceStatus.Change]
    /// Whether routes change, by the release's own traffic or by the service's status: then the mesh's revision must
    /// grow with the commit.
    package var changesRoutes: Bool
    /// When to look again if nothing happens before. `nil`: the release is a draft or has ended.
    package var nextWakeupAt: Timestamp?
}

extension ServiceStatus {
    /// What a release does to the service that it is about.
    package enum Change: Hashable, Sendable {
        /// Names the version in charge, if none is named yet.
        case setStable(Name)
        /// One version takes over from the other.
        case promote(from: Name, to: Name)
        /// Takes the promotion back that the same release made.
        case revert(from: Name, to: Name)
    }

    /// How many promotions are remembered.
    package static let maxPromotions = 16

    /// - Parameter revision: of the transaction that writes the status.
    package mutating func apply(_ change: Change, at revision: Revision) {
        switch change {
        case .setStable(let version):
            if stableVersion == nil { stableVersion = version }
        case .promote(let from, let to):
            stableVersion = to
            promotions.append(Promotion(from: from, to: to, revision: revision))
            if promotions.count > Self.maxPromotions { promotions.removeFirst() }
        case .revert(let from, let to):
            if let index = promotions.lastIndex(where: { $0.from == from && $0.to == to }) {
                promotions.remove(at: index)
            }
            stableVersion = from
        }
    }
}
