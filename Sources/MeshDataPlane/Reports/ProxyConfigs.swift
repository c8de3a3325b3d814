internal import EnvoyConfig
internal import MeshControl
internal import MeshCore
internal import MeshFeed
internal import MeshModel
internal import MeshStore
internal import XDSServer

/// Tells what proxies were sent, on any replica: the one that holds a proxy's stream knows; any other compiles the proxy's
/// view, which comes out the same everywhere, and compares versions, which are hashes of the content. (But for what a sidecar
/// is left with while it drains, which only the replica knows that holds the stream; see ``LayerEncoder``.)
struct ProxyConfigs: Sendable {
    let store: MeshStore
    let mirror: MeshMirror
    let snapshots: SnapshotStore
    let listenerTTL: Duration?

    func config(of proxy: ProxyRow) async throws -> ProxyConfig {
        let newest = try await store.meshRevision(proxy.mesh) ?? 0
        guard let client = proxy.client else { return ProxyConfig(revision: newest, ofTypes: []) }
        let view = ProxyView(mesh: proxy.mesh, name: proxy.name, client: client)
        let name = ProxyName(mesh: proxy.mesh, name: proxy.name).text
        let connected = try await snapshots.status(of: name, in: view.id)
        let snapshot = try await snapshot(of: view, atLeast: newest)
        let types = ResourceType.allCases.compactMap { type in
            if let served = connected?.types.first(where: { $0.report.type == type }) {
                return ProxyConfig.OfType(served, snapshot[type])
            }
            return proxy.types[type.abbreviation].map { ProxyConfig.OfType(type, $0, snapshot[type]) }
        }
        return ProxyConfig(revision: snapshot.revision, ofTypes: types)
    }

    /// The snapshot that a view is served, or would be if it were wanted here.
    private func snapshot(of view: ProxyView, atLeast revision: Revision) async throws -> Snapshot {
        if let snapshot = snapshots.snapshot(of: view.id), snapshot.revision >= revision { return snapshot }
        let state = try await mirror.state(of: view.mesh, atLeast: revision)
        return Publication.snapshot(of: view, in: state, listenerTTL: listenerTTL)
    }
}

extension ProxyConfig.OfType {
    /// The configuration of a stream on this replica.
    fileprivate init(_ served: ClientTypeStatus, _ current: LayeredSet) {
        self.init(
            type: served.report.type.abbreviation, state: ProxyTypeStatus.State(served.report.state), source: .stream,
            sentVersion: served.report.sentVersion, ackedVersion: served.report.ackedVersion,
            currentVersion: current.version, sent: served.resources.map(ProxyConfig.Resource.init),
            current: current.resources.filter { served.names?.contains($0.name) ?? true }
                .map(ProxyConfig.Resource.init))
    }

    /// - Parameter stored: what another replica has reported.
    fileprivate init(_ type: ResourceType, _ stored: ProxyTypeStatus, _ current: LayeredSet) {
        let resources = current.resources.map(ProxyConfig.Resource.init)
        let isKnown = stored.sentVersion == current.version
        self.init(
            type: type.abbreviation, state: stored.state, source: isKnown ? .compiled : .unknown,
            sentVersion: stored.sentVersion, ackedVersion: stored.ackedVersion,
            currentVersion: current.version, sent: isKnown ? resources : [], current: resources)
    }
}

extension ProxyConfig.Resource {
    fileprivate init(_ resource: EncodedResource) {
        self.init(name: resource.name, version: resource.version) { ResourceDocument.of(resource) }
    }
}
