internal import MeshCore
internal import Synchronization

/// The publishers of all meshes that proxies are connected to.
final class MeshPublishers: Sendable {
    private let publishers = Mutex<[MeshKey: MeshPublisher]>([:])

    /// The publisher of a mesh. Only ``ConfigPublisher`` sets it, which decides what is published when.
    subscript(mesh: MeshKey) -> MeshPublisher? {
        get { publishers.withLock { $0[mesh] } }
        set { publishers.withLock { $0[mesh] = newValue } }
    }
}
