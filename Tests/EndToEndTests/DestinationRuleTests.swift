import Documents
import MeshLab
import TestSupport
import Testing

/// Destination rules as real clients carry them out.
@Suite("Destination rules", .serialized)
struct DestinationRuleTests {
    private static func hash(on header: String) -> JSONValue {
        ["loadBalancer": ["consistentHash": ["httpHeaderName": .string(header)]]]
    }

    /// - Returns: the mesh's revision from then on.
    @discardableResult
    private static func set(
        _ policy: JSONValue, _ api: APIClient, _ mesh: String, isFirst: Bool = true
    ) async throws -> Int64 {
        let spec: JSONValue = ["host": "reviews", "trafficPolicy": policy]
        let answer = try await api.put(
            "\(mesh)/namespaces/shop/destinationRules/reviews", ["spec": spec],
            headers: [isFirst ? "If-None-Match" : "If-Match": "*"])
        return try answer.expectingSuccess("destination rule").body["metadata"]?["revision"]?.integerValue ?? .max
    }

    @Test(
        "An Envoy sends a user's requests to one endpoint, and none to one that does not answer",
        arguments: TestTools.Envoy.allCases, ["delta", "sotw"])
    func envoy(_ envoy: TestTools.Envoy, _ variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(envoy), directory: directory, variant: variant
            ) { mesh in
                let revision = try await Self.set(Self.hash(on: "x-user"), mesh.api, mesh.path)
                try await eventually("the sidecars have the rule") { try await mesh.isInStep(atLeast: revision) }
                var homes: Set<String> = []
                for user in 0..<20 {
                    let load = Load(
                        proxy: mesh.caller.httpProxyPort, host: "reviews", headers: [("x-user", "user-\(user)")])
                    for _ in 0..<5 { await load.once() }
                    #expect(load.total.versions.values.sorted() == [5], "\(load.total)")
                    homes.formUnion(load.total.versions.keys)
                }
                #expect(homes.count > 1, "20 users are not all at \(homes)")

                let endpoint: JSONValue = [
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(try FreePort.next()))],
                    "version": "v1",
                ]
                let policy: JSONValue = [
                    "loadBalancer": ["simple": "ROUND_ROBIN"],
                    "outlierDetection": [
                        "consecutive5xxErrors": 1, "interval": "1s", "baseEjectionTime": "5m", "maxEjectionPercent": 50,
                    ],
                ]
                try await Self.set(policy, mesh.api, mesh.path, isFirst: false)
                try await mesh.api.put(mesh.object("services/reviews/endpoints/nobody"), ["spec": endpoint])
                    .expectingSuccess("an endpoint where nobody listens")
                let load = Load(proxy: mesh.caller.httpProxyPort, host: "reviews")
                try await eventually("the endpoint is left out") {
                    await load.once()
                    return try await mesh.caller.admin("/clusters").split(separator: "\n").contains {
                        $0.contains("health_flags::") && $0.contains("failed_outlier_check")
                    }
                }
            }
        }
    }

    @Test("gRPC sends a user's calls to one endpoint")
    func proxylessHash() async throws {
        try await ProxylessMesh.run { mesh in
            try await Self.set(Self.hash(on: "x-user"), mesh.api, ProxylessMesh.path)
            let calls: [JSONValue] = (0..<20).map { user in
                ["count": 5, "metadata": ["x-user": .string("user-\(user)")]]
            }
            // The rule may come after a client's first calls.
            try await eventually("users stay where they are") {
                let outcomes = try await mesh.call(calls)
                #expect(outcomes.allSatisfy { $0.errors.isEmpty })
                let homes = Set(outcomes.flatMap(\.versions.keys))
                return homes.count > 1 && outcomes.allSatisfy { $0.versions.count == 1 }
            }
        }
    }

    @Test("gRPC leaves an endpoint out whose calls fail")
    func proxylessOutlier() async throws {
        try await ProxylessMesh.run { mesh in
            try await Self.set(
                [
                    "outlierDetection": [
                        "consecutive5xxErrors": 3, "interval": "500ms", "baseEjectionTime": "5m",
                        "maxEjectionPercent": 50,
                    ]
                ], mesh.api, ProxylessMesh.path)
            let outcomes = try await mesh.call([
                ["count": 60, "metadata": ["x-behave": "fail v2"], "until": "calm"], ["count": 300],
            ])
            #expect((outcomes[0].errors["INTERNAL"] ?? 0) >= 3, "v2 was asked before it was left out: \(outcomes)")
            #expect(outcomes[1].errors.isEmpty && Set(outcomes[1].versions.keys) == ["v1", "v3"], "\(outcomes)")
        }
    }
}
