internal import Documents
internal import EnvoyProtos
internal import Foundation
internal import MeshLab
internal import MeshStore
internal import SwiftProtobuf
internal import Synchronization

/// First sync of many proxies with the ``LargeMesh``, pushes to all of them, and their return all at once.
///
/// The floor of the first sync is a bare server that sends the same recorded bytes and knows nothing else (``Floor``): what
/// ours adds to that is the ratio.
struct XDSBenchmark {
    /// How often a first sync is measured.
    private static let syncs = 3

    private let server: MeasuredServer
    private let count: Int
    private let dialect: Fleet.Dialect
    /// Whether each proxy is the sidecar of an endpoint.
    private let haveWorkloads: Bool
    /// What the names of its proxies begin with: none of them has been there before.
    private let prefix = UUID().uuidString.prefix(8).lowercased()

    init(_ server: MeasuredServer, _ count: Int, _ dialect: Fleet.Dialect, haveWorkloads: Bool) {
        self.server = server
        self.count = count
        self.dialect = dialect
        self.haveWorkloads = haveWorkloads
    }

    func run() async throws -> [Figure] {
        let scout = newFleet
        var figures = try await firstProxy(scout)
        let sample = scout.current.sample
        let (fleet, syncs) = try await firstSyncs(sample)
        figures += syncs
        scout.close()
        figures.append(try await idle())
        let pushes = PushBenchmark(server: server, count: count, dialect: dialect)
        let pushed = try await pushes.run(fleet)
        let later =
            try await churn(fleet) + storm(fleet) + RollbackBenchmark(server: server, count: count).run(fleet)
        fleet.close()
        try await connectedProxies(0)
        return try await figures + pushes.figures(pushed, sample) + later
    }

    /// One proxy comes before all others: a mesh is loaded, compiled and encoded when somebody first wants it, and that costs
    /// the same for one as for all.
    private func firstProxy(_ fleet: Fleet) async throws -> [Figure] {
        let identity = try await identities("first", 1)[0]
        let before = try server.usage()
        let start = ContinuousClock.now
        fleet.connect(1) { _ in identity }
        try await fleet.wait("the first proxy is in sync") { $0.synced == 1 }
        let time = fleet.current.lastSynced - start
        let after = try server.usage()
        let memory = Double(after.resident - before.resident) / 1e6
        return [
            Figure(what: "first proxy: mesh loaded, compiled, in sync", value: Table.text(time)),
            Figure(what: "  server CPU", value: Table.text(.seconds(after.cpu - before.cpu))),
            Figure(what: "  resident memory", value: "\(Table.rounded(memory)) MB"),
        ]
    }

    /// All come at once, three times, each time others. The floor comes first, and its proxies are gone before the others come,
    /// so that half as many files are open.
    ///
    /// - Parameter sample: what such a proxy is sent.
    /// - Returns: the last of the fleets, connected, and the medians.
    private func firstSyncs(_ sample: [String: Fleet.Sample]) async throws -> (Fleet, [Figure]) {
        var fleet = newFleet
        var (syncs, floors): ([Floor.Cost], [Floor.Cost]) = ([], [])
        var memory = 0.0
        for round in 0..<Self.syncs {
            let identities = try await identities("sync-\(round)", count)
            floors.append(try await Floor.measure(sample, count, dialect).sync)
            // Later ones use what the first have left.
            let empty = round == 0 ? try await server.settledMemory() : 0
            try await Task.sleep(for: .seconds(1))
            let before = try server.usage()
            let own = try ProcessUsage.ofThisProcess
            let start = ContinuousClock.now
            fleet.connect(count) { identities[$0] }
            try await fleet.wait("\(count) proxies are in sync") { [count] in $0.synced == count }
            let after = try server.usage()
            syncs.append(
                Floor.Cost(
                    time: fleet.current.lastSynced - start, cpu: after.cpu - before.cpu,
                    clients: try ProcessUsage.ofThisProcess.cpu - own.cpu))
            if round == 0 { memory = Double(try await server.settledMemory() - empty) / Double(count) / 1e3 }
            if round < Self.syncs - 1 {
                fleet.close()
                // One is the first proxy.
                try await connectedProxies(1)
                fleet = newFleet
            }
        }
        let (sync, floor) = (Floor.Cost(medianOf: syncs), Floor.Cost(medianOf: floors))
        let size = Double(fleet.current.bytes) / 1e6
        return (
            fleet,
            [
                Figure(
                    what: "first sync of \(count) more, \(Table.rounded(size)) MB in all", value: Table.text(sync.time),
                    baseline: Table.text(floor.time), ratio: Table.ratio(sync.time / floor.time),
                    budget: Budget.sync(count, dialect)),
                Figure(
                    what: "  server CPU", value: Table.text(.seconds(sync.cpu)),
                    baseline: Table.text(.seconds(floor.cpu)), ratio: Table.ratio(sync.cpu / floor.cpu),
                    budget: Budget.syncCPU(count, dialect)),
                Figure(
                    what: "  CPU of the clients, on the same cores", value: Table.text(.seconds(sync.clients)),
                    baseline: Table.text(.seconds(floor.clients))),
                Figure(what: "  resident memory of each", value: "\(Table.rounded(memory)) kB", budget: "≤ 35 kB"),
            ]
        )
    }

