internal import Documents
internal import Foundation
internal import Logging
internal import MeshCore
internal import MeshLab
internal import MeshStore
internal import Postgres
internal import PostgresServer

/// A real `sluice serve` with its private PostgreSQL, looked at from outside.
struct MeasuredServer {
    static let mesh = "/v1/tenants/acme/meshes/default"

    let server: Server
    let directory: String

    var api: APIClient { server.api }
    /// Where the server's database is; for statistics and logs, not for its life.
    let database: PostgresServer
    /// Past the server. Its connections stay: a backend of PostgreSQL that ends takes time that pushes are measured in.
    private let store: MeshStore

    static func run(binary: String, _ body: (MeasuredServer) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sluice-bench-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = URL(fileURLWithPath: binary).path
        // Warnings only: what is measured is the server, not the disk that a log goes to.
        var options = try Server.Options(binary: path, directory: directory.path, token: "of-the-benchmark-alone")
        options.environment["SLUICE_LOG_LEVEL"] = "warning"
        let server = try await Server(options)
        do {
            let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
            let database = try PostgresServer(dataDirectory: directory.path, logger: logger)
            try await Pool.running(PoolOptions(database.connectionString), logger: logger) { pool in
                let measured = MeasuredServer(
                    server: server, directory: directory.path, database: database,
                    store: MeshStore(pool: pool, logger: logger))
                try await measured.prepare()
                try await body(measured)
            }
        } catch {
            let tail = server.process.tail()
            await server.stop()
            try Task.checkCancellation()
            throw LabError("\(error)\n\(tail)")
        }
        await server.stop()
    }

    func usage() throws -> ProcessUsage { try ProcessUsage(pid: server.process.pid) }

    /// Resident memory, in bytes, once it stays as it is: the server returns what it does not use some 20 s after a peak.
    func settledMemory() async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(120)
        var (settled, since) = (try usage().resident, ContinuousClock.now)
        while ContinuousClock.now - since < .seconds(25) {
            guard ContinuousClock.now < deadline else { throw LabError("the server's memory does not settle") }
            try await Task.sleep(for: .seconds(1))
            let now = try usage().resident
            if abs(now - settled) > 1 << 20 { (settled, since) = (now, .now) }
        }
        return settled
    }

    func idle() throws -> Figure {
        let memory = Double(try usage().resident) / 1e6
        return Figure(what: "resident memory, no proxies", value: "\(Table.rounded(memory)) MB", budget: "≤ 60 MB")
    }

    /// The tenant and its cluster.
    private func prepare() async throws {
        try await api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        try await api.post("/v1/tenants/acme/clusters", cluster).expectingSuccess("cluster")
    }

    /// Stores the ``LargeMesh``, through the API.
    func fill() async throws {
        try await inParallel(LargeMesh.services) { index in
            let path = Self.service(LargeMesh.serviceName(index))
            try await api.put(path, ["spec": LargeMesh.service]).expectingSuccess(path)
            for number in 0..<LargeMesh.endpoints {
                try await api.put("\(path)/endpoints/e\(number)", ["spec": LargeMesh.endpoint(index, number)])
                    .expectingSuccess(path)
            }
            if LargeMesh.hasRules(index) {
                let rules = "\(Self.mesh)/namespaces/shop/virtualServices/\(LargeMesh.serviceName(index))"
                try await api.put(rules, ["spec": LargeMesh.rules(index)]).expectingSuccess(rules)
            }
        }
    }

    /// Writes to the mesh in one transaction, past the server, as another replica would.
    func commit(_ body: @Sendable (StoreTransaction, MeshKey) async throws -> Void) async throws -> Change {
        let mesh = MeshKey(tenant: try LargeMesh.name("acme"), mesh: .defaultMesh)
        let written = try await store.write(
            tenant: mesh.tenant, mesh: mesh.mesh, actor: "benchmark", requestId: "benchmark"
        ) { transaction in
            try await body(transaction, mesh)
            return ContinuousClock.now
        }
        let committed = ContinuousClock.now
        return Change(began: committed, writing: committed - written)
    }

    /// Makes changes one after the other and reads each from the database as a replica does.
    ///
    /// - Returns: for each, how long after it began to count it had been announced, asked for and decoded.
    func readingTimes(_ rounds: Range<Int>, of change: (Int) async throws -> Change) async throws -> [Duration] {
        let mesh = MeshKey(tenant: try LargeMesh.name("acme"), mesh: .defaultMesh)
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let announcer = ChangeSignals(ConnectionOptions(database.connectionString), logger: logger)
        var announcements = announcer.subscribe().makeAsyncIterator()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await announcer.run() }
            defer { group.cancelAll() }
            // The first says that it listens.
            _ = await announcements.next()
            var revision = try await store.revision(of: .objects(tenant: mesh.tenant, mesh: mesh.mesh))
            var times: [Duration] = []
            for round in rounds {
                let change = try await change(round)
                let before = revision
                while revision == before, await announcements.next() != nil {
                    revision = try await store.changes(mesh, after: revision, limit: LargeMesh.services).revision
                }
                guard revision > before else { throw LabError("the change was not announced") }
                times.append(.now - change.began)
            }
            return times
        }
    }

    /// A change whose way to the proxies is measured.
    struct Change {
        /// From when on it is measured.
        var began: ContinuousClock.Instant
        /// How long writing it took: the commit alone, or the whole call.
        var writing: Duration
    }

    static func service(_ name: String) -> String { "\(mesh)/namespaces/shop/services/\(name)" }

    /// Runs `body` for `0..<count`, 16 at a time.
    func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                if index >= 16 { try await group.next() }
                group.addTask { try await body(index) }
            }
            try await group.waitForAll()
        }
    }
}
