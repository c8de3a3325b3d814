import Documents
import Foundation
import MeshLab
import TestSupport
import Testing

/// A step is in force when every sidecar that can still be sending by older routes has followed.
extension ReleaseUnderLoadTests {
    @Test(
        "The only replica is killed while a step waits for a sidecar: the one that comes back confirms nothing for the others"
    )
    func replicaKilledWhileVerifying() async throws {
        try await Self.withStoppedCaller(routing: ["applyTimeout": "10m", "maxStragglers": 0]) { server, mesh in
            try await eventually("all but the stopped sidecar have followed") {
                let applied = try await Self.status(mesh)["traffic"]?["applied"]
                return applied?["ackedProxies"] == 3 && applied?["totalProxies"] == 4
            }
            server.process.signal(SIGKILL)
            try await eventually("the server is gone") { !server.process.isRunning }
            try await TestTools.stopping(Server(server.options)) { server in
                try await eventually("the release says who is away") {
                    let status = try await Self.status(mesh)
                    #expect(status["currentStep"]?["state"] == "Verifying", "\(status)")
                    return Self.blockers(status).contains("ProxiesAway")
                }
                try await eventually(within: .seconds(60), "the others are back") {
                    try await Self.connected(mesh, server) == 3
                }
                let status = try await Self.status(mesh)
                #expect(status["currentStep"]?["state"] == "Verifying")
                #expect(status["traffic"]?["applied"]?["totalProxies"] == 4)
                mesh.caller.process.signal(SIGCONT)
                try await Self.reach("Succeeded", mesh)
            }
            #expect(await versions(mesh) == ["v2": 50])
        }
    }

    @Test("A sidecar that is stopped is left behind after its time, is named, and catches up")
    func stoppedSidecar() async throws {
        try await Self.withStoppedCaller(
            routing: ["applyTimeout": "2s"], steps: [["setWeight": 10000], ["pause": [:]]]
        ) {
            _, mesh in
            try await Self.reach("Paused", mesh)
            let condition = Self.trafficApplied(try await Self.status(mesh))
            #expect(condition["status"] == "False" && condition["reason"] == "Stragglers")
            #expect(condition["message"] == "not acknowledged by shop/productpage-1")
            #expect(try await Self.transitions(mesh).keys.contains { $0.contains("StragglersLeftBehind") })
            mesh.caller.process.signal(SIGCONT)
            try await eventually("it has followed, and the release says so") {
                Self.trafficApplied(try await Self.status(mesh))["status"] == "True"
            }
            #expect(await versions(mesh) == ["v2": 50])
        }
    }

    @Test("All replicas are killed at once while a step waits for a sidecar: those that come back wait for it as well")
    func allReplicasRestarted() async throws {
        try await Self.withReplicas { first, second, mesh in
            try await Self.whileCallerIsStopped(mesh, routing: ["applyTimeout": "10m", "maxStragglers": 0]) {
                try await eventually("all but the stopped sidecar have followed") {
                    try await Self.status(mesh)["traffic"]?["applied"]?["ackedProxies"] == 3
                }
                for replica in [first, second] { replica.process.signal(SIGKILL) }
                try await eventually("both are gone") { !first.process.isRunning && !second.process.isRunning }
                // At once: it waits for the database, which the first one brings with it.
                let secondAgain = try Server.launch(second.options)
                defer { secondAgain.signal(SIGKILL) }
                try await TestTools.stopping(Server(first.options)) { first in
                    try await eventually(within: .seconds(60), "the others are back") {
                        guard (try? await second.api.get("/readyz"))?.status == 200 else { return false }
                        return try await Self.connected(mesh, first) == 3
                    }
                    try await eventually("the release says who is away") {
                        let status = try await Self.status(mesh)
                        #expect(status["currentStep"]?["state"] == "Verifying", "\(status)")
                        #expect(status["traffic"]?["applied"]?["totalProxies"] == 4)
                        return Self.blockers(status).contains("ProxiesAway")
                    }
                    mesh.caller.process.signal(SIGCONT)
                    try await Self.reach("Succeeded", mesh)
                    #expect(await versions(mesh) == ["v2": 50])
                }
            }
        }
    }

    /// Runs `body` with a release that waits for the caller's sidecar, which is stopped.
    private static func withStoppedCaller(
        routing: JSONValue, steps: JSONValue = [["setWeight": 10000]],
        _ body: @Sendable (Server, ReviewsMesh) async throws -> Void
    ) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(api: server.api, envoy: TestTools.envoy(), directory: directory) { mesh in
                try await whileCallerIsStopped(mesh, routing: routing, steps: steps) { try await body(server, mesh) }
            }
        }
    }

    private static func whileCallerIsStopped(
        _ mesh: ReviewsMesh, routing: JSONValue, steps: JSONValue = [["setWeight": 10000]],
        _ body: () async throws -> Void
    ) async throws {
        try await eventually("all sidecars are in step") { try await mesh.isInStep() }
        mesh.caller.process.signal(SIGSTOP)
        // Or it could not be ended.
        defer { mesh.caller.process.signal(SIGCONT) }
        var plan = plan(steps: steps).objectValue ?? [:]
        plan["strategy"] = ["type": "canary", "trafficRouting": routing, "steps": steps]
        let path = mesh.object("releases/reviews-v2")
        try await mesh.api.put(path, ["spec": .object(plan)]).expectingSuccess("the release")
        try await mesh.api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("the start")
        try await body()
    }

    private static func blockers(_ status: JSONValue) -> [String] {
        (status["blockedOn"]?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }
    }

    private static func trafficApplied(_ status: JSONValue) -> JSONValue {
        (status["conditions"]?.arrayValue ?? []).first { $0["type"] == "TrafficApplied" } ?? .null
    }

    private static func connected(_ mesh: ReviewsMesh, _ server: Server) async throws -> Int {
        let proxies = try await server.api.get("\(mesh.path)/proxies").body["items"]?.arrayValue ?? []
        return proxies.count { $0["connected"] == true }
    }
}
