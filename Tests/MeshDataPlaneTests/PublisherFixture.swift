import MeshControl
import MeshFeed
import MeshModel
import TestSupport
import Testing

@testable import MeshDataPlane
@testable import XDSServer

/// A mesh whose publisher is told directly.
struct PublisherFixture {
    let store = SnapshotStore()
    let publisher: MeshPublisher

    init(listenerTTL: Duration? = nil) {
        publisher = MeshPublisher(in: store, listenerTTL: listenerTTL, logger: quietLogger)
    }

    func publish(_ state: MeshState, _ change: MeshChange = .all) async {
        await publisher.publish(MeshUpdate(state: state, change: change))
    }

    func snapshot(of view: ProxyView) throws -> Snapshot { try #require(store.snapshot(of: view.id)) }

    /// A proxy comes.
    @discardableResult
    func insert(_ view: ProxyView) async throws -> Snapshot {
        _ = store.attach(view.id)
        await publisher.attend(to: [view])
        return try snapshot(of: view)
    }

    /// The proxy goes, and does not come back.
    func remove(_ view: ProxyView) async {
        store.detach(view.id)
        for _ in 0..<SnapshotStore.patience { store.tick() }
        await publisher.attend(to: [view])
    }
}
