import Documents
import Foundation
import MeshLab
import PostgresServer
import TestSupport
import Testing

/// Two replicas on one database, of which one is killed.
extension ReleaseUnderLoadTests {
    @Test("A replica is killed in the middle of a step: its proxies and the release go on with the other")
    func replicaKilled() async throws {
        try await Self.withReplicas { first, second, mesh in
            try await withLoad(mesh) { _ in
                try await Self.start(mesh)
                try await eventually("the second step is under way") {
                    try await Self.status(mesh)["currentStep"]?["index"]?.integerValue ?? 0 >= 1
                }
                second.process.signal(SIGKILL)
                try await eventually("the release succeeds on the other replica") {
                    let answer = try await first.api.get(mesh.object("releases/reviews-v2"))
                    return answer.body["status"]?["phase"] == "Succeeded"
                }
                try await Self.haveMoved(to: first, mesh)
            }
            #expect(await versions(mesh) == ["v2": 50])
        }
    }

    @Test(
        "A replica is killed while nothing changes: its proxies go to the other and are sent nothing that is new",
        arguments: ["delta", "sotw"])
    func proxiesMove(variant: String) async throws {
        try await Self.withReplicas(variant: variant) { first, second, mesh in
            try await withLoad(mesh) { _ in
                try await eventually("all proxies are in step") { try await mesh.isInStep() }
                #expect(try await Self.connectedProxies(of: second) == mesh.sidecars.count)
                #expect(try await Self.connectedProxies(of: first) == 0)
                var counts: [[String: String]] = []
                for sidecar in mesh.sidecars { counts.append(try await Self.counts(of: sidecar, variant)) }

                second.process.signal(SIGKILL)
                try await Self.haveMoved(to: first, mesh)
                for (sidecar, before) in zip(mesh.sidecars, counts) {
                    let after = try await Self.counts(of: sidecar, variant)
                    let isNew = after.filter { before[$0.key] != $0.value }
                    #expect(after["cluster_manager.cluster_modified"] != nil)
                    #expect(isNew.isEmpty, "\(sidecar.name)")
                }

                let rule: JSONValue = ["route": [["destination": ["host": "reviews", "subset": "v3"]]]]
                try await first.api.put(
                    mesh.object("virtualServices/reviews"), ["spec": ["hosts": ["reviews"], "http": [rule]]]
                ).expectingSuccess("virtual service")
                try await eventually("what is new arrives from the other replica") {
                    await versions(mesh) == ["v3": 50]
                }
            }
        }
    }

    /// Runs `body` with a mesh whose proxies are all connected to the second of two replicas, and know of the first.
    ///
    /// The first has the database, so only the second may die.
    static func withReplicas(
        variant: String = "delta", _ body: @Sendable (Server, Server, ReviewsMesh) async throws -> Void
    ) async throws {
        try await TestTools.withServer { first, directory in
            let other = directory + "/second"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let options = try Server.Options(
                binary: TestTools.sluice(), directory: other, token: first.options.token,
                databaseURL: database(of: directory).connectionString, name: "second")
            try await TestTools.stopping(Server(options)) { second in
                try await ReviewsMesh.run(
                    api: second.api, envoy: TestTools.envoy(), directory: directory, variant: variant,
                    otherReplicas: [first.options.xdsPort], edit: TestTools.withAllStatistics
                ) { mesh in try await body(first, second, mesh) }
            }
        }
    }

    private static func haveMoved(to replica: Server, _ mesh: ReviewsMesh) async throws {
        try await eventually("all proxies are in step with the other replica") {
            let count = try await connectedProxies(of: replica)
            guard count == mesh.sidecars.count else { return false }
            return try await mesh.isInStep(accordingTo: replica.api)
        }
    }

    private static func connectedProxies(of server: Server) async throws -> Int? {
        let metrics = try await server.api.get("/metrics").text
        return metrics.firstMatch(of: /\nsluice_xds_connected_proxies ([0-9]+)\n/).flatMap { Int($0.output.1) }
    }

    /// What Envoy counts of configuration that is new to it, by statistic: none may grow.
    ///
    /// Over the state of the world, every request is answered, with the version that Envoy has. Over delta, what Envoy asks
    /// for by name is not answered: it says which versions it has.
    private static func counts(of sidecar: Sidecar, _ variant: String) async throws -> [String: String] {
        var names = "(added|modified|removed|config_reload|membership_change|update_rejected|version)$"
        if variant == "delta" { names += #"|^(cluster|http)\..*update_success$"# }
        let filter = names.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let lines = try await sidecar.admin("/stats?filter=\(filter)").split(separator: "\n")
        let counts = lines.compactMap { line in
            line.lastIndex(of: ":").map { (String(line[..<$0]), String(line[$0...])) }
        }
        return Dictionary(counts, uniquingKeysWith: { $1 })
    }
}