    private var newFleet: Fleet { Fleet(dialect, port: server.server.options.xdsPort) }

    /// Waits until the server has noticed how many are left.
    private func connectedProxies(_ number: Int) async throws {
        try await eventually("the server has noticed that proxies are gone") {
            try await server.api.get("/metrics").text.contains("sluice_xds_connected_proxies \(number)\n")
        }
    }

    private func idle() async throws -> Figure {
        let before = try server.usage()
        try await Task.sleep(for: .seconds(5))
        let cpu = try server.usage().cpu - before.cpu
        return Figure(what: "CPU while nothing changes", value: "\(Table.rounded(cpu / 5 * 100)) % of a core")
    }

    private static func changeRoute(_ service: Int, timeout: Int, _ api: APIClient) async throws {
        try await api.put(
            "\(MeasuredServer.mesh)/namespaces/shop/virtualServices/\(LargeMesh.serviceName(service))",
            ["spec": LargeMesh.rules(service, timeout: timeout)], headers: ["If-Match": "*"]
        ).expectingSuccess("a change of a route")
    }

    /// Routes change as fast as the API takes it, 16 at a time, while somebody reads from it.
    private func churn(_ fleet: Fleet) async throws -> [Figure] {
        let path = MeasuredServer.service(LargeMesh.serviceName(0))
        let calm = try await latency(of: path) { $0 >= 20 }
        let changes = 300
        let written = Mutex(0)
        let before = try server.usage()
        let start = ContinuousClock.now
        async let writes: Void = server.inParallel(changes) { [server] index in
            let service = index % (LargeMesh.services / 10) * 10
            try await Self.changeRoute(service, timeout: 100 + index, server.api)
            written.withLock { $0 += 1 }
        }
        let disturbed = try await latency(of: path) { _ in written.withLock { $0 == changes } }.sorted()
        try await writes
        let time = ContinuousClock.now - start
        fleet.mark()
        let last = ContinuousClock.now
        try await Self.changeRoute(500, timeout: 1_000, server.api)
        try await fleet.wait("every proxy has the last route") { [count] in $0.arrivals.count == count }
        let arrived = ContinuousClock.now - last
        let cpu = try server.usage().cpu - before.cpu
        let perSecond = Double(changes) / (time / .seconds(1))
        return [
            Figure(
                what: "\(changes) routes change, 16 at a time: last proxy has the last of them",
                value: Table.text(arrived)),
            Figure(what: "  server CPU", value: Table.text(.seconds(cpu))),
            Figure(what: "  changes a second", value: "\(Table.rounded(perSecond))"),
            Figure(
                what: "  median and slowest GET meanwhile",
                value: [disturbed[disturbed.count / 2], disturbed[disturbed.count - 1]].map(Table.text)
                    .joined(separator: ", "), baseline: Table.text(calm.max() ?? .zero) + " (at rest)"),
        ]
    }

    /// Every connection is dropped and comes back at once, while somebody uses the API.
    private func storm(_ fleet: Fleet) async throws -> [Figure] {
        let path = MeasuredServer.service(LargeMesh.serviceName(0))
        let calm = try await latency(of: path) { $0 >= 20 }
        let before = try server.usage()
        let start = ContinuousClock.now
        fleet.reconnect()
        let disturbed = try await latency(of: path) { [count] _ in fleet.current.synced >= count }
        let time = fleet.current.lastSynced - start
        let cpu = try server.usage().cpu - before.cpu
        return [
            Figure(
                what: "all reconnect at once: in sync, \(Table.rounded(Double(fleet.current.bytes) / 1e6)) MB",
                value: Table.text(time)),
            Figure(what: "  server CPU", value: Table.text(.seconds(cpu))),
            Figure(
                what: "  slowest GET meanwhile", value: Table.text(disturbed.max() ?? .zero),
                baseline: Table.text(calm.max() ?? .zero) + " (at rest)"),
        ]
    }

