internal import MeshCore
internal import Synchronization
internal import XDSServer

/// The publishers of all meshes that proxies are connected to.
final class MeshPublishers: SnapshotSource {
    /// How long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    let listenerTTL: Duration?
    private let publishers = Mutex<[MeshKey: MeshPublisher]>([:])

    init(listenerTTL: Duration? = nil) { self.listenerTTL = listenerTTL }

    /// Whoever decides what is published when (``ConfigPublisher``) sets it, and nobody else.
    subscript(mesh: MeshKey) -> MeshPublisher? {
        get { publishers.withLock { $0[mesh] } }
        set { publishers.withLock { $0[mesh] = newValue } }
    }

    var meshes: [MeshKey] { publishers.withLock { Array($0.keys) } }

    func snapshot(of view: ViewID) -> Snapshot? {
        guard let view = ProxyView(view) else { return nil }
        return self[view.mesh]?.published.snapshot(of: view)
    }
}
