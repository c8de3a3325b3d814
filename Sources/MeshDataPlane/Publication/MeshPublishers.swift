internal import MeshCore
internal import Synchronization

/// The publishers of all meshes that proxies are connected to.
final class MeshPublishers: Sendable {
    private let publishers = Mutex<[MeshKey: MeshPublisher]>([:])

    /// Whoever decides what is published when (``ConfigPublisher``) sets it, and nobody else.
    subscript(mesh: MeshKey) -> MeshPublisher? {
        get { publishers.withLock { $0[mesh] } }
        set { publishers.withLock { $0[mesh] = newValue } }
    }
}
