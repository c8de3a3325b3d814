internal import CoreMetrics
internal import MeshDataPlane
internal import MeshStore
internal import Postgres
internal import Prometheus

/// The metrics of the components.
///
/// They know how many connections they have, so they are asked when somebody wants to know, and count nothing.
extension Components {
    private static let connections = Metric.gauge(
        "sluice_database_connections", "Connections to PostgreSQL, by state.", labels: ["state"])
    private static let waiting = Metric.gauge(
        "sluice_database_waiting", "Requests that wait for a connection to PostgreSQL.")

    /// Has `factory` ask them.
    func measure(in factory: PrometheusFactory) {
        dataPlane.measure(in: factory)
        let idle = Self.connections.makeMeter(["idle"], in: factory)
        let busy = Self.connections.makeMeter(["busy"], in: factory)
        let waiting = Self.waiting.makeMeter(in: factory)
        factory.onScrape { [pools = [api.pool, store.pool]] in
            let statistics = pools.map(\.statistics)
            let (idleCount, openCount) = statistics.reduce(into: (0, 0)) { $0 = ($0.0 + $1.idle, $0.1 + $1.open) }
            idle.set(idleCount)
            busy.set(max(0, openCount - idleCount))
            waiting.set(statistics.reduce(0) { $0 + $1.waiting })
        }
    }
}
