internal import Documents
internal import Foundation
internal import MeshLab
internal import Postgres
internal import PostgresServer
internal import Synchronization

/// Many releases at once, driven by three replicas, and how fast one is taken back.
///
/// Of the active ones a tenth in fifty changes its shares every few seconds, some wait for somebody, and all others bake with a metric that is
/// measured every 30 s. No proxy reports, so each look at a window finds too few requests: the reading is paid for, and nothing is
/// decided by it.
struct ReleaseBenchmark {
    static let releases = 5000
    private static let paused = 400
    private static let changing = 100
    private static let observed = Duration.seconds(60)
    private static let rollbacks = 200

    let server: MeasuredServer

    func run() async throws -> [Figure] {
        let others = try await replicas()
        do {
            let start = ContinuousClock.now
            try await fill()
            try await settle()
            let filling = ContinuousClock.now - start
            var figures = [
                Figure(what: "\(Self.releases) releases written and started", value: Table.text(filling))
            ]
            figures += try await rest([server.server] + others)
            figures += try await takeBack()
            for other in others { await other.stop() }
            return figures
        } catch {
            for other in others { await other.stop() }
            throw error
        }
    }

    private func replicas() async throws -> [Server] {
        var others: [Server] = []
        for number in 2...3 {
            let directory = "\(server.directory)/replica-\(number)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            var options = try Server.Options(
                binary: server.server.options.binary, directory: directory, token: server.server.options.token,
                databaseURL: server.database.connectionString, name: "replica-\(number)")
            options.environment = server.server.options.environment
            others.append(try await Server(options))
        }
        return others
    }

    // MARK: What there is

    private static func name(_ index: Int) -> String { "app-\(index)" }
    private static func release(_ index: Int) -> String {
        "\(MeasuredServer.mesh)/namespaces/shop/releases/\(name(index))"
    }

    private static func plan(_ index: Int) -> JSONValue {
        let strategy: JSONValue
        switch index {
        case ..<changing:
            let steps: [JSONValue] = (0..<90).map { step in
                ["setWeight": .integer(Int64(100 + step % 2 * 100)), "bakeTime": "5s"]
            }
            strategy = ["type": "canary", "steps": .array(steps + [["pause": [:]]])]
        case ..<(changing + paused):
            strategy = ["type": "canary", "steps": [["setWeight": 500], ["pause": [:]]]]
        default:
            strategy = [
                "type": "canary", "steps": [["setWeight": 500, "bakeTime": "10h"], ["pause": [:]]],
                "backgroundAnalysis": ["templates": ["bench"]],
            ]
        }
        return [
            "service": .string(name(index)), "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": strategy,
        ]
    }

    private func fill() async throws {
        let template: JSONValue = [
            "metrics": [
                [
                    "name": "errors", "provider": ["builtin": "attempt-success-rate"], "interval": "30s",
                    "successCondition": "result >= 0.9",
                ]
            ]
        ]
        try await server.api.put(
            "\(MeasuredServer.mesh)/namespaces/shop/analysisTemplates/bench", ["spec": template]
        ).expectingSuccess("template")
        let service: JSONValue = [
            "ports": [["name": "http", "port": 8080, "protocol": "HTTP"]],
            "versions": [["name": "v1"], ["name": "v2"]],
        ]
        try await server.inParallel(Self.releases) { [server] index in
            let path = MeasuredServer.service(Self.name(index))
            try await server.api.put(path, ["spec": service]).expectingSuccess(path)
            for version in ["v1", "v2"] {
                let endpoint: JSONValue = [
                    "cluster": "dev", "address": "127.0.0.1",
                    "ports": ["http": .integer(version == "v1" ? 18_001 : 18_002)],
                    "version": .string(version),
                ]
                try await server.api.put("\(path)/endpoints/\(version)", ["spec": endpoint]).expectingSuccess(path)
            }
            let release = Self.release(index)
            try await server.api.put(release, ["spec": Self.plan(index)]).expectingSuccess(release)
            try await server.api.post("\(release):start").expectingSuccess(release)
        }
    }

    /// Until each release is where its plan stands.
    private func settle() async throws {
        try await eventually(within: .seconds(300), "every release is under way") {
            try await number(
                """
                SELECT count(*) FROM object WHERE kind = 'Release'
                   AND (status ->> 'phase' = 'Paused' OR status -> 'currentStep' ->> 'state' = 'Baking')
                """) >= Double(Self.releases - Self.changing / 2)
        }
    }

    private func number(_ query: Statement) async throws -> Double {
        let connection = try await Connection.open(
            ConnectionOptions(server.database.connectionString(database: "sluice", user: "postgres")))
        let rows = try await connection.query("SELECT (\(query))::float8 AS n")
        let value: Double = try rows[0]["n"]
        return value
    }

    // MARK: What it costs

    private struct Sample {
        var cpu: Double
        var database: Double
        var commits: Double
        var wal: Double
        var drives: Double
    }

    private func sample(_ servers: [Server]) async throws -> Sample {
        var cpu = 0.0
        for server in servers { cpu += try ProcessUsage(pid: server.process.pid).cpu }
        return Sample(
            cpu: cpu, database: try databaseCPU(),
            commits: try await number("SELECT sum(xact_commit) FROM pg_stat_database"),
            wal: try await number("SELECT wal_bytes FROM pg_stat_wal"),
            drives: try await number("SELECT sum(row_version) FROM release"))
    }

    /// User and system time of all processes of PostgreSQL, those that have ended included, in seconds.
    private func databaseCPU() throws -> Double {
        let text = try String(contentsOfFile: "\(server.database.clusterDirectory)/postmaster.pid", encoding: .utf8)
        guard let postmaster = text.split(separator: "\n").first.flatMap({ Int($0) }) else {
            throw LabError("no postmaster")
        }
        var ticks = 0
        for entry in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(entry) != nil {
            guard let stat = try? String(contentsOfFile: "/proc/\(entry)/stat", encoding: .utf8),
                let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 15
            else { continue }
            if Int(entry) == postmaster {
                // With its children that have ended.
                ticks += fields[11...14].reduce(0) { $0 + (Int($1) ?? 0) }
            } else if Int(fields[1]) == postmaster {
                ticks += fields[11...12].reduce(0) { $0 + (Int($1) ?? 0) }
            }
        }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func rest(_ servers: [Server]) async throws -> [Figure] {
        try await Task.sleep(for: .seconds(10))
        let statements = StatementLog(server)
        let before = try await sample(servers)
        try await Task.sleep(for: Self.observed)
        let after = try await sample(servers)
        // A log of every statement costs too, so it is looked at by itself.
        try await statements.start()
        let counted = Duration.seconds(10)
        let first = try statements.count()
        try await Task.sleep(for: counted)
        let logged = try statements.count() - first
        try await statements.stop()
        let seconds = Self.observed / .seconds(1)
        func rate(_ value: (Sample) -> Double) -> Double { (value(after) - value(before)) / seconds }
        func share(_ value: Double) -> String { "\(Table.rounded(value * 100)) % of a core" }
        return [
            Figure(what: "three replicas, CPU in all", value: share(rate(\.cpu))),
            Figure(what: "  PostgreSQL, CPU", value: share(rate(\.database))),
            Figure(what: "  statements a second", value: Table.rounded(Double(logged) / (counted / .seconds(1)))),
            Figure(what: "  transactions a second", value: Table.rounded(rate(\.commits))),
            Figure(what: "  WAL a second", value: "\(Table.rounded(rate(\.wal) / 1e3)) kB"),
            Figure(what: "  looks that wrote, a second", value: Table.rounded(rate(\.drives))),
        ]
    }

    // MARK: Rollback

    /// The verb, as a script would call it, while all others go on.
    private func takeBack() async throws -> [Figure] {
        let times = Mutex<[Duration]>([])
        let first = Self.changing + Self.paused
        for index in first..<(first + Self.rollbacks) {
            let start = ContinuousClock.now
            try await server.api.post("\(Self.release(index)):rollback").expectingSuccess("rollback")
            times.withLock { $0.append(.now - start) }
        }
        let sorted = times.withLock { $0.sorted() }
        return [
            Figure(
                what: "rollback, from the call to its answer, p50 and p99",
                value: [sorted[sorted.count / 2], sorted[sorted.count * 99 / 100]].map(Table.text).joined(
                    separator: ", "),
                budget: "p99 ≤ 100 ms")
        ]
    }
}

