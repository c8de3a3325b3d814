import MeshControl
import MeshFeed
import MeshModel
import TestSupport
import Testing

@testable import MeshDataPlane
@testable import XDSServer

/// A mesh whose publisher is told directly.
struct PublishedBench {
    let published: PublishedMesh
    let publisher: MeshPublisher

    init(listenerTTL: Duration? = nil) {
        published = PublishedMesh(listenerTTL: listenerTTL)
        publisher = MeshPublisher(published, in: SnapshotStore(), logger: quietLogger)
    }

    /// - Returns: the snapshots of all views that are wanted.
    @discardableResult
    func publish(_ state: MeshState, _ change: MeshChange = .all) async -> [ViewID: Snapshot] {
        await publisher.publish(MeshUpdate(state: state, change: change))
        return published.current.content.snapshots
    }

    @discardableResult
    func insert(_ view: ProxyView) async throws -> Snapshot {
        published.note(view)
        await publisher.serve([view])
        return try #require(published.current.content.snapshot(of: view))
    }

    func remove(_ view: ProxyView) -> Bool { published.remove(view) { _ in false } }
}
