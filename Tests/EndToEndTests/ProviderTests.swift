import Documents
import Foundation
import HTTPFixtures
import MeshLab
import TestSupport
import Testing

/// Releases that ask a real Prometheus.
@Suite("Metric providers")
struct ProviderTests {
    private static func release(
        _ mesh: ReviewsMesh, asking port: Int, _ query: String, auth: JSONValue? = nil
    ) async throws -> String {
        let provider: JSONValue = [
            "prometheus": .fields(["url": .string("http://127.0.0.1:\(port)"), "auth": auth])
        ]
        try await mesh.api.put(mesh.object("metricProviders/main"), ["spec": provider]).expectingSuccess("provider")
        let template: JSONValue = [
            "args": [["name": "least"]],
            "metrics": [
                [
                    "name": "up", "provider": ["prometheus": ["ref": "main", "query": .string(query)]],
                    "interval": "5s",
                    "consecutiveErrorLimit": 0, "successCondition": "result >= {{args.least}}",
                ]
            ],
        ]
        try await mesh.api.put(mesh.object("analysisTemplates/outside"), ["spec": template]).expectingSuccess(
            "template")
        let path = mesh.object("releases/reviews-v2")
        let spec: JSONValue = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"], "retainStable": "0s",
            "strategy": [
                "type": "canary",
                "steps": [
                    ["setWeight": 5_000], ["analysis": ["templates": ["outside"], "args": ["least": "0.9"]]],
                    ["setWeight": 10_000],
                ],
            ],
        ]
        try await mesh.api.put(path, ["spec": spec]).expectingSuccess("release")
        try await mesh.api.post("\(path):start").expectingSuccess("start")
        return path
    }

    private static func status(_ mesh: ReviewsMesh, _ path: String) async throws -> JSONValue {
        try await mesh.api.get(path).body["status"] ?? .null
    }

    private static func run(
        _ settings: [String: String], _ body: @Sendable (ReviewsMesh, String) async throws -> Void
    ) async throws {
        try await TestTools.withServer { _ in
            settings
        } _: { server, directory in
            try await ReviewsMesh.run(api: server.api, envoy: TestTools.envoy(), directory: directory) { mesh in
                try await eventually("the sidecars are there") { try await mesh.isInStep() }
                try await body(mesh, directory)
            }
        }
    }

    @Test("One that does not answer holds the release, which goes on by itself when it does, by what it says")
    func prometheus() async throws {
        try await Self.run(["SLUICE_EGRESS_ALLOW": "127.0.0.0/8"]) { mesh, directory in
            let port = try FreePort.next()
            let path = try await Self.release(mesh, asking: port, "vector(0.95)")
            try await eventually(within: .seconds(90), "the release is held") {
                try await Self.status(mesh, path)["reason"] == "ProviderError"
            }
            let held = try await Self.status(mesh, path)
            #expect(
                held["phase"] == "Paused"
                    && held["message"]?.stringValue?.contains("metric \"up\" had an error") == true)
            let deletion = try await mesh.api.delete(mesh.object("metricProviders/main"))
            #expect(deletion.status == 409, "\(deletion.text)")

            let configuration = "\(directory)/prometheus.yml"
            try Data("global: { scrape_interval: 1m }\n".utf8).write(to: URL(filePath: configuration))
            let prometheus = try ChildProcess(
                name: "prometheus", executable: TestTools.executable("/usr/bin/prometheus"),
                arguments: [
                    "--config.file=\(configuration)", "--storage.tsdb.path=\(directory)/prometheus",
                    "--web.listen-address=127.0.0.1:\(port)",
                ], log: "\(directory)/prometheus.log")
            do {
                try await eventually(within: .seconds(90), "the release has ended") {
                    try await Self.status(mesh, path)["phase"] == "Succeeded"
                }
            } catch {
                await prometheus.stop(grace: .seconds(5))
                throw error
            }
            await prometheus.stop(grace: .seconds(5))
            let runs = try await mesh.api.get("\(path)/analysisRuns").body["items"]?.arrayValue ?? []
            let metric = runs.first?["metrics"]?.arrayValue?.first
            #expect(metric?["measurements"]?.arrayValue?.last?["value"]?.numberValue == 0.95, "\(runs)")
            #expect((metric?["counters"]?["error"]?.integerValue ?? 0) > 0)
        }
    }

    @Test("A provider is sent what a Secret has, which nobody can read and which stays as long as it is named")
    func credentials() async throws {
        try await ScriptedServer.run(.ok(#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#)) {
            provider in
            try await Self.run(["SLUICE_EGRESS_ALLOW": "127.0.0.0/8"]) { mesh, directory in
                let secret = mesh.object("secrets/prometheus")
                try await mesh.api.put(
                    secret, ["spec": ["type": "opaque", "data": ["token": "hunter2-hunter2"]]]
                ).expectingSuccess("secret")
                let auth: JSONValue = ["bearer": ["secretRef": ["name": "prometheus", "key": "token"]]]
                let path = try await Self.release(mesh, asking: provider.port, "up", auth: auth)
                try await eventually(within: .seconds(90), "the release has ended") {
                    try await Self.status(mesh, path)["phase"] == "Succeeded"
                }
                #expect(!provider.requests.isEmpty)
                #expect(provider.requests.allSatisfy { $0.contains("\r\nAuthorization: Bearer hunter2-hunter2\r\n") })
                let deletion = try await mesh.api.delete(secret)
                #expect(
                    deletion.status == 409 && deletion.text.contains("MetricProvider shop/main"), "\(deletion.text)")
                let log = try String(contentsOfFile: "\(directory)/sluice.log", encoding: .utf8)
                #expect(!log.contains("hunter2"))
            }
        }
    }

    @Test("A private address is not called unless the platform allows it, and the release says so")
    func guarded() async throws {
        try await Self.run([:]) { mesh, _ in
            let path = try await Self.release(mesh, asking: try FreePort.next(), "vector(1)")
            try await eventually(within: .seconds(90), "the release is held") {
                try await Self.status(mesh, path)["reason"] == "ProviderError"
            }
            let message = try await Self.status(mesh, path)["message"]?.stringValue ?? ""
            #expect(message.contains("127.0.0.1") && message.contains("--egress-allow"), "\(message)")
        }
    }
}
