internal import Documents
internal import Egress
internal import EnvoyConfig
internal import Foundation
internal import GRPCServer
internal import Logging
internal import MeshAPI
internal import MeshControl
internal import MeshDataPlane
internal import MeshIdentity
internal import MeshStore
internal import NIOCore
internal import NIOPosix
internal import Postgres
internal import PostgresServer
internal import Prometheus
internal import ServiceLifecycle

/// `sluice serve`: puts the components together and runs them until it is told to stop.
struct Program: Sendable {
    let settings: Settings
    /// `nil`: nothing can be sealed.
    let sealing: KeyEncryptionKeys?
    let metrics: PrometheusFactory
    let logger = Logger(label: "sluice")
    /// This replica's name: unique among all that ever were.
    let replica = "\(ProcessInfo.processInfo.hostName)-\(UUID().uuidString.prefix(8).lowercased())"

    /// How long draining may take before what is left is cancelled; SIGTERM to exit is at most 10 s.
    private static let drainLimit = Duration.seconds(8)

    /// How long a short command may keep the server from its data directory.
    private static let patience = Duration.seconds(5)

    /// - Parameter metrics: what `/metrics` answers.
    init(_ settings: Settings, sealing: KeyEncryptionKeys?, metrics: PrometheusFactory) {
        self.settings = settings
        self.sealing = sealing
        self.metrics = metrics
    }

    func run() async throws {
        let openFiles = OpenFiles.raiseLimit()
        if sealing == nil {
            logger.notice(
                "no key-encryption key: secrets can be neither written nor used",
                metadata: ["settings": "\(SealingSettings.kekFile), \(SealingSettings.kek)"])
        }
        if settings.adminToken == nil {
            logger.warning("\(ServerSettings.adminToken.variable) is not set: only API keys are accepted")
        }
        let database = try await startDatabase()
        do {
            try await serve(database, openFiles)
        } catch {
            await database.server?.stop()
            throw error
        }
        await database.server?.stop()
    }

    // MARK: The database

    private struct Database: Sendable {
        /// The private one, if there is one, which nobody else looks after.
        var server: PostgresServer?
        var lock: DirectoryLock?
        var options: ConnectionOptions
        var tokens: ProxyTokens
    }

    /// Starts a private PostgreSQL if none was given, and brings the schema up to date.
    private func startDatabase() async throws -> Database {
        let directory: String
        switch settings.database {
        case .url(let url):
            let options = ConnectionOptions(url)
            let preparation = Preparation(options, sealing: sealing, logger: logger)
            return Database(options: options, tokens: try await preparation.untilReachable())
        case .directory(let path): directory = path
        }
        try DatabaseLocation.makeDirectory(directory)
        let (lock, server): (DirectoryLock, PostgresServer)
        do {
            lock = try await DirectoryLock.waiting(for: directory, atMost: Self.patience) { inUse in
                logger.notice(
                    "waiting for another Sluice to leave the data directory",
                    metadata: ["process": "\(inUse.owner.map(String.init) ?? "unknown")"])
            }
            server = try PostgresServer(dataDirectory: directory, logger: logger)
            try await server.start()
        } catch {
            throw Failure("no private PostgreSQL: \(PostgresServerError.sentence(error))")
        }
        let options = ConnectionOptions(server.connectionString)
        do {
            let tokens = try await Preparation(options, sealing: sealing, logger: logger).once()
            return Database(server: server, lock: lock, options: options, tokens: tokens)
        } catch {
            await server.stop()
            throw error
        }
    }

    // MARK: Serving

    private func serve(_ database: Database, _ openFiles: Int) async throws {
        var options = PoolOptions(database.options)
        options.maximumConnections = 20
        let pool = Pool(options, logger: logger)
        // Requests, however many there are, do not keep the replica from saying that it is alive and from driving releases.
        options.maximumConnections = 5
        let engine = Pool(options, logger: logger)
        let store = MeshStore(pool: engine, logger: logger, metrics: metrics)
        let components = Components(
            api: MeshStore(pool: pool, logger: logger, metrics: metrics), store: store, tokens: database.tokens,
            signals: ChangeSignals(database.options, logger: logger),
            proxyRetention: settings.proxyRetention, listenerTTL: settings.listenerTTL,
            egress: try EgressClient(policy: EgressPolicy(allowed: settings.egressAllow)), sealing: sealing,
            metrics: metrics, logger: logger
        )
        components.measure(in: metrics)
        // Started in this order and stopped in the opposite one: whoever needs something comes after it.
        var services: [any Service] = []
        if let server = database.server { services.append(Background("postgres", logger) { try await server.run() }) }
        services.append(Background("pool", logger) { try await pool.run() })
        services.append(Background("engine's pool", logger) { try await engine.run() })
        services.append(RetireReplica { await retire(from: store) })
        services.append(contentsOf: components.background(replica: replica))
        services.append(try xds(components))
        services.append(
            APIService(server: api(components, pool, engine, openFiles), address: settings.http) { port in
                logger.notice("serving", metadata: ["http": "\(settings.http.host):\(port)", "xds": "\(settings.xds)"])
            })
        try await run(services)
        withExtendedLifetime(database.lock) {}
    }

