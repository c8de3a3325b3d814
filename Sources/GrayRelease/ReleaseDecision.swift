package import MeshCore

/// A decision about a release, from its status and the world: everything that has to be committed in one transaction.
package struct ReleaseDecision: Hashable, Sendable {
    /// To be stamped (``ReleaseStatus/stamp(_:)``) and written.
    package var status: ReleaseStatus
    /// To be inserted, oldest first.
    package var events: [ReleaseEvent]
    /// The changes of the service's status, in this order.
    package var serviceChanges: [ServiceStatus.Change]
    /// The changes of its runs of analyses, in this order.
    package var analysisChanges: [AnalysisChange]
    /// Whether routes change, by the release's own traffic or by the service's status: then the mesh's revision must
    /// grow with the commit.
    package var changesRoutes: Bool
    /// The time at which it was made, PostgreSQL's.
    package var decidedAt: Timestamp
    /// When to look again if nothing happens before. `nil`: the release is a draft or has ended.
    package var nextWakeupAt: Timestamp?
}
