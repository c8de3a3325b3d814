import Documents
import MeshLab
import TestSupport
import Testing

/// What real clients report of their load, as the mesh's metrics tell it.
@Suite("Load reports", .serialized)
struct LoadReportTests {
    /// The requests to `reviews` that proxies have reported: by version and result.
    private static func reported(_ api: APIClient, _ mesh: String) async throws -> [String: Int] {
        let text = try await api.get("\(mesh)/metrics").expectingSuccess("the mesh's metrics").text
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("sluice_mesh_requests_total{") {
            func label(_ name: String) -> String {
                line.firstRange(of: "\(name)=\"").map { line[$0.upperBound...].prefix { $0 != "\"" } }.map(String.init)
                    ?? ""
            }
            guard label("service") == "reviews", let count = line.split(separator: " ").last.flatMap({ Int($0) }) else {
                continue
            }
            if count > 0 { counts["\(label("version")) \(label("result"))", default: 0] += count }
        }
        return counts
    }

    private static func to(_ version: String, if match: JSONValue = [:]) -> JSONValue {
        ["match": [match], "route": [["destination": ["host": "reviews", "subset": .string(version)]]]]
    }

    /// A bootstrap as servers gave it that knew no statistics.
    private static func early(_ bootstrap: JSONValue) -> JSONValue {
        guard case .object(var members) = bootstrap,
            case .object(var source)? = members["dynamicResources"]?["adsConfig"]
        else { return bootstrap }
        for name in ["statsSinks", "statsConfig", "statsFlushInterval"] { members[name] = nil }
        source["apiType"] = "GRPC"
        members["clusterManager"] = ["loadStatsConfig": .object(source)]
        return .object(members)
    }

    @Test(
        "An Envoy with an early bootstrap reports every request to the version that it went to, and is named",
        arguments: zip(TestTools.Envoy.allCases, ["delta", "sotw"]))
    func envoy(_ envoy: TestTools.Envoy, _ variant: String) async throws {
        try await TestTools.withServer { _ in
            ["SLUICE_LOAD_REPORT_INTERVAL": "1s"]
        } _: { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(envoy), directory: directory, variant: variant,
                edit: Self.early
            ) { mesh in
                let matched: JSONValue = ["headers": ["x-to": ["exact": "v2"]]]
                let rules: JSONValue = [
                    "spec": ["hosts": ["reviews"], "http": [Self.to("v2", if: matched), Self.to("v1")]]
                ]
                let answer = try await mesh.api.put(mesh.object("virtualServices/reviews"), rules)
                    .expectingSuccess("rules")
                let revision = try #require(answer.body["metadata"]?["revision"]?.integerValue)
                try await eventually("the sidecars have the rules") { try await mesh.isInStep(atLeast: revision) }
                // An Envoy drops what it has sent to a cluster that was new when it reported last: so each has some calls
                // before those that are counted, which to v2 fail, to be told from them.
                let first = [
                    Load(proxy: mesh.caller.httpProxyPort, host: "reviews"),
                    Load(
                        proxy: mesh.caller.httpProxyPort, host: "reviews",
                        headers: [("x-to", "v2"), ("x-lab-status", "500")]),
                ]
                try await eventually("the Envoy reports both versions") {
                    for load in first { await load.once() }
                    let reported = try await Self.reported(mesh.api, mesh.path)
                    return reported["v1 success"] != nil && reported["v2 error"] != nil
                }
                let load = Load(proxy: mesh.caller.httpProxyPort, host: "reviews", headers: [("x-to", "v2")])
                for _ in 0..<50 { await load.once() }
                #expect(load.total.versions == ["v2": 50])
                try await eventually("all 50 are reported") {
                    try await Self.reported(mesh.api, mesh.path)["v2 success"] == 50
                }
                let reported = try await Self.reported(mesh.api, mesh.path)
                #expect(reported.keys.sorted() == ["v1 success", "v2 error", "v2 success"], "\(reported)")
                try await eventually("they are named") {
                    let proxies = try await mesh.api.get("\(mesh.path)/proxies").body["items"]?.arrayValue ?? []
                    return proxies.count == 4 && proxies.allSatisfy { $0["status"]?["telemetry"] == "countsOnly" }
                }
            }
        }
    }

    @Test("gRPC's own client reports by version, and what failed as errors")
    func proxyless() async throws {
        try await ProxylessMesh.run(settings: ["SLUICE_LOAD_REPORT_INTERVAL": "1s"]) { mesh in
            try await mesh.setRules([Self.to("v1")])
            // Its reports end with the client, so it must call for longer than an interval.
            let outcomes = try await mesh.call([
                ["count": 3, "metadata": ["x-behave": "hang"], "timeout": 1],
                ["count": 4_000],
            ])
            #expect(outcomes[1].versions == ["v1": 4_000], "\(outcomes)")
            let reported = try await Self.reported(mesh.api, ProxylessMesh.path)
            #expect(reported["v1 error"] == outcomes[0].errors.values.reduce(0, +), "\(reported)")
            #expect((1...4_000).contains(reported["v1 success"] ?? 0), "\(reported)")
            #expect(reported["v2 success"] == nil)
        }
    }
}
