internal import Documents
internal import Foundation
internal import MeshLab

/// The story that `make run` shows: the seed document's rules first, then a gray release under load.
struct ReleaseDemo: Sendable {
    let arguments: Arguments

    func run() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-demo-\(getpid())").path
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        say("Starting Sluice with a PostgreSQL of its own …")
        let token = "demo-" + UUID().uuidString.lowercased()
        let server = try await Server(
            Server.Options(binary: arguments.sluice, directory: directory, token: token), within: .seconds(120))
        do {
            try await show(server, directory)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func show(_ server: Server, _ directory: String) async throws {
        say(
            "Registering service reviews (v1, v2, v3) and starting four Envoys: one before each version, one for the caller …"
        )
        try await ReviewsMesh.run(api: server.api, envoy: arguments.envoy, directory: directory) { mesh in
            try await showSeedRules(mesh)
            try await showRelease(mesh)
            showNextSteps(server, mesh)
            if !arguments.once {
                try await Task.sleep(for: .seconds(86_400 * 365))
            }
        }
    }

    // MARK: The seed document's rules

    private func showSeedRules(_ mesh: ReviewsMesh) async throws {
        say("\nThe seed document's VirtualServices, observed at the caller's sidecar:")
        try await apply(SeedExamples.byWeight, to: mesh)
        try await observe("20 % v1, 80 % v2", mesh.load())
        try await apply(SeedExamples.byContent, to: mesh)
        try await observe("cookie group=dev", mesh.load(headers: [("Cookie", "group=dev")]))
        try await observe("any other request", mesh.load())
        try await apply(SeedExamples.typical, to: mesh)
        try await observe("/catalog2: 25 % v2, 75 % v3", mesh.load(path: "/catalog2/books"))
        try await observe("any other path", mesh.load())
    }

    private func apply(_ spec: JSONValue, to mesh: ReviewsMesh) async throws {
        let path = mesh.object("virtualServices/reviews-route")
        let answer = try await mesh.api.put(path, ["spec": spec]).expectingSuccess("the VirtualService")
        let revision = answer.body["metadata"]?["revision"]?.integerValue ?? 0
        try await eventually(within: .seconds(10), "all proxies have revision \(revision)") {
            try await mesh.isInStep(atLeast: revision)
        }
    }

    private func observe(_ rule: String, _ load: Load) async throws {
        for _ in 0..<400 { await load.once() }
        let count = load.total
        let shares = ReviewsMesh.versions.filter { count.versions[$0] != nil }
            .map { "\($0) \(percent(count.share(of: $0)))" }.joined(separator: ", ")
        say("  \(rule.padding(toLength: 30, withPad: " ", startingAt: 0)) → \(shares)   errors \(count.failures)")
    }

    // MARK: The release

    private static let plan: JSONValue = [
        "service": "reviews", "port": 9080,
        "stable": ["version": "v1"], "canary": ["version": "v2"],
        "strategy": [
            "type": "canary",
            "steps": [
                ["name": "insiders", "setMatch": ["any": [["headers": ["x-canary": ["exact": "insider"]]]]]],
                ["setWeight": 500, "bakeTime": "4s"],
                ["setWeight": 2500, "bakeTime": "4s"],
                ["setWeight": 5000, "bakeTime": "4s"],
                ["setWeight": 10000, "bakeTime": "4s"],
            ],
        ],
        "retainStable": "3s",
    ]

    private func showRelease(_ mesh: ReviewsMesh) async throws {
        say("\nA gray release of reviews, v1 → v2, while the caller sends 200 requests a second:")
        let path = mesh.object("releases/reviews-v2")
        try await mesh.api.put(path, ["spec": Self.plan]).expectingSuccess("the release")
        let load = mesh.load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await load.run() }
            defer { group.cancelAll() }
            try await mesh.api.post("\(path):start", headers: ["Idempotency-Key": "demo-start"])
                .expectingSuccess("starting the release")
            try await showProgress(path, mesh, load)
        }
        let total = load.total
        say("  in all: \(total.successes) requests answered, \(total.failures) errors")
        guard total.failures == 0 else { throw LabError("requests failed: \(total.examples)") }
    }

    private func showProgress(_ path: String, _ mesh: ReviewsMesh, _ load: Load) async throws {
        say("  phase        step              desired v2   acknowledged   observed v2   requests  errors")
        while true {
            try await Task.sleep(for: .seconds(1))
            let status = try await mesh.api.get(path).expectingSuccess("the release").body["status"] ?? .null
            let phase = status["phase"]?.stringValue ?? "?"
            say("  " + line(status, phase: phase, window: load.take()))
            if ["RollingBack", "RolledBack", "Aborted", "Failed"].contains(phase) {
                throw LabError("the release did not succeed: \(status["message"]?.stringValue ?? "")")
            }
            if phase == "Succeeded" { return }
        }
    }

    private func line(_ status: JSONValue, phase: String, window: Load.Count) -> String {
        let step = status["currentStep"]
        let index = step?["index"]?.integerValue.map { "\($0)" } ?? "-"
        let name = step?["name"]?.stringValue ?? step?["kind"]?.stringValue ?? ""
        let applied = status["traffic"]?["applied"]
        let desired = Double(status["traffic"]?["desired"]?["canary"]?.integerValue ?? 0) / 10_000
        let acknowledged =
            "\(applied?["ackedProxies"]?.integerValue ?? 0) of \(applied?["totalProxies"]?.integerValue ?? 0)"
        return column(phase, 12) + " " + column("\(index) \(name) \(step?["state"]?.stringValue ?? "")", 26)
            + column(percent(desired), 10) + column(acknowledged, 15) + column(percent(window.share(of: "v2")), 12)
            + column("\(window.successes)", 10) + "\(window.failures)"
    }

    // MARK: What to try next

    private func showNextSteps(_ server: Server, _ mesh: ReviewsMesh) {
        let address = server.api.base
        say(
            """

            Sluice serves its API at \(address); everything that was started ends with Ctrl-C. To try, in another terminal:

              export TOKEN=\(server.api.token)
              curl -sH "Authorization: Bearer $TOKEN" \(address)\(mesh.path)/proxies
              curl -sH "Authorization: Bearer $TOKEN" \(address)\(mesh.object("releases/reviews-v2"))/events
              curl -si -H 'Host: reviews' http://127.0.0.1:\(mesh.caller.httpProxyPort)/

            """)
    }

    private func say(_ text: String) {
        // Not `print`, which holds lines back when the output is a pipe.
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    private func column(_ text: String, _ width: Int) -> String {
        text.count >= width ? text + " " : text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
}
