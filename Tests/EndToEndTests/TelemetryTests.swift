import Documents
import MeshLab
import TestSupport
import Testing

/// What real sidecars count, as the mesh's time series tell it.
@Suite("Telemetry", .serialized)
struct TelemetryTests {
    /// A metric of `reviews` over the last quarter of an hour: its points that say something, added up, by series.
    private static func sums(
        _ mesh: ReviewsMesh, _ metric: String, by: String = "version"
    ) async throws -> [String: Double] {
        let answer = try await mesh.api.get(
            "\(mesh.path)/metrics/timeseries?metric=\(metric)&service=reviews&namespace=shop&by=\(by)")
        var sums: [String: Double] = [:]
        for series in try answer.expectingSuccess("time series").body["series"]?.arrayValue ?? [] {
            let labels = ["source", "version", "code"].compactMap { series["labels"]?[$0]?.stringValue }
            let points = (series["points"]?.arrayValue ?? []).compactMap(\.numberValue)
            sums[labels.joined(separator: " "), default: 0] += points.reduce(0, +)
        }
        return sums.filter { $0.value > 0 }
    }

    private static func route(_ version: String, _ extra: [String: JSONValue] = [:]) -> JSONValue {
        .object(extra.merging(["route": [["destination": ["host": "reviews", "subset": .string(version)]]]]) { $1 })
    }

    @Test(
        "Every request is counted once, by version and code, and who sent it; attempts and copies are told apart",
        arguments: zip(TestTools.Envoy.allCases, ["delta", "sotw"]))
    func counts(_ envoy: TestTools.Envoy, _ variant: String) async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(
                api: server.api, envoy: TestTools.envoy(envoy), directory: directory, variant: variant
            ) { mesh in
                let rules: JSONValue = [
                    Self.route("v2", ["match": [["headers": ["x-to": ["exact": "v2"]]]]]),
                    Self.route(
                        "v3",
                        [
                            "match": [["headers": ["x-to": ["exact": "v3"]]]],
                            "retries": ["attempts": 2, "retryOn": "5xx"],
                        ]),
                    Self.route("v1", ["mirror": ["host": "reviews", "subset": "v3"]]),
                ]
                let answer = try await mesh.api.put(
                    mesh.object("virtualServices/reviews"), ["spec": ["hosts": ["reviews"], "http": rules]]
                ).expectingSuccess("rules")
                let revision = try #require(answer.body["metadata"]?["revision"]?.integerValue)
                try await eventually("the sidecars have the rules") { try await mesh.isInStep(atLeast: revision) }
                func send(_ count: Int, _ headers: [(String, String)]) async {
                    let load = Load(proxy: mesh.caller.httpProxyPort, host: "reviews", headers: headers)
                    for _ in 0..<count { await load.once() }
                }
                await send(40, [])
                await send(30, [("x-to", "v2"), ("x-lab-wait", "30")])
                await send(7, [("x-to", "v2"), ("x-lab-status", "503")])
                await send(5, [("x-to", "v2"), ("x-lab-status", "404")])
                // The first attempt fails, the second one does not: one request, two attempts, 10 each.
                await send(10, [("x-to", "v3"), ("x-lab-status", "503"), ("x-lab-until", "2")])
                let expected: [String: Double] = [
                    "shop/productpage v1 200": 40, "shop/productpage v2 200": 30, "shop/productpage v2 503": 7,
                    "shop/productpage v2 404": 5, "shop/productpage v3 200": 50,
                ]
                try await eventually("all are counted") {
                    try await Self.sums(mesh, "requests", by: "source,version,code") == expected
                }
                try await eventually("the sidecars are known to report") {
                    let proxies = try await mesh.api.get("\(mesh.path)/proxies").body["items"]?.arrayValue ?? []
                    return proxies.count == 4 && proxies.allSatisfy { $0["status"]?["telemetry"] == "full" }
                }
                // Within the bucket of what the workload takes, of those that were asked to.
                let medians =
                    try await mesh.api.get(
                        "\(mesh.path)/metrics/timeseries?metric=p50&service=reviews&namespace=shop&by=version&step=900s"
                    ).body["series"]?.arrayValue ?? []
                let median = try #require(
                    medians.first { $0["labels"]?["version"] == "v2" }?["points"]?.arrayValue?.compactMap(\.numberValue)
                        .max())
                #expect((25...63).contains(median), "\(median)")
                let ratios = try await Self.sums(mesh, "errorRatio")
                #expect(ratios["v1"] == nil && ratios["v3"] == nil && ratios["v2"] != nil, "\(ratios)")
                #expect(try await Self.sums(mesh, "bytes").keys.sorted() == ["v1", "v2", "v3"])
            }
        }
    }

    @Test("A question that cannot be answered says why")
    func refusals() async throws {
        try await TestTools.withServer { server, directory in
            try await ReviewsMesh.run(api: server.api, envoy: TestTools.envoy(), directory: directory) { mesh in
                let path = "\(mesh.path)/metrics/timeseries?service=reviews&namespace=shop"
                for (query, pointer) in [
                    ("&metric=p42", "/query/metric"), ("&metric=p50&by=code", "/query/by"),
                    ("&metric=p50&by=colour", "/query/by"), ("&metric=mean&step=7s", "/query/step"),
                    ("&metric=mean&step=15s", "/query/step"), ("&metric=mean&from=yesterday", "/query/from"),
                    ("&metric=mean&from=2026-01-01T00:00:00Z", "/query/from"), ("", "/query/metric"),
                ] {
                    let answer = try await mesh.api.get(path + query)
                    #expect(answer.status == 400 || answer.status == 422, "\(query): \(answer.text)")
                    #expect(answer.body["errors"]?.arrayValue?.first?["pointer"] == .string(pointer), "\(answer.text)")
                }
            }
        }
    }
}
