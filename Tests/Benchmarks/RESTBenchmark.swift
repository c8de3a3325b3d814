internal import Documents
internal import Foundation
internal import MeshLab
internal import PostgresServer

/// GET and PUT of endpoints by 64 clients (`wrk`), beside `pgbench` running the statements that the server's database
/// says such a request runs.
struct RESTBenchmark {
    private static let objects = 100
    private static let clients = 64
    private static let seconds = 6

    private let server: MeasuredServer
    private let path = MeasuredServer.service("bench") + "/endpoints/bench-"

    init(_ server: MeasuredServer) { self.server = server }

    private static func endpoint(weight: String) -> String {
        #"{"spec":{"cluster":"dev","address":"127.0.0.1","ports":{"http":8080},"weight":\#(weight)}}"#
    }

    func run() async throws -> [Figure] {
        try await server.api.put(MeasuredServer.service("bench"), ["spec": LargeMesh.service]).expectingSuccess(
            "service")
        try await server.inParallel(Self.objects) { index in
            try await server.api.put("\(path)\(index)", ["spec": LargeMesh.endpoint(0, 0)]).expectingSuccess("endpoint")
        }
        let probe = "bench-7"
        let log = StatementLog(server)
        try await log.start()
        try await server.api.get(path + "7").expectingSuccess("GET")
        let read = try log.statements(naming: probe)
        try await server.api.put(path + "7", ["spec": LargeMesh.endpoint(0, 0, weight: 2)], headers: ["If-Match": "*"])
            .expectingSuccess("PUT")
        let written = try log.statements(naming: probe)
        try await log.stop()

        let get = try await wrk("return wrk.format('GET', '\(path)' .. math.random(0, \(Self.objects - 1)))")
        let reads = try await pgbench(read, probe)
        let put = try await wrk(
            """
            return wrk.format('PUT', '\(path)' .. math.random(0, \(Self.objects - 1)),
              {['Content-Type'] = 'application/json', ['If-Match'] = '*', ['Authorization'] = wrk.headers['Authorization']},
              '\(Self.endpoint(weight: "' .. math.random(1, 1000) .. '"))')
            """)
        let writes = try await pgbench(written, probe)
        return [
            figure("GET", get, reads, read.count, "≥ 0.3×"), figure("PUT", put, writes, written.count, "≥ 0.5×"),
        ]
    }

    private func figure(_ what: String, _ rate: Double, _ baseline: Double, _ statements: Int, _ budget: String)
        -> Figure
    {
        Figure(
            what: "\(what) of an endpoint (\(statements) statements)", value: "\(Table.rounded(rate)) a second",
            baseline: "\(Table.rounded(baseline)) (pgbench)", ratio: Table.ratio(rate / baseline), budget: budget)
    }

    /// Requests a second, all of them answered with 2xx.
    private func wrk(_ request: String) async throws -> Double {
        let script = "\(server.directory)/wrk.lua"
        try "function request()\n\(request)\nend\n".write(toFile: script, atomically: true, encoding: .utf8)
        let output = try await output(
            "/usr/bin/wrk",
            [
                "-t1", "-c\(Self.clients)", "-d\(Self.seconds)s", "-s", script, "-H",
                "Authorization: Bearer \(server.api.token)", server.api.base,
            ])
        guard let rate = output.number(after: "Requests/sec:"), !output.contains("Non-2xx"),
            !output.contains("Socket errors")
        else { throw LabError("wrk: \(output)") }
        return rate
    }

    /// Transactions a second, of the better of two numbers of connections.
    private func pgbench(_ statements: [StatementLog.Statement], _ probe: String) async throws -> Double {
        let script = "\(server.directory)/pgbench.sql"
        try PgbenchScript(statements, probe: probe, objects: Self.objects).text
            .write(toFile: script, atomically: true, encoding: .utf8)
        guard
            let program = ["15", "16", "17", "18"].map({ "/usr/lib/postgresql/\($0)/bin/pgbench" })
                .first(where: FileManager.default.isExecutableFile(atPath:))
        else { throw LabError("pgbench is not installed") }
        var best = 0.0
        for clients in [24, Self.clients] {
            // By count, because what starts a process here blocks SIGALRM, which `-T` needs.
            let guess = try await rate(of: program, script, clients, transactions: 100)
            let count = Int(guess * Double(Self.seconds)) / clients
            best = max(best, try await rate(of: program, script, clients, transactions: max(100, count)))
        }
        return best
    }

    private func rate(of program: String, _ script: String, _ clients: Int, transactions: Int) async throws -> Double {
        let arguments = ["-n", "-M", "prepared", "-c", "\(clients)", "-j", "1", "-t", "\(transactions)", "-f", script]
        let output = try await output(program, arguments + [server.database.connectionString])
        guard let rate = output.number(after: "tps ="), output.contains("failed transactions: 0") else {
            throw LabError("pgbench: \(output)")
        }
        return rate
    }

    private func output(_ program: String, _ arguments: [String]) async throws -> String {
        let log = "\(server.directory)/\(UUID().uuidString).out"
        let process = try ChildProcess(name: program, executable: program, arguments: arguments, log: log)
        try await eventually(within: .seconds(60), "\(program) ends") { !process.isRunning }
        return try String(contentsOfFile: log, encoding: .utf8)
    }
}

extension String {
    /// The number behind the first `label`.
    fileprivate func number(after label: String) -> Double? {
        guard let range = range(of: label) else { return nil }
        return Double(self[range.upperBound...].drop(while: \.isWhitespace).prefix { $0.isNumber || $0 == "." })
    }
}
