package import Logging
package import MeshFeed
package import MeshStore

/// Every use case of the platform: who may, what is valid, what fits together, then one transaction.
///
/// The REST API, the release engine and registries all come through here, so that a rule is written once.
package struct ControlPlane: Sendable {
    package let store: MeshStore
    /// What simulations and the release engine see of a mesh.
    package let mirror: MeshMirror
    /// What watches of lists are fed by.
    package let follower: FeedFollower
    /// Where simulations are carried out.
    let desk = WorkDesk()
    let indexes = RuleIndexes()
    let logger: Logger

    package init(store: MeshStore, mirror: MeshMirror, logger: Logger) {
        self.store = store
        self.mirror = mirror
        follower = FeedFollower(store: store, logger: logger)
        self.logger = logger
    }
}