    /// Says that this replica's proxies are disconnected now, and not when its last heartbeat has aged.
    private func retire(from store: MeshStore) async {
        do {
            try await store.retire(replica)
        } catch {
            logger.warning("proxies count as connected for a while", metadata: ["error": "\(error)"])
        }
    }

    private func run(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }, logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.drainLimit
        let group = ServiceGroup(configuration: configuration)
        // Before the services: who sees that one of them is there may send a signal.
        let signals = await SignalWatch(logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await signals.run { await group.triggerGracefulShutdown() } }
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    // MARK: The two front doors

    private func xds(_ components: Components) throws -> any Service {
        var listener = GRPCServer.Listener(.host(settings.xds.host, port: settings.xds.port))
        if let tls = settings.xdsTLS {
            do {
                let files = try TLSFiles(tls.files, logger: logger)
                listener.tls = { files.context }
            } catch {
                throw ConfigurationError(
                    "the files of \(ServerSettings.xdsCertificate) and \(ServerSettings.xdsKey) cannot be used: \(error)"
                )
            }
        }
        // Threads of its own: when a thousand proxies come at once, the API shares the processor with them, not a queue.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let server = components.dataPlane.server(
            on: listener, adminToken: settings.adminToken.map(AdminToken.init),
            loadReportInterval: settings.loadReportInterval, eventLoopGroup: group)
        return XDSService(server: server, group: group, address: settings.xds)
    }

    private func api(_ components: Components, _ pool: Pool, _ engine: Pool, _ openFiles: Int) -> APIServer {
        var configuration = APIConfiguration()
        configuration.host = settings.http.host
        configuration.port = settings.http.port
        configuration.adminToken = settings.adminToken
        configuration.allowedOrigins = settings.origins
        configuration.version = Version.current
        configuration.watchHeartbeat = settings.watchHeartbeat
        // The rest is for proxies and the database.
        configuration.connectionLimit = max(16, min(configuration.connectionLimit, openFiles / 4))
        let readiness = Readiness(
            checks: [
                {
                    var failure: (any Error)?
                    do {
                        _ = try await pool.query("SELECT 1", timeout: .seconds(2))
                    } catch {
                        failure = error
                    }
                    // Of what was written last, by requests or by the replica itself, which writes every few seconds. A
                    // database that is full may also be one that does not answer.
                    switch pool.recentShortage ?? engine.recentShortage {
                    case .disk: return "the database has no space left on its disk"
                    case .memory: return "the database has run out of memory"
                    case .connections, .other, nil: break
                    }
                    guard let failure else { return nil }
                    return (failure as? PostgresError)?.shortage == .connections
                        ? "the database has no free connection" : "the database does not answer"
                }
            ], lifetime: .seconds(1))
        return APIServer(
            configuration, control: components.control, bootstrapRenderer: renderer,
            proxyConfigs: { [dataPlane = components.dataPlane] in try await dataPlane.config(of: $0) },
            routeDifferences: DataPlane.routeDifferences,
            meshMetrics: { [dataPlane = components.dataPlane] in dataPlane.metrics(of: $0, $1) }, readiness: readiness,
            metrics: metrics, logger: logger)
    }

    private var renderer: BootstrapRenderer {
        let server = Bootstrap.Server(
            host: settings.xdsAdvertised.host, port: settings.xdsAdvertised.port,
            trustedCertificates: settings.xdsTLS?.trustedCertificates,
            clientCertificate: settings.xdsTLS?.clientCertificate)
        return { request in try request.document(server) }
    }
}

/// The xDS server as a service: drains when the group does.
private struct XDSService: Service {
    let server: GRPCServer
    let group: MultiThreadedEventLoopGroup
    let address: ListenAddress

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await address.explaining("the xDS server", ServerSettings.xds) { try await server.run() }
        } onGracefulShutdown: {
            server.shutdown()
        }
        try await group.shutdownGracefully()
    }
}

/// The REST API as a service; it watches for the group's shutdown itself.
private struct APIService: Service {
    let server: APIServer
    let address: ListenAddress
    let onListening: @Sendable (Int) async -> Void

    func run() async throws {
        try await address.explaining("the REST API", ServerSettings.http) {
            try await server.run(onListening: onListening)
        }
    }
}
