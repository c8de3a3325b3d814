import Documents
import Foundation
import HTTPFixtures
import MeshLab
import TestSupport
import Testing

/// Plans that wait for people and for others, with real sidecars and real servers.
@Suite("Gates")
struct GateTests {
    private static func run(_ body: @Sendable (ReviewsMesh) async throws -> Void) async throws {
        try await TestTools.withServer { _ in
            ["SLUICE_EGRESS_ALLOW": "127.0.0.0/8"]
        } _: { server, directory in
            try await ReviewsMesh.run(api: server.api, envoy: TestTools.envoy(), directory: directory) { mesh in
                try await eventually("the sidecars are there") { try await mesh.isInStep() }
                try await body(mesh)
            }
        }
    }

    private static func release(
        _ mesh: ReviewsMesh, _ steps: [JSONValue], name: String = "reviews-v2", _ more: [String: JSONValue] = [:]
    ) async throws -> String {
        let path = mesh.object("releases/\(name)")
        let spec: [String: JSONValue] = [
            "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"], "retainStable": "0s",
            "strategy": ["type": "canary", "steps": .array(steps)],
        ]
        try await mesh.api.put(path, ["spec": .object(spec.merging(more) { $1 })]).expectingSuccess("release")
        try await mesh.api.post("\(path):start").expectingSuccess("start")
        return path
    }

    private static func status(_ mesh: ReviewsMesh, _ path: String) async throws -> JSONValue {
        try await mesh.api.get(path).body["status"] ?? .null
    }

    private static func wait(_ mesh: ReviewsMesh, _ path: String, _ phase: String) async throws {
        var status = JSONValue.null
        do {
            try await eventually(within: .seconds(90), "\(path) is \(phase)") {
                status = try await Self.status(mesh, path)
                return status["phase"]?.stringValue == phase
            }
        } catch {
            throw LabError("\(error): \(status)")
        }
    }

    private static func versions(_ mesh: ReviewsMesh) async -> Set<String> {
        let probe = mesh.load()
        for _ in 0..<40 { await probe.once() }
        return Set(probe.total.versions.keys)
    }

    /// A caller of its own, with a key that was minted for a person.
    private static func key(
        _ mesh: ReviewsMesh, _ person: String, role: String = "developer", groups: [String] = []
    ) async throws -> APIClient {
        let body: JSONValue = [
            "id": .string("\(person)-key"), "role": .string(role), "owner": .string(person),
            "groups": .array(groups.map(JSONValue.string)),
        ]
        let answer = try await mesh.api.post("/v1/tenants/acme/apiKeys", body).expectingSuccess("key")
        return APIClient(base: mesh.api.base, token: try #require(answer.body["token"]?.stringValue))
    }

    @Test(
        "Two people of a group let a release go on, with keys of their own; a developer's release waits for who may promote"
    )
    func approval() async throws {
        try await Self.run { mesh in
            let ann = try await Self.key(mesh, "ann")
            let bob = try await Self.key(mesh, "bob", groups: ["sre"])
            let cat = try await Self.key(mesh, "cat", role: "releaser", groups: ["sre"])
            let path = mesh.object("releases/reviews-v2")
            let gate: JSONValue = [
                "name": "sre", "requiredApprovals": 2, "roles": ["sre"], "excludeCreator": true, "timeout": "1h",
                "onTimeout": "rollback",
            ]
            let spec: JSONValue = [
                "service": "reviews", "stable": ["version": "v1"], "canary": ["version": "v2"], "retainStable": "0s",
                "strategy": ["type": "canary", "steps": [["approval": gate], ["setWeight": 10_000]]],
            ]
            try await ann.put(path, ["spec": spec]).expectingSuccess("release")
            try await ann.post("\(path):start").expectingSuccess("start")
            try await Self.wait(mesh, path, "WaitingApproval")
            let refused = try await ann.post("\(path):approve")
            #expect(refused.status == 409 && refused.body["code"] == "notApprover", "\(refused.text)")
            #expect(await Self.versions(mesh) == ["v1"])
            try await bob.post("\(path):approve", ["comment": "fine"]).expectingSuccess("approve")
            let twice = try await bob.post("\(path):approve")
            #expect(twice.status == 409, "\(twice.text)")
            try await cat.post("\(path):approve").expectingSuccess("approve")
            // Ann may not give the canary everything.
            try await Self.wait(mesh, path, "Paused")
            #expect(try await Self.status(mesh, path)["reason"] == "PromotionGate")
            #expect(await Self.versions(mesh) == ["v1"])
            #expect(try await bob.post("\(path):promote").status == 403)
            try await cat.post("\(path):promote").expectingSuccess("promote")
            try await Self.wait(mesh, path, "Succeeded")
            #expect(await Self.versions(mesh) == ["v2"])
        }
    }

    @Test("A webhook is sent, signed, what the release is at; its answer lets the plan go on, or takes it back")
    func webhook() async throws {
        try await Self.run { mesh in
            try await mesh.api.put(
                mesh.object("secrets/hook"),
                ["spec": ["type": "opaque", "data": ["key": "whsec_aHVudGVyMmh1bnRlcjI="]]]
            ).expectingSuccess("secret")
            try await ScriptedServer.run(.status("202 Accepted", "queued")) { receiver in
                let call: JSONValue = [
                    "url": .string("\(receiver.url)/load"), "successCodes": [202], "args": ["suite": "smoke"],
                    "secret": ["secretRef": ["name": "hook", "key": "key"]],
                ]
                let path = try await Self.release(
                    mesh, [["setWeight": 2_000], ["webhook": call], ["setWeight": 10_000]])
                try await Self.wait(mesh, path, "Succeeded")
                let request = try #require(receiver.requests.first)
                #expect(receiver.requests.count == 1)
                #expect(request.hasPrefix("POST /load HTTP/1.1\r\n"))
                for header in ["webhook-id: ", "webhook-timestamp: ", "webhook-signature: v1,", "Idempotency-Key: "] {
                    #expect(request.contains("\r\n\(header)"), "\(request)")
                }
                for text in [#""release":"reviews-v2""#, #""suite":"smoke""#, #""canary":"v2""#, #""step":1"#] {
                    #expect(request.contains(text), "\(request)")
                }
                let runs = try await mesh.api.get("\(path)/analysisRuns").body["items"]?.arrayValue ?? []
                let run = try #require(runs.first { $0["kind"] == "webhook" })
                #expect(run["attempts"]?.arrayValue?.first?["code"] == 202)
                #expect(run["attempts"]?.arrayValue?.first?["text"] == "queued")
                #expect(try await mesh.api.delete(mesh.object("secrets/hook")).status == 409)
                try await mesh.api.post("\(path):rollback").expectingSuccess("rollback")
                try await Self.wait(mesh, mesh.object("releases/reviews-v2-rollback-1"), "Succeeded")
                #expect(await Self.versions(mesh) == ["v1"])
            }
            try await ScriptedServer.run(.status("500 Oops", "no")) { receiver in
                let call: JSONValue = [
                    "url": .string(receiver.url), "retry": ["maxAttempts": 2, "backoff": "1s"],
                ]
                let path = try await Self.release(
                    mesh, [["setWeight": 2_000], ["webhook": call], ["setWeight": 10_000]], name: "again")
                try await Self.wait(mesh, path, "RolledBack")
                let status = try await Self.status(mesh, path)
                #expect(status["reason"] == "WebhookFailed")
                #expect(status["message"]?.stringValue?.hasSuffix("answered 500 (attempt 2)") == true, "\(status)")
                #expect(Set(receiver.requests.map(Self.identifier)).count == 1, "both attempts have one webhook-id")
                #expect(receiver.requests.count == 2)
                #expect(await Self.versions(mesh) == ["v1"])
            }
        }
    }

    private static func identifier(of request: String) -> String {
        String(request.split(separator: "\r\n").first { $0.hasPrefix("webhook-id: ") } ?? "")
    }

    @Test("Who does not answer holds a release, and no other one; who answers later lets it go on")
    func silentWebhook() async throws {
        try await Self.run { mesh in
            let port = try FreePort.next()
            let call: JSONValue = [
                "url": .string("http://127.0.0.1:\(port)/"), "timeout": "1s",
                "retry": ["maxAttempts": 1, "backoff": "1s"],
            ]
            let path = try await Self.release(mesh, [["setWeight": 2_000], ["webhook": call], ["setWeight": 10_000]])
            try await Self.wait(mesh, path, "Paused")
            #expect(try await Self.status(mesh, path)["reason"] == "ProviderError")
            #expect(await Self.versions(mesh) == ["v1", "v2"], "the step stays in force")
            try await ScriptedServer.run(.ok("fine"), port: port) { _ in try await Self.wait(mesh, path, "Succeeded") }
            #expect(await Self.versions(mesh) == ["v2"])
        }
    }

    @Test("A freeze window keeps shares where they are, and a rollback goes through it")
    func freeze() async throws {
        try await Self.run { mesh in
            let window = mesh.object("freezeWindows/sale")
            let path = try await Self.release(
                mesh, [["setWeight": 5_000], ["pause": ["duration": "3s"]], ["setWeight": 10_000]])
            try await Self.wait(mesh, path, "Paused")
            try await mesh.api.put(window, ["spec": ["reason": "sale"]]).expectingSuccess("window")
            try await eventually("the release says what it waits for") {
                let blockers = try await Self.status(mesh, path)["blockedOn"]?.arrayValue ?? []
                return blockers.contains {
                    $0["kind"] == "Freeze" && $0["detail"]?.stringValue?.contains("sale") == true
                }
            }
            #expect(await Self.versions(mesh) == ["v1", "v2"])
            let refused = try await mesh.api.post("\(path):promote", ["to": "full"])
            #expect(refused.status == 409 && refused.body["code"] == "frozen", "\(refused.text)")
            try await mesh.api.post("\(path):rollback").expectingSuccess("rollback")
            try await Self.wait(mesh, path, "RolledBack")
            #expect(await Self.versions(mesh) == ["v1"])
            // One that is started waits, and goes on by itself when the window is gone.
            let later = try await Self.release(mesh, [["setWeight": 10_000]], name: "later")
            try await Self.wait(mesh, later, "Pending")
            #expect(await Self.versions(mesh) == ["v1"])
            try await mesh.api.delete(window).expectingSuccess("window")
            try await Self.wait(mesh, later, "Succeeded")
            #expect(await Self.versions(mesh) == ["v2"])
        }
    }

    @Test("A release takes the place of the one that runs, whose traffic goes back first; endpoints are waited for")
    func replace() async throws {
        try await Self.run { mesh in
            let first = try await Self.release(mesh, [["setWeight": 5_000], ["pause": [:]]])
            try await Self.wait(mesh, first, "Paused")
            let second = try await Self.release(
                mesh,
                [
                    ["name": "enough", "checkEndpoints": ["minReady": 1, "for": "2s"]], ["setWeight": 3_000],
                    ["pause": [:]],
                ],
                name: "v3", ["canary": ["version": "v3"], "supersedePolicy": "replace"])
            try await Self.wait(mesh, first, "Superseded")
            try await Self.wait(mesh, second, "Paused")
            #expect(await Self.versions(mesh) == ["v1", "v3"])
            try await mesh.api.post("\(second):rollback").expectingSuccess("rollback")
            try await Self.wait(mesh, second, "RolledBack")
            #expect(await Self.versions(mesh) == ["v1"])
        }
    }
}
