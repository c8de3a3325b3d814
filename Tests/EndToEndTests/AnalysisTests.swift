import Documents
import MeshLab
import TestSupport
import Testing

/// Releases that go by what real sidecars report of real requests.
@Suite("Analysis")
struct AnalysisTests {
    /// A template of one share of good answers over ten seconds.
    private static func template(_ name: String, _ mesh: ReviewsMesh, _ metric: [String: JSONValue]) async throws {
        let standard: [String: JSONValue] = [
            "name": "success", "provider": ["builtin": "attempt-success-rate"], "interval": "10s", "minSamples": 20,
            "successCondition": "result >= 0.9",
        ]
        try await mesh.api.put(
            mesh.object("analysisTemplates/\(name)"),
            ["spec": ["metrics": [.object(standard.merging(metric) { $1 })]]]
        ).expectingSuccess("template \(name)")
    }

    private static func release(_ mesh: ReviewsMesh, _ strategy: JSONValue) async throws -> String {
        let path = mesh.object("releases/reviews-v2")
        let spec: JSONValue = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"], "strategy": strategy,
            "retainStable": "0s",
        ]
        try await mesh.api.put(path, ["spec": spec]).expectingSuccess("release")
        try await mesh.api.post("\(path):start").expectingSuccess("start")
        return path
    }

    private static func ended(_ mesh: ReviewsMesh, _ path: String) async throws -> JSONValue {
        var status = JSONValue.null
        try await eventually(within: .seconds(120), "the release has ended") {
            status = try await mesh.api.get(path).body["status"] ?? .null
            return ["Succeeded", "RolledBack", "Failed"].contains(status["phase"]?.stringValue ?? "")
        }
        return status
    }

    /// Runs `body` with a mesh and requests of which v2 answers some with 503.
    private static func run(
        failing: Bool, envoy: TestTools.Envoy = .newest, _ body: @Sendable @escaping (ReviewsMesh) async throws -> Void
    ) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(api: server.api, envoy: TestTools.envoy(envoy), directory: directory) { mesh in
                try await eventually("the sidecars are there") { try await mesh.isInStep() }
                let load = mesh.load(headers: failing ? [("x-lab-status", "503"), ("x-lab-fail", "v2")] : [])
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await load.run() }
                    try await body(mesh)
                    group.cancelAll()
                }
            }
        }
    }

    @Test(
        "A step waits until measurements say that the canary is good, and the plan goes on",
        arguments: TestTools.Envoy.allCases)
    func passes(_ envoy: TestTools.Envoy) async throws {
        try await Self.run(failing: false, envoy: envoy) { mesh in
            try await Self.template("ok", mesh, [:])
            let path = try await Self.release(
                mesh,
                [
                    "type": "canary",
                    "steps": [
                        ["setWeight": 5_000], ["name": "look", "analysis": ["templates": ["ok"]]],
                        ["setWeight": 10_000],
                    ],
                ])
            let status = try await Self.ended(mesh, path)
            #expect(status["phase"] == "Succeeded", "\(status)")
            let runs = try await mesh.api.get("\(path)/analysisRuns").body["items"]?.arrayValue ?? []
            let run = try #require(runs.first)
            #expect(runs.count == 1 && run["phase"] == "Successful" && run["kind"] == "step" && run["step"] == 1)
            let measurement = try #require(run["metrics"]?.arrayValue?.first?["measurements"]?.arrayValue?.first)
            #expect(measurement["phase"] == "Successful" && measurement["value"]?.numberValue == 1, "\(measurement)")
            #expect((measurement["samples"]?.integerValue ?? 0) >= 20)
            let id = try #require(run["id"]?.stringValue)
            let all = try await mesh.api.get("\(path)/analysisRuns/\(id)/measurements").body["items"]?.arrayValue ?? []
            #expect(all.count == 1 && all.first?["metric"] == "success" && all.first?["value"] == measurement["value"])
        }
    }

    @Test("A canary that fails is taken back by itself, and one line says why")
    func fails() async throws {
        try await Self.run(failing: true) { mesh in
            try await Self.template("ok", mesh, [:])
            let path = try await Self.release(
                mesh,
                [
                    "type": "canary",
                    "steps": [["setWeight": 2_000], ["analysis": ["templates": ["ok"]]], ["setWeight": 10_000]],
                ])
            let status = try await Self.ended(mesh, path)
            #expect(status["phase"] == "RolledBack" && status["reason"] == "AnalysisFailed", "\(status)")
            let message = status["message"]?.stringValue ?? ""
            #expect(message.hasPrefix("analysis \"ok\": metric \"success\" failed: 0 < 0.9 (n="), "\(message)")
            try await eventually("nothing goes to v2") {
                let probe = mesh.load()
                for _ in 0..<20 { await probe.once() }
                return probe.total.versions["v2"] == nil
            }
        }
    }

    @Test("What is measured beside the steps keeps a step until it was looked at, and turns around when it fails")
    func background() async throws {
        try await Self.run(failing: false) { mesh in
            try await Self.template("beside", mesh, ["failureLimit": 0])
            let path = try await Self.release(
                mesh,
                [
                    "type": "canary", "backgroundAnalysis": ["templates": ["beside"]],
                    "steps": [["setWeight": 3_000], ["setWeight": 5_000], ["pause": ["duration": "1h"]]],
                ])
            var status = JSONValue.null
            try await eventually(within: .seconds(100), "both steps were looked at") {
                status = try await mesh.api.get(path).body["status"] ?? .null
                return status["currentStep"]?["index"] == 2
            }
            let events = try await mesh.api.get("\(path)/events?pageSize=200").body["items"]?.arrayValue ?? []
            #expect(
                events.contains { $0["type"] == "StepBaking" }, "steps without bakeTime bake until they were looked at")
            // What the sidecars count is what was decided.
            try await eventually("half of the requests are seen at v2") {
                let observed = try await mesh.api.get(path).body["status"]?["traffic"]?["observed"]
                guard let low = observed?["low"]?.integerValue, let high = observed?["high"]?.integerValue else {
                    return false
                }
                return low <= 5_000 && high >= 5_000 && (observed?["samples"]?.integerValue ?? 0) > 100
            }
            // From here on the canary fails.
            let bad = mesh.load(headers: [("x-lab-status", "503"), ("x-lab-fail", "v2")])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await bad.run() }
                status = try await Self.ended(mesh, path)
                group.cancelAll()
            }
            #expect(status["phase"] == "RolledBack" && status["reason"] == "AnalysisFailed", "\(status)")
            #expect(status["message"]?.stringValue?.contains("metric \"success\" failed") == true)
        }
    }
}
