package import Egress
package import Logging
package import MeshFeed
package import MeshIdentity
package import MeshStore

/// Every use case of the platform: who may, what is valid, what fits together, then one transaction.
///
/// The REST API, the release engine and registries all come through here, so that a rule is written once.
package struct ControlPlane: Sendable {
    package let store: MeshStore
    /// The reader of feeds, for watches of lists and for the mirror.
    package let feeds: FeedReader
    /// The threads that simulations and analyses run on.
    let desk = WorkDesk()
    let indexes = RuleIndexes()
    /// Calls whom releases ask; `nil`: nobody is called from here.
    let egress: EgressClient?
    /// Wrap the keys that secrets are sealed by; `nil`: nothing is sealed or opened here.
    let sealing: KeyEncryptionKeys?
    let logger: Logger

    package init(
        store: MeshStore, feeds: FeedReader, egress: EgressClient? = nil, sealing: KeyEncryptionKeys? = nil,
        logger: Logger
    ) {
        self.store = store
        self.feeds = feeds
        self.egress = egress
        self.sealing = sealing
        self.logger = logger
    }

    /// The states of meshes that writes, simulations and the release engine look at.
    package var mirror: MeshMirror { feeds.mirror }
}
