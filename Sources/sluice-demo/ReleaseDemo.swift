internal import Documents
internal import Foundation
internal import MeshLab

/// The story that `make run` shows: the seed document's rules first, then a gray release under load that goes by what the sidecars
/// measure, then one that they take back.
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
            try await showFailure(mesh)
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
                ["setWeight": 5000],
                ["name": "measure", "analysis": ["templates": ["answers"]]],
                ["setWeight": 10000, "bakeTime": "4s"],
            ],
        ],
        "retainStable": "3s",
    ]

    /// A template by which nine in ten requests of ten seconds must be answered well.
    private static let template: JSONValue = [
        "metrics": [
            [
                "name": "success", "provider": ["builtin": "attempt-success-rate"], "interval": "10s", "minSamples": 50,
                "successCondition": "result >= 0.9",
            ]
        ]
    ]

    private func showRelease(_ mesh: ReviewsMesh) async throws {
        say(
            "\nA gray release of reviews, v1 → v2, while the caller sends 200 requests a second; at 50 % it waits for measurements:"
        )
        try await mesh.api.put(mesh.object("analysisTemplates/answers"), ["spec": Self.template])
            .expectingSuccess("the analysis template")
        let path = mesh.object("releases/reviews-v2")
        try await mesh.api.put(path, ["spec": Self.plan]).expectingSuccess("the release")
        let load = mesh.load()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await load.run() }
            defer { group.cancelAll() }
            try await mesh.api.post("\(path):start", headers: ["Idempotency-Key": "demo-start"])
                .expectingSuccess("starting the release")
            let status = try await showProgress(path, mesh, load)
            guard status["phase"] == "Succeeded" else {
                throw LabError("the release did not succeed: \(status["message"]?.stringValue ?? "")")
            }
        }
        let total = load.total
        say("  in all: \(total.successes) requests answered, \(total.failures) errors")
        guard total.failures == 0 else { throw LabError("requests failed: \(total.examples)") }
    }

    // MARK: A release that fails

    private static let failingPlan: JSONValue = [
        "service": "reviews", "port": 9080, "stable": ["version": "v2"], "canary": ["version": "v3"],
        "strategy": [
            "type": "canary",
            "steps": [
                ["setWeight": 1000], ["name": "measure", "analysis": ["templates": ["answers"]]],
                ["setWeight": 10000, "bakeTime": "4s"],
            ],
        ],
    ]

    private func showFailure(_ mesh: ReviewsMesh) async throws {
        say("\nA release of v3, which answers everything with 503; nobody does anything:")
        let path = mesh.object("releases/reviews-v3")
        try await mesh.api.put(path, ["spec": Self.failingPlan]).expectingSuccess("the release")
        let load = mesh.load(headers: [("x-lab-status", "503"), ("x-lab-fail", "v3")])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await load.run() }
            defer { group.cancelAll() }
            try await mesh.api.post("\(path):start").expectingSuccess("starting the release")
            let status = try await showProgress(path, mesh, load, canary: "v3")
            guard status["phase"] == "RolledBack", let message = status["message"]?.stringValue else {
                throw LabError("the release was not taken back: \(status)")
            }
            say("  taken back because of \(message)")
        }
    }

    /// Shows how a release goes on, a line a second.
    ///
    /// - Returns: the status that it ends with.
    private func showProgress(
        _ path: String, _ mesh: ReviewsMesh, _ load: Load, canary: String = "v2"
    ) async throws -> JSONValue {
        say("  phase        step              desired \(canary)   acknowledged   observed \(canary)   requests  errors")
        while true {
            try await Task.sleep(for: .seconds(1))
            let status = try await mesh.api.get(path).expectingSuccess("the release").body["status"] ?? .null
            let phase = status["phase"]?.stringValue ?? "?"
            say("  " + line(status, phase: phase, window: load.take(), canary: canary))
            if ["RolledBack", "Aborted", "Failed", "Succeeded"].contains(phase) { return status }
        }
    }

    private func line(_ status: JSONValue, phase: String, window: Load.Count, canary: String) -> String {
        let step = status["currentStep"]
        let index = step?["index"]?.integerValue.map { "\($0)" } ?? "-"
        let name = step?["name"]?.stringValue ?? step?["kind"]?.stringValue ?? ""
        let applied = status["traffic"]?["applied"]
        let desired = Double(status["traffic"]?["desired"]?["canary"]?.integerValue ?? 0) / 10_000
        let acknowledged =
            "\(applied?["ackedProxies"]?.integerValue ?? 0) of \(applied?["totalProxies"]?.integerValue ?? 0)"
        return column(phase, 12) + " " + column("\(index) \(name) \(step?["state"]?.stringValue ?? "")", 26)
            + column(percent(desired), 10) + column(acknowledged, 15) + column(percent(window.share(of: canary)), 12)
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
