import Documents
import Foundation
import Logging
import MeshLab
import PostgresServer
import TestSupport
import Testing

/// Gray releases on real Envoys under load: not one request may fail, whatever happens to the control plane meanwhile.
@Suite("A release under load", .serialized)
struct ReleaseUnderLoadTests {
    static let steps: JSONValue = [
        ["setMatch": ["any": [["headers": ["x-canary": ["exact": "insider"]]]]]],
        ["setWeight": 1000, "bakeTime": "2s"],
        ["setWeight": 5000, "bakeTime": "2s"],
        ["setWeight": 10000, "bakeTime": "2s"],
    ]

    static func plan(steps: JSONValue = steps) -> JSONValue {
        [
            "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": steps], "retainStable": "1s",
        ]
    }

    @Test("From the first step to the last, no request fails", arguments: ["delta", "sotw"])
    func wholeRelease(variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await withLoad(mesh) { _ in
                    try await Self.start(mesh)
                    try await Self.reach("Succeeded", mesh)
                }
                #expect(await versions(mesh) == ["v2": 50])
            }
        }
    }

    @Test("Rolled back in the middle, all traffic is back on the stable version", arguments: ["delta", "sotw"])
    func rollback(variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await withLoad(mesh) { load in
                    try await Self.start(mesh, steps: [["setWeight": 5000], ["pause": [:]]])
                    try await Self.reach("Paused", mesh)
                    try await eventually("the canary has traffic") { load.total.versions["v2", default: 0] >= 50 }
                    try await server.api.post(
                        mesh.object("releases/reviews-v2:rollback"), ["reason": "as a test"],
                        headers: ["Idempotency-Key": "rollback"]
                    ).expectingSuccess("rollback")
                    try await Self.reach("RolledBack", mesh)
                }
                #expect(await versions(mesh) == ["v1": 50])
            }
        }
    }

    @Test("The server is killed in the middle of a step and started again", arguments: ["delta", "sotw"])
    func serverKilled(variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await withLoad(mesh) { _ in
                    try await Self.start(mesh)
                    try await eventually("the second step is under way") {
                        try await Self.status(mesh)["currentStep"]?["index"]?.integerValue ?? 0 >= 1
                    }
                    server.process.signal(SIGKILL)
                    try await eventually("the server is gone") { !server.process.isRunning }
                    try await TestTools.stopping(Server(server.options)) { _ in
                        try await Self.reach("Succeeded", mesh)
                        #expect(try await Self.transitions(mesh).allSatisfy { $0.value == 1 })
                    }
                }
                #expect(await versions(mesh) == ["v2": 50])
            }
        }
    }

    @Test("PostgreSQL is killed in the middle of a step and comes back", arguments: ["delta", "sotw"])
    func databaseKilled(variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(), directory: directory, variant: variant
            ) { mesh in
                try await withLoad(mesh) { _ in
                    try await Self.start(mesh)
                    try await eventually("the second step is under way") {
                        try await Self.status(mesh)["currentStep"]?["index"]?.integerValue ?? 0 >= 1
                    }
                    let postmaster = try #require(try Self.database(of: directory).processID)
                    #expect(kill(postmaster, SIGKILL) == 0)
                    try await Self.reach("Succeeded", mesh)
                    #expect(try await Self.transitions(mesh).allSatisfy { $0.value == 1 })
                }
                #expect(await versions(mesh) == ["v2": 50])
            }
        }
    }
}

// MARK: - Parts of a story

extension ReleaseUnderLoadTests {
    /// Runs `body` while requests go on, and expects every one of them to be answered.
    func withLoad(_ mesh: ReviewsMesh, _ body: (Load) async throws -> Void) async throws {
        let load = mesh.load(perSecond: 200)
        try await eventually("the mesh serves traffic") {
            let probe = mesh.load()
            await probe.once()
            return probe.total.successes == 1
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await load.run() }
            defer { group.cancelAll() }
            try await body(load)
            // Also after what happened, and enough to mean something.
            let before = load.total.successes
            try await eventually("traffic goes on") { load.total.successes >= max(100, before + 20) }
        }
        let total = load.total
        #expect(total.failures == 0, "\(total.examples)")
    }

    func versions(_ mesh: ReviewsMesh) async -> [String: Int] {
        let load = mesh.load()
        for _ in 0..<50 { await load.once() }
        return load.total.versions
    }

    static func start(_ mesh: ReviewsMesh, steps: JSONValue = steps) async throws {
        let path = mesh.object("releases/reviews-v2")
        try await mesh.api.put(path, ["spec": plan(steps: steps)]).expectingSuccess("the release")
        try await mesh.api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("the start")
    }

    static func status(_ mesh: ReviewsMesh) async throws -> JSONValue {
        try await mesh.api.get(mesh.object("releases/reviews-v2")).body["status"] ?? .null
    }

    static func reach(_ phase: String, _ mesh: ReviewsMesh) async throws {
        try await eventually(within: .seconds(90), "the release is \(phase)") {
            // The server may be away for a moment: that is what some of the tests are about.
            let status = (try? await Self.status(mesh)) ?? .null
            if let reached = status["phase"]?.stringValue, ["Failed", "RolledBack", "Aborted"].contains(reached),
                reached != phase
            {
                throw LabError("the release is \(reached): \(status["message"] ?? .null)")
            }
            return status["phase"] == .string(phase)
        }
    }

    /// How often each transition was recorded; none may be twice.
    static func transitions(_ mesh: ReviewsMesh) async throws -> [String: Int] {
        let events =
            try await mesh.api.get(mesh.object("releases/reviews-v2/events?pageSize=1000"))
            .expectingSuccess("events").body["items"]?.arrayValue ?? []
        let keys = events.map { "\($0["type"] ?? .null) \($0["payload"]?["step"] ?? .null)" }
        try #require(!keys.isEmpty)
        return Dictionary(keys.map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// The private PostgreSQL of the server with this data directory: where it is, not a handle on its life.
    static func database(of directory: String) throws -> PostgresServer {
        try PostgresServer(dataDirectory: directory, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
