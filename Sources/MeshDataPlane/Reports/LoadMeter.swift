internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import MeshStore
internal import Prometheus
internal import Synchronization
internal import XDSServer

/// Counts what proxies report to this replica of the requests that they have sent to the mesh's services, for Prometheus. Its
/// server adds up replicas, computes rates, and remembers.
final class LoadMeter: LoadReportDelegate {
    fileprivate struct Key: Hashable {
        var mesh: MeshKey
        /// Which of the meshes that had this name.
        var uid: String?
        var cluster: IR.ClusterName
    }

    private struct Entry {
        var load = ClusterLoad()
        var lastReport: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var nextCleaning: ContinuousClock.Instant

        mutating func clean(at now: ContinuousClock.Instant) {
            entries = entries.filter { $0.value.lastReport >= now - LoadMeter.memory }
            nextCleaning = now + LoadMeter.memory
        }
    }

    /// Not among the server's own metrics: it is for those who may see the mesh.
    private static let requests = Metric.counter(
        "sluice_mesh_requests_total", "Requests to a service's version, as the proxies that sent them report.",
        labels: ["tenant", "mesh", "namespace", "service", "port", "version", "result"])

    /// How long a load is kept of which nothing is reported.
    private static let memory = Duration.seconds(3_600)

    private let mesh: @Sendable (ViewID) -> MeshKey?
    private let heard: @Sendable (ReportingProxy) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - mesh: what a view is of.
    ///   - heard: is told of each proxy that reports its load.
    init(
        mesh: @escaping @Sendable (ViewID) -> MeshKey?,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        heard: @escaping @Sendable (ReportingProxy) -> Void = { _ in }
    ) {
        self.mesh = mesh
        self.heard = heard
        self.now = now
        state = Mutex(State(nextCleaning: now() + Self.memory))
    }

    func record(_ report: LoadReport) {
        guard let mesh = mesh(report.view) else { return }
        if let proxy = ProxyName(report.proxy) { heard(ReportingProxy(mesh: proxy.mesh, name: proxy.name)) }
        let uid = report.owner.flatMap(MeshLife.init)?.mesh
        for (name, load) in report.clusters {
            guard let cluster = IR.ClusterName(name) else { continue }
            record(load, of: cluster, in: mesh, uid)
        }
    }

    /// Counts requests to a cluster.
    ///
    /// - Parameter uid: the mesh's.
    func record(_ load: ClusterLoad, of cluster: IR.ClusterName, in mesh: MeshKey, _ uid: String?) {
        guard !load.isEmpty else { return }
        let now = now()
        state.withLock { state in
            // Clusters come and go although nobody asks for the numbers.
            if now >= state.nextCleaning { state.clean(at: now) }
            let key = Key(mesh: mesh, uid: uid, cluster: cluster)
            state.entries[key, default: Entry(lastReport: now)].load.add(load)
            state.entries[key]?.lastReport = now
        }
    }

    /// The load that was reported of a mesh, in Prometheus' text format.
    ///
    /// - Parameter uid: the mesh's, so that nobody sees what an earlier tenant of the name had.
    func metrics(of mesh: MeshKey, uid: String?) -> String {
        let now = now()
        let entries = state.withLock { state in
            state.clean(at: now)
            return state.entries.filter { $0.key.mesh == mesh && $0.key.uid == uid }
        }
        var text = Exposition()
        text.write(
            Self.requests,
            entries.flatMap { key, entry in
                [("success", entry.load.succeeded), ("error", entry.load.failed), ("dropped", entry.load.dropped)].map {
                    (values: key.labels + [$0.0], count: $0.1)
                }
            })
        return text.text
    }
}

extension LoadMeter.Key {
    fileprivate var labels: [String] {
        [
            mesh.tenant.text, mesh.mesh.text, cluster.host.namespace.text,
            cluster.host.service?.name.text ?? cluster.host.text,
            "\(cluster.port)", cluster.version?.text ?? "",
        ]
    }
}
