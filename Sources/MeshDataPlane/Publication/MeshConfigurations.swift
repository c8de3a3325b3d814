internal import EnvoyConfig
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import Synchronization
internal import XDSServer

/// The configurations of all meshes that proxies are connected to. The publisher keeps them up to date; event loops take from
/// them what a proxy that has just come is served, so that a thousand who come at once need not wait for another thread, each.
///
/// Lock order: this one, then the ``SnapshotStore``'s.
final class MeshConfigurations: SnapshotSource {
    private let listenerTTL: Duration?
    /// Held for as long as a change takes to compile.
    private let configurations = Mutex<[MeshKey: MeshConfiguration]>([:])

    /// - Parameter listenerTTL: how long a sidecar that hears from no server goes on with its listeners; `nil`: for ever.
    init(listenerTTL: Duration? = nil) { self.listenerTTL = listenerTTL }

    // MARK: For event loops

    /// Adds the view, or wakes it. Not if it is the first of its kind, for which much has to be made, nor while another
    /// thread is here.
    func snapshot(of view: ViewID) -> Snapshot? {
        guard let view = ProxyView(view) else { return nil }
        return configurations.withLockIfAvailable { configurations in
            guard configurations[view.mesh]?.hasLayers(of: view) == true else { return nil }
            return configurations[view.mesh]?.insert(view)
        } ?? nil
    }

    // MARK: For the publisher

    var meshes: [MeshKey] { configurations.withLock { Array($0.keys) } }

    func isCompiled(_ mesh: MeshKey) -> Bool { configurations.withLock { $0[mesh]?.revision != nil } }

    /// Adds a view, or wakes it.
    ///
    /// - Returns: its snapshot, if the mesh has been compiled, and whether it is the first view of the mesh.
    func insert(_ view: ProxyView) -> (snapshot: Snapshot?, isFirst: Bool) {
        configurations.withLock { configurations in
            let isFirst = configurations[view.mesh] == nil
            let snapshot = configurations[view.mesh, default: MeshConfiguration(listenerTTL: listenerTTL)].insert(view)
            return (snapshot, isFirst)
        }
    }

    /// Takes a newer state.
    ///
    /// - Returns: the snapshots of all views that are wanted; `nil`: nobody wants the mesh.
    func update(_ update: MeshUpdate) -> [ViewID: Snapshot]? {
        configurations.withLock { $0[update.state.mesh]?.update(update) }
    }

    /// Makes no snapshots of a view any more until it is inserted again.
    ///
    /// - Parameter isWanted: whether a proxy has come meanwhile, which has had its view woken, or will.
    /// - Returns: whether it rests.
    func rest(_ view: ProxyView, unless isWanted: (ViewID) -> Bool) -> Bool {
        configurations.withLock { configurations in
            guard !isWanted(view.id) else { return false }
            configurations[view.mesh]?.rest(view)
            return true
        }
    }

    /// - Parameter isWanted: as in ``rest(_:unless:)``.
    /// - Returns: whether this was the last view of its mesh, and nothing is kept of that either.
    func remove(_ view: ProxyView, unless isWanted: (ViewID) -> Bool) -> Bool {
        configurations.withLock { configurations in
            guard !isWanted(view.id) else { return false }
            configurations[view.mesh]?.remove(view)
            guard configurations[view.mesh]?.isEmpty == true else { return false }
            configurations[view.mesh] = nil
            return true
        }
    }

    /// What a type's refusal is about; see ``MeshConfiguration/sources(of:in:)``.
    func sources(of refusal: TypeReport, by view: ProxyView) -> [String: [Source]] {
        configurations.withLock { $0[view.mesh]?.sources(of: refusal, in: view) ?? [:] }
    }
}
