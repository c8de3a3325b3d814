internal import EnvoyConfig
internal import Foundation
internal import GRPCServer
internal import Logging
internal import MeshAPI
internal import MeshControl
internal import MeshIdentity
internal import MeshModel
internal import MeshRelease
internal import MeshStore
internal import NIOCore
internal import NIOPosix
internal import Postgres
internal import PostgresServer
internal import ServiceLifecycle
internal import XDSServer

/// `sluice serve`: puts the parts together and runs them until it is told to stop.
struct Program: Sendable {
    let settings: Settings
    let logger = Logger(label: "sluice")
    /// This replica's name: unique among all that ever were.
    let replica = "\(ProcessInfo.processInfo.hostName)-\(UUID().uuidString.prefix(8).lowercased())"

    /// How long draining may take before what is left is cancelled; SIGTERM to exit is at most 10 s.
    private static let drainLimit = Duration.seconds(8)

    init(_ settings: Settings) { self.settings = settings }

    func run() async throws {
        if settings.adminToken == nil {
            logger.warning("SLUICE_ADMIN_TOKEN is not set: only API keys are accepted")
        }
        let database = try await startDatabase()
        do {
            try await serve(database)
        } catch {
            await database.server?.stop()
            throw error
        }
        await database.server?.stop()
    }

    // MARK: The database

    private struct Database: Sendable {
        /// The private one, if there is one.
        var server: PostgresServer?
        var options: ConnectionOptions
    }

    /// Starts a private PostgreSQL if none was given, and brings the schema up to date.
    private func startDatabase() async throws -> Database {
        var database = Database(options: ConnectionOptions(settings.databaseURL ?? ""))
        if settings.databaseURL == nil {
            let server: PostgresServer
            do {
                server = try PostgresServer(dataDirectory: settings.dataDirectory, logger: logger)
                try await server.start()
            } catch {
                throw Failure("no private PostgreSQL: \(error)")
            }
            database = Database(server: server, options: ConnectionOptions(server.connectionString))
        }
        do {
            try await migrate(database.options)
        } catch {
            await database.server?.stop()
            throw error
        }
        return database
    }

    private func migrate(_ options: ConnectionOptions) async throws {
        do {
            let applied = try await Pool.running(PoolOptions(options), logger: logger) { pool in
                try await Migrator(pool: pool).up()
            }
            for name in applied { logger.notice("migrated", metadata: ["migration": "\(name)"]) }
        } catch let error as Migrator.Failure {
            throw Failure("\(error)")
        } catch let error as PostgresError {
            throw Failure("the database cannot be used: \(error)")
        }
    }

    // MARK: Serving

    private func serve(_ database: Database) async throws {
        var options = PoolOptions(database.options)
        options.maximumConnections = 24
        let pool = Pool(options, logger: logger)
        let store = MeshStore(pool: pool, logger: logger)
        let tokens = try await loadTokens(database.options)
        let parts = Parts(
            store: store, tokens: tokens, signals: ChangeSignals(database.options, logger: logger),
            proxyRetention: settings.proxyRetention, listenerTTL: settings.listenerTTL, logger: logger)
        // Started in this order and stopped in the opposite one: whoever needs something comes after it.
        var services: [any Service] = []
        if let server = database.server { services.append(Background("postgres", logger) { try await server.run() }) }
        services.append(Background("pool", logger) { try await pool.run() })
        services.append(Farewell { await retire(from: store) })
        services.append(contentsOf: parts.background(replica: replica))
        services.append(try xds(parts))
        services.append(
            Front(server: api(parts, pool)) { port in
                logger.notice("serving", metadata: ["http": "\(settings.http.host):\(port)", "xds": "\(settings.xds)"])
            })
        try await run(services)
    }

    /// Says that this replica's proxies are disconnected now, and not when its last heartbeat has aged.
    private func retire(from store: MeshStore) async {
        do {
            try await store.retire(replica)
        } catch {
            logger.warning("proxies count as connected for a while", metadata: ["error": "\(error)"])
        }
    }

