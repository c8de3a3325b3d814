import Documents
import Foundation
import Glibc
import HTTPFixtures
import MeshLab
import TestSupport
import Testing

/// A replica that dies at a chosen place of the engine (`FaultPoint`), and comes back: nothing that was decided is lost, and nothing is
/// decided twice.
@Suite("Fault points")
struct FaultPointTests {
    /// The names of `FaultPoint`, and how often the place is passed before.
    private static let points = [
        "release-claimed:2", "release-decided:1", "release-decided:3", "release-committed:2", "release-committed:5",
        "verb-decided:1", "verb-committed:1", "run-claimed:1", "run-measured:1", "run-committed:1", "webhook-sent:1",
        "run-committed:2", "delivery-claimed:1", "delivery-sent:1", "delivery-committed:1",
    ]

    @Test("a release that is interrupted anywhere ends as one that is not, by the same history", arguments: points)
    func killed(_ point: String) async throws {
        try await Self.withOthers { provider, hook, channel in
            try await TestTools.withDirectory { directory in
                var options = try Server.Options(
                    binary: TestTools.sluice(), directory: directory, token: "end-to-end-administrator")
                options.environment = ["SLUICE_EGRESS_ALLOW": "127.0.0.0/8", "SLUICE_FAULT_POINT": point]
                let server = try await Server(options)
                let api = server.api
                do {
                    try await Self.prepare(api, provider, hook, channel)
                    // The call may be what it dies of.
                    _ = try? await api.post("\(Self.path):start")
                    try await eventually(within: .seconds(60), "it dies at \(point)") { !server.process.isRunning }
                } catch {
                    await server.stop()
                    throw LabError("\(error)\n\(server.process.tail())")
                }
                options.environment["SLUICE_FAULT_POINT"] = nil
                try await TestTools.stopping(Server(options)) { again in
                    try await Self.finish(again.api, hook, channel, point)
                }
            }
        }
    }

    private static let mesh = "/v1/tenants/acme/meshes/default/namespaces/shop"
    private static let path = "\(mesh)/releases/reviews-v2"

    private static func withOthers(
        _ body: (ScriptedServer, ScriptedServer, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.run(.ok(#"{"value": 1}"#)) { provider in
            try await ScriptedServer.run(.ok("{}")) { hook in
                try await ScriptedServer.run(.ok("{}")) { channel in try await body(provider, hook, channel) }
            }
        }
    }

    /// A service without sidecars, and a plan that asks a provider and a webhook and tells a channel.
    private static func prepare(
        _ api: APIClient, _ provider: ScriptedServer, _ hook: ScriptedServer, _ channel: ScriptedServer
    ) async throws {
        func put(_ path: String, _ spec: JSONValue) async throws {
            try await api.put(path, ["spec": spec]).expectingSuccess(path)
        }
        try await put("/v1/tenants/acme", [:])
        try await api.post(
            "/v1/tenants/acme/clusters",
            ["metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]]]
        ).expectingSuccess("cluster")
        try await put(
            "\(mesh)/services/reviews",
            [
                "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]],
                "versions": [["name": "v1"], ["name": "v2"]],
            ])
        for version in ["v1", "v2"] {
            try await put(
                "\(mesh)/services/reviews/endpoints/\(version)",
                [
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": 18_080], "version": .string(version),
                ])
        }
        try await put("\(mesh)/metricProviders/main", ["httpJson": ["url": .string(provider.url)]])
        try await put(
            "\(mesh)/analysisTemplates/fine",
            [
                "metrics": [
                    [
                        "name": "value",
                        "provider": ["httpJson": ["ref": "main", "path": "/", "pointer": "/value"]],
                        "interval": "5s", "successCondition": "result >= 1",
                    ]
                ]
            ])
        try await put("\(mesh)/secrets/chat", ["type": "opaque", "data": ["url": .string(channel.url)]])
        try await put(
            "\(mesh)/notificationChannels/chat",
            ["type": "json", "urlFrom": ["secretRef": ["name": "chat", "key": "url"]]])
        try await put(
            path,
            [
                "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"], "retainStable": "0s",
                "notifications": [["channel": "chat", "events": ["Succeeded"]]],
                "strategy": [
                    "type": "canary",
                    "steps": [
                        ["setWeight": 1_000],
                        ["webhook": ["url": .string(hook.url), "timeout": "2s", "retry": ["backoff": "1s"]]],
                        ["notify": ["channels": ["chat"], "message": "half way"]], ["setWeight": 5_000],
                        ["analysis": ["templates": ["fine"]]], ["setWeight": 10_000],
                    ],
                ],
            ])
    }

    private static func finish(
        _ api: APIClient, _ hook: ScriptedServer, _ channel: ScriptedServer, _ point: String
    ) async throws {
        // Where it died before the commit, nobody was told that it had started.
        if try await api.get(path).body["status"]?["phase"] == "Draft" {
            try await api.post("\(path):start").expectingSuccess("start")
        }
        var status = JSONValue.null
        try await eventually(within: .seconds(90), "the release has ended") {
            status = try await api.get(path).body["status"] ?? .null
            return ["Succeeded", "RolledBack", "Failed"].contains(status["phase"]?.stringValue ?? "")
        }
        #expect(status["phase"] == "Succeeded", "\(status)")
        let events = try await api.get("\(path)/events?pageSize=500").body["items"]?.arrayValue ?? []
        let history = events.compactMap { event -> String? in
            guard let type = event["type"]?.stringValue, !ignored.contains(type) else { return nil }
            return "\(type) \(event["payload"]?["step"]?.integerValue ?? -1)"
        }
        #expect(history == expected, "\(point)")
        #expect(events.last?["payload"]?["phase"] == status["phase"], "the history replays to the status")
        // At least once each, and told apart by their ids.
        #expect(Set(hook.requests.map(identifier)).count == 1)
        try await eventually(within: .seconds(30), "both messages have arrived") {
            Set(channel.requests.map(identifier)).count == 2
        }
    }

    private static func identifier(of request: String) -> String {
        String(request.split(separator: "\r\n").first { $0.hasPrefix("webhook-id: ") } ?? "")
    }

    /// What depends on when somebody looks.
    private static let ignored: Set<String> = ["ControllerGap", "PauseAdded", "PauseRemoved"]

    private static let expected: [String] = {
        func moved(_ step: Int) -> [String] {
            ["StepStarted", "StepApplying", "StepVerifying", "StepCompleted"].map { "\($0) \(step)" }
        }
        return ["Started -1", "StepStarted 0", "Progressing 0"] + moved(0).dropFirst()
            + ["StepStarted 1", "StepWaiting 1", "WebhookCalled 1", "StepCompleted 1"]
            + ["StepStarted 2", "Notified 2", "StepCompleted 2"] + moved(3)
            + ["StepStarted 4", "StepVerifying 4", "StepWaiting 4", "AnalysisStarted 4", "StepCompleted 4"] + moved(5)
            + [
                "PromotionStarted 5", "StepStarted 6", "StepVerifying 6", "StepCompleted 6", "Promoted 6",
                "Succeeded -1",
            ]
    }()
}
