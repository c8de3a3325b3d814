import Foundation
import TestSupport
import Testing

@testable import Egress

@Suite("A real Prometheus", .timeLimit(.minutes(5)))
struct RealPrometheusTests {
    @Test("gives the value of an expression, none, or why not")
    func expressions() async throws {
        try await Self.run { port in
            try await withClient { client in
                let prometheus = PrometheusClient(
                    ProviderAddress(base: "http://127.0.0.1:\(port)", timeout: .seconds(60)), client: client)
                try await until("it is ready") { await prometheus.value(of: "1") == .value(1) }
                #expect(await prometheus.value(of: "vector(0.5)", at: 1_700_000_000_000) == .value(0.5))
                #expect(await prometheus.value(of: "time()", at: 1_700_000_000_250) == .value(1_700_000_000.25))
                #expect(await prometheus.value(of: "1/0") == .failure("the answer is +Inf"))
                #expect(await prometheus.value(of: "0/0") == .failure("the answer is NaN"))
                #expect(await prometheus.value(of: "nosuchmetric{a=\"ü\"}") == .noData)
                let two = #"vector(1) or label_replace(vector(2),"a","b","","")"#
                #expect(await prometheus.value(of: two) == .failure("the expression gives 2 samples, not one"))
                #expect(
                    await prometheus.value(of: "\"text\"") == .failure("the expression gives a string, not one number"))
                guard case .failure(let reason) = await prometheus.value(of: "sum(") else {
                    Issue.record("a syntax error has a value")
                    return
                }
                #expect(reason.hasPrefix("the provider answers 400: ") && reason.contains("parse error"), "\(reason)")
            }
        }
    }

    /// Runs Prometheus in a directory of its own, and `body` with its port.
    private static func run(_ body: (Int) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-prometheus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = folder.appending(path: "prometheus.yml")
        try Data("global: {}\n".utf8).write(to: configuration)
        let log = folder.appending(path: "log")
        try Data().write(to: log)
        let process = Process()
        process.executableURL = URL(filePath: try TestTools.executable("/usr/bin/prometheus"))
        process.arguments = [
            "--config.file=\(configuration.path)", "--web.listen-address=127.0.0.1:0",
            "--storage.tsdb.path=\(folder.appending(path: "data").path)",
        ]
        let output = try FileHandle(forWritingTo: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        var port: Int?
        try await until("it listens") {
            let text = try String(contentsOf: log, encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.contains("msg=\"Listening on\"") }
            port = line?.split(separator: ":").last.flatMap { Int($0) }
            return port != nil
        }
        try await body(try #require(port))
    }
}