    /// Asks again and again until `isEnough`, which is told how often it was.
    private func latency(of path: String, until isEnough: (Int) -> Bool) async throws -> [Duration] {
        var times: [Duration] = []
        let deadline = ContinuousClock.now + .seconds(120)
        while times.isEmpty || !isEnough(times.count) {
            guard ContinuousClock.now < deadline else { throw LabError("not all proxies came back") }
            let start = ContinuousClock.now
            try await server.api.get(path).expectingSuccess(path)
            times.append(.now - start)
        }
        return times
    }

    /// Nodes and tokens of proxies, from their bootstraps.
    private func identities(_ name: String, _ count: Int) async throws -> [ProxyIdentity] {
        let found = Mutex([Int: ProxyIdentity]())
        let server = server
        try await server.inParallel(count) { index in
            let proxy = "\(prefix)-\(name)-\(index)"
            let service = haveWorkloads ? try await workload(index, of: proxy) : "bench"
            let path =
                "\(MeasuredServer.mesh)/proxies/\(proxy)/bootstrap?namespace=shop&service=\(service)&cluster=dev"
            let document = try await server.api.get(path, headers: ["Accept": "application/json"])
                .expectingSuccess("bootstrap").body
            let identity = try ProxyIdentity(bootstrap: document)
            found.withLock { $0[index] = identity }
        }
        return found.withLock { found in (0..<count).compactMap { found[$0] } }
    }

    /// Puts a sidecar in front of an endpoint: one of each service, from the last on, as the first ones change (``PushBenchmark``).
    ///
    /// - Returns: the service's name.
    private func workload(_ index: Int, of proxy: String) async throws -> String {
        let service = index % LargeMesh.services
        let number = LargeMesh.endpoints - 1 - index / LargeMesh.services
        let path = MeasuredServer.service(LargeMesh.serviceName(service)) + "/endpoints/e\(number)"
        try await server.api.put(
            path, ["spec": LargeMesh.endpoint(service, number, proxy: proxy)], headers: ["If-Match": "*"]
        ).expectingSuccess(path)
        return LargeMesh.serviceName(service)
    }
}

extension ProxyIdentity {
    /// Reads the bootstrap as Envoy does.
    fileprivate init(bootstrap: JSONValue) throws {
        let service = bootstrap["dynamicResources"]?["adsConfig"]?["grpcServices"]?.arrayValue?.first
        guard let node = bootstrap["node"],
            let value = service?["initialMetadata"]?.arrayValue?.first?["value"]?.stringValue
        else { throw LabError("the bootstrap has no node or no token") }
        self.init(
            node: try Envoy_Config_Core_V3_Node(jsonUTF8Data: JSONEncoder().encode(node)),
            token: value.replacing("Bearer ", with: ""))
    }
}

/// The budgets of the design: fractions of what go-control-plane takes for the same mesh, a first sync in the same variant.
enum Budget {
    static func sync(_ count: Int, _ dialect: Fleet.Dialect) -> String {
        dialect.isDelta
            ? text(count, [100: 0.035, 500: 0.18, 1000: 0.36, 2000: 0.69])
            : text(count, [100: 0.028, 500: 0.15, 1000: 0.29, 2000: 0.51])
    }

    static func syncCPU(_ count: Int, _ dialect: Fleet.Dialect) -> String {
        dialect.isDelta
            ? text(count, [100: 0.05, 500: 0.23, 1000: 0.46, 2000: 0.9])
            : text(count, [100: 0.04, 500: 0.19, 1000: 0.38, 2000: 0.68])
    }

    /// Of one endpoint; the design has figures of the delta variant only.
    static func push(_ count: Int) -> String { text(count, [100: 0.0025, 500: 0.0176, 1000: 0.05, 2000: 0.09]) }
    static func pushCPU(_ count: Int) -> String { text(count, [100: 0.005, 500: 0.038, 1000: 0.085, 2000: 0.14]) }

    private static func text(_ count: Int, _ seconds: [Int: Double]) -> String {
        seconds[count].map { "≤ " + Table.text(.seconds($0)) } ?? ""
    }
}