    private func loadTokens(_ options: ConnectionOptions) async throws -> ProxyTokens {
        let keys = try await Pool.running(PoolOptions(options), logger: logger) { pool in
            try await MeshStore(pool: pool, logger: logger).signingKeys()
        }
        guard let tokens = ProxyTokens(keys) else { throw Failure("the database has no signing key") }
        return tokens
    }

    private func run(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            }, logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.drainLimit
        let group = ServiceGroup(configuration: configuration)
        let signals = SignalWatch(logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await signals.run { await group.triggerGracefulShutdown() } }
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }

    // MARK: The two front doors

    private func xds(_ parts: Parts) throws -> any Service {
        var listener = GRPCServer.Listener(.host(settings.xds.host, port: settings.xds.port))
        if let tls = settings.xdsTLS {
            do {
                let files = try TLSFiles(tls.files, logger: logger)
                listener.tls = { files.context }
            } catch {
                throw ConfigurationError("the xDS server's certificate or key cannot be used: \(error)")
            }
        }
        var configuration = GRPCServer.Configuration(listeners: [listener])
        // Streams never move by themselves; closing them now and then spreads proxies over the replicas.
        configuration.maxConnectionAge = .minutes(30)
        configuration.gracePeriod = .seconds(1)
        let status = StatusAdmission(
            admission: parts.admission, adminToken: settings.adminToken.map(AdminToken.init))
        let services = DiscoveryServices(
            ads: parts.ads, csds: CSDSService(delegate: status, store: parts.snapshots),
            lrs: LRSService(
                admission: parts.admission, delegate: parts.loads, store: parts.snapshots,
                interval: settings.loadReportInterval))
        // Threads of its own: when a thousand proxies come at once, the API shares the processor with them, not a queue.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
        let server = GRPCServer(
            configuration: configuration, service: services, eventLoopGroup: group, logger: logger)
        return Discovery(server: server, group: group)
    }

    private func api(_ parts: Parts, _ pool: Pool) -> APIServer {
        var configuration = APIConfiguration()
        configuration.host = settings.http.host
        configuration.port = settings.http.port
        configuration.adminToken = settings.adminToken
        configuration.allowedOrigins = settings.origins
        configuration.version = Version.current
        configuration.watchHeartbeat = settings.watchHeartbeat
        let readiness = Readiness(checks: [
            {
                do {
                    _ = try await pool.query("SELECT 1", timeout: .seconds(2))
                    return nil
                } catch {
                    return "the database does not answer"
                }
            }
        ])
        return APIServer(
            configuration, control: parts.control, bootstrapRenderer: renderer,
            proxyConfigs: { [configs = parts.configs] in try await configs.config(of: $0) },
            meshMetrics: { [loads = parts.loads] in loads.metrics(of: $0) }, readiness: readiness,
            metricsSources: [parts.metrics], logger: logger)
    }

    private var renderer: BootstrapRenderer {
        let server = Bootstrap.Server(
            host: settings.xdsAdvertised.host, port: settings.xdsAdvertised.port,
            trustedCertificates: settings.xdsTLS?.trustedCertificates,
            clientCertificate: settings.xdsTLS?.clientCertificate)
        let reportsLoad = settings.loadReportInterval != nil
        return { request in try request.document(server, reportsLoad: reportsLoad) }
    }
}

/// The xDS server as a service: drains when the group does.
private struct Discovery: Service {
    let server: GRPCServer
    let group: MultiThreadedEventLoopGroup

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            server.shutdown()
        }
        try await group.shutdownGracefully()
    }
}

/// The REST API as a service; it watches for the group's shutdown itself.
private struct Front: Service {
    let server: APIServer
    let onListening: @Sendable (Int) async -> Void

    func run() async throws { try await server.run(onListening: onListening) }
}
