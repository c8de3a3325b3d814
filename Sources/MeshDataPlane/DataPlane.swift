package import CoreMetrics
package import Logging
package import MeshControl
package import MeshFeed
package import MeshCore
package import MeshIdentity
package import MeshModel
package import MeshStore
package import Prometheus
internal import MeshTelemetry
internal import XDSServer

/// The part of a replica that serves proxies: it lets them in, publishes to them what their meshes come to, and keeps what they say.
package struct DataPlane: Sendable {
    let store: MeshStore
    let snapshots = SnapshotStore()
    let registry = ProxyRegistry()
    let admission: ProxyAdmission
    let loads: LoadMeter
    let stats: StatsMeter
    private let recorder: TrafficRecorder
    private let meshes = MeshPublishers()
    private let publisher: ConfigPublisher
    let logger: Logger
    private let configs: ProxyConfigs

    /// - Parameters:
    ///   - api: what requests use.
    ///   - store: what the replica itself uses.
    ///   - listenerTTL: how long sidecars that hear from no server go on with their listeners; `nil`: for ever.
    ///   - metrics: where is counted what is read and lost of sidecars' statistics.
    package init(
        api: MeshStore, store: MeshStore, mirror: MeshMirror, tokens: ProxyTokens, listenerTTL: Duration?,
        metrics: any MetricsFactory, logger: Logger
    ) {
        self.store = store
        self.logger = logger
        admission = ProxyAdmission(tokens: tokens, life: { mirror.life(of: $0) })
        publisher = ConfigPublisher(
            mirror: mirror, store: snapshots, meshes: meshes, listenerTTL: listenerTTL, logger: logger)
        let recorder = TrafficRecorder(store: store, metrics: metrics, logger: logger)
        self.recorder = recorder
        loads = LoadMeter(mesh: { ProxyView($0)?.mesh }, heard: { recorder.noteLoads(of: $0) })
        stats = StatsMeter(mirror: mirror, recorder: recorder, loads: loads, metrics: metrics, logger: logger)
        configs = ProxyConfigs(store: api, mirror: mirror, snapshots: snapshots, listenerTTL: listenerTTL)
    }

    // MARK: What goes on until the task is cancelled

    /// Publishes what changes in the meshes of the proxies that are connected.
    package func publish() async throws { try await publisher.run() }

    /// Writes what proxies say to the database.
    ///
    /// - Parameters:
    ///   - replica: this replica's name.
    ///   - wakeReleases: is called when a release may have become due by it.
    package func report(as replica: String, wakeReleases: @escaping @Sendable () -> Void) async throws {
        let reporter = ProxyReporter(
            store: store, registry: registry, meshes: meshes, wakeReleases: wakeReleases, replica: replica,
            logger: logger)
        try await reporter.run()
    }

    /// Reads the statistics that sidecars send.
    package func readStats() async throws { try await stats.run() }

    /// Writes what they come to.
    package func recordTraffic() async throws { try await recorder.run() }

    // MARK: What others ask

    /// The configuration that a proxy was sent last, and the one that it would be sent now.
    package func config(of proxy: ProxyRow) async throws -> ProxyConfig { try await configs.config(of: proxy) }

    /// How the routes of a proxy differ from stage to stage of a release (``RouteDifferenceSource``).
    package static func routeDifferences(
        for proxy: ProxyRow, from state: MeshState, through stages: [ReleaseStage], isCancelled: () -> Bool
    ) -> [[RouteDifference]] {
        RoutePreview.differences(for: proxy, from: state, through: stages, isCancelled: isCancelled)
    }

    /// The reports of proxies to this replica about the requests that they send, in Prometheus' text format.
    package func metrics(of mesh: MeshKey, _ life: MeshLife) -> String { loads.metrics(of: mesh, uid: life.mesh) }

    private static let proxies = Metric.gauge(
        "sluice_xds_connected_proxies", "Proxies that are connected to this replica.")

    /// Has `factory` ask how many proxies are connected: the registry knows, so nothing is counted.
    package func measure(in factory: PrometheusFactory) {
        let proxies = Self.proxies.makeMeter(in: factory)
        factory.onScrape { [registry] in proxies.set(registry.connectedCount) }
    }
}