/// Rollbacks under the eyes of many proxies: when all of them have the routes.
struct RollbackBenchmark {
    private static let rounds = 20

    let server: MeasuredServer
    let count: Int

    private static let service = "app"
    private static let path = "\(MeasuredServer.mesh)/namespaces/shop/releases/app"

    /// - Parameter fleet: connected, all in sync.
    func run(_ fleet: Fleet) async throws -> [Figure] {
        try await prepare()
        var (last, all, ends): ([Duration], [Duration], [Duration]) = ([], [], [])
        for _ in 0..<Self.rounds {
            try await begin()
            fleet.mark()
            let start = ContinuousClock.now
            try await server.api.post("\(Self.path):rollback").expectingSuccess("rollback")
            let times = try await PushBenchmark.arrivals(fleet, count, "rollback", from: start)
            last.append(times.last ?? .zero)
            all += times
            try await phase("RolledBack")
            ends.append(.now - start)
        }
        all.sort()
        return [
            Figure(
                what: "rollback: the last of \(count) proxies has the routes, median and most",
                value: [Table.median(last) ?? .zero, last.max() ?? .zero].map(Table.text).joined(separator: ", ")),
            Figure(
                what: "  p99 of all proxies", value: Table.text(all.isEmpty ? .zero : all[all.count * 99 / 100]),
                budget: "≤ 2 s"),
            Figure(
                what: "  acknowledged by all, and the release has ended, median and most",
                value: [Table.median(ends) ?? .zero, ends.max() ?? .zero].map(Table.text).joined(separator: ", ")),
        ]
    }

    private func prepare() async throws {
        let service: JSONValue = [
            "ports": [["name": "http", "port": 8080, "protocol": "HTTP"]],
            "versions": [["name": "v1"], ["name": "v2"]],
        ]
        let place = MeasuredServer.service(Self.service)
        try await server.api.put(place, ["spec": service]).expectingSuccess("service")
        for version in ["v1", "v2"] {
            let endpoint: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1",
                "ports": ["http": .integer(version == "v1" ? 18_001 : 18_002)],
                "version": .string(version),
            ]
            try await server.api.put("\(place)/endpoints/\(version)", ["spec": endpoint]).expectingSuccess("endpoint")
        }
        let plan: JSONValue = [
            "service": .string(Self.service), "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 1000], ["pause": [:]]]],
        ]
        try await server.api.put(Self.path, ["spec": plan]).expectingSuccess("release")
        try await server.api.post("\(Self.path):start").expectingSuccess("start")
        try await phase("Paused")
    }

    /// Under way, with everybody at its traffic.
    private func begin() async throws {
        if try await server.api.get(Self.path).body["status"]?["phase"] != "Paused" {
            try await server.api.post("\(Self.path):retry").expectingSuccess("retry")
        }
        try await phase("Paused")
    }

    private func phase(_ phase: String) async throws {
        try await eventually(within: .seconds(60), "the release is \(phase)") {
            try await server.api.get(Self.path).body["status"]?["phase"]?.stringValue == phase
        }
    }
}
