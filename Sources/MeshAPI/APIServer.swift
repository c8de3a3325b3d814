internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
package import MeshControl
package import MeshCore
package import MeshModel
package import Prometheus
internal import ServiceLifecycle

/// The REST API as a server.
package struct APIServer: Sendable {
    let responder: APIResponder
    let streams: EventStreams
    private let configuration: APIConfiguration
    private let logger: Logger

    /// - Parameters:
    ///   - bootstrapRenderer: what `…/proxies/{proxy}/bootstrap` answers.
    ///   - proxyConfigs: what `…/proxies/{proxy}/config` answers.
    ///   - routeDifferences: what `…/releases/{release}:preview` tells of routes.
    ///   - meshMetrics: what `…/meshes/{mesh}/metrics` answers, in Prometheus' text format.
    ///   - readiness: what `/readyz` looks at.
    ///   - metrics: what `/metrics` answers, and where requests are counted.
    package init(
        _ configuration: APIConfiguration, control: ControlPlane, bootstrapRenderer: @escaping BootstrapRenderer,
        proxyConfigs: @escaping ProxyConfigSource, routeDifferences: @escaping RouteDifferenceSource,
        meshMetrics: @escaping @Sendable (MeshKey, MeshLife) -> String,
        readiness: Readiness, metrics: PrometheusFactory, logger: Logger
    ) {
        let streams = EventStreams(limit: configuration.watchLimit, limitPerTenant: configuration.watchLimitPerTenant)
        streams.measure(in: metrics)
        let routes = APIRoutes.all(
            configuration, control: control, bootstrapRenderer: bootstrapRenderer,
            proxyConfigs: proxyConfigs, routeDifferences: routeDifferences, meshMetrics: meshMetrics, streams: streams,
            readiness: readiness,
            metrics: { metrics.text() })
        responder = APIResponder(
            routes: RouteTable(routes), configuration: configuration,
            authenticator: Authenticator(adminToken: configuration.adminToken, control: control),
            metrics: HTTPMetrics(routes.map(\.template), in: metrics), logger: logger)
        self.streams = streams
        self.configuration = configuration
        self.logger = logger
    }

    /// Serves until the task is cancelled or its service group shuts down; requests that are under way are answered.
    ///
    /// - Parameter onListening: called once with the port that is listened on.
    package func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        // The parser gives up far beyond what the responder refuses, so that refusals are problem documents.
        let limits = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: configuration.headerLimit * 2, maxHeaderListSize: configuration.headerLimit * 4)
        let application = Application(
            responder: responder,
            server: .http1(configuration: .init(idleTimeout: .seconds(75), httpDecoderConfiguration: limits)),
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: .maximum(configuration.connectionLimit, logger: logger)),
            services: [
                Heartbeats(streams: streams, interval: configuration.watchHeartbeat, clock: configuration.watchClock)
            ],
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: logger)
        try await application.run()
    }
}

/// The heartbeats of event streams as a service: they end with the server.
private struct Heartbeats: Service {
    let streams: EventStreams
    let interval: Duration
    let clock: any Clock<Duration>

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                try await streams.run(every: interval, clock: clock)
            } catch is CancellationError {
                return
            }
        }
    }
}

/// The table of all routes.
enum APIRoutes {
    static func all(
        _ configuration: APIConfiguration, control: ControlPlane, bootstrapRenderer: @escaping BootstrapRenderer,
        proxyConfigs: @escaping ProxyConfigSource, routeDifferences: @escaping RouteDifferenceSource,
        meshMetrics: @escaping @Sendable (MeshKey, MeshLife) -> String,
        streams: EventStreams, readiness: Readiness,
        metrics: @escaping @Sendable () -> String
    ) -> [Route] {
        let watches = WatchRoutes(streams: streams, deadline: configuration.deadline)
        return PlatformRoutes(configuration: configuration, readiness: readiness, metrics: metrics).routes
            + kinds.all.flatMap { ObjectRoutes(kind: $0, control: control, watches: watches).routes }
            + ClusterMeshRoutes(control: control).routes
            + ServiceMethodRoutes(control: control).routes
            + ReleaseRoutes(control: control, routeDifferences: routeDifferences).routes
            + ProxyRoutes(control: control, renderer: bootstrapRenderer, configs: proxyConfigs, watches: watches).routes
            + MeshMethodRoutes(control: control).routes
            + MeshMetricsRoutes(control: control, metrics: meshMetrics).routes
            + OperationRoutes(control: control).routes
            + APIKeyRoutes(control: control).routes
    }
}
