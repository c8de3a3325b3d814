import Documents
import GrayRelease
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshLab
import TestSupport
import Testing

/// Random rules with random releases on a real Envoy, and random requests: what the simulation says is what Envoy does, and a
/// release changes nothing but the version that answers.
@Suite("Simulation and Envoy agree on random requests", .serialized)
struct ReleaseAgreementTests {
    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let names = ["x/a", "x/b", "y/c"]
    private static let versions = ["v1", "v2", "v3"]
    private static let seeds = LongRun.count("SLUICE_AGREEMENT_MESHES", else: 8)
    private static let requests = 25

    @Test(arguments: TestTools.Envoy.allCases, ["delta", "sotw"])
    func agree(_ envoy: TestTools.Envoy, _ variant: String) async throws {
        try await TestTools.withServer { server, directory in
            let api = server.api
            let workloads = try await Self.register(api)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for workload in workloads { group.addTask { try await workload.run() } }
                defer { group.cancelAll() }
                let sidecar = try await Sidecar(
                    name: "caller", service: "caller", namespace: "x", cluster: "dev", mesh: Self.mesh, api: api,
                    envoy: TestTools.envoy(envoy), directory: directory, variant: variant)
                do {
                    try await Caller.run(proxy: sidecar.httpProxyPort) { caller in
                        for seed in 0..<Self.seeds { try await Self.compare(seed, api, caller) }
                    }
                } catch {
                    await sidecar.stop()
                    throw error
                }
                await sidecar.stop()
            }
        }
    }

    private static let service: JSONValue = [
        "ports": [["name": "http", "port": 80, "protocol": "HTTP"]],
        "versions": .array(versions.map { ["name": .string($0)] }),
    ]

    /// Three services with three versions, each answered by a workload that is called like it.
    private static func register(_ api: APIClient) async throws -> [Workload] {
        try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
        let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
        try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
        var workloads: [Workload] = []
        for name in names {
            let parts = name.split(separator: "/")
            let path = "\(mesh)/namespaces/\(parts[0])/services/\(parts[1])"
            try await api.put(path, ["spec": service]).expectingSuccess(name)
            for version in versions {
                let workload = Workload(version: "\(name)/\(version)", port: try FreePort.next())
                let endpoint: JSONValue = [
                    "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(workload.port))],
                    "version": .string(version),
                ]
                try await api.put("\(path)/endpoints/\(version)", ["spec": endpoint]).expectingSuccess("endpoint")
                workloads.append(workload)
            }
        }
        return workloads
    }

    private static func compare(_ seed: Int, _ api: APIClient, _ caller: Caller) async throws {
        var random = RandomReleaseMesh(seed: UInt64(seed))
        let rules = "\(mesh)/namespaces/x/virtualServices/rules"
        try await api.delete(rules)
        if let spec = random.rules { try await api.put(rules, ["spec": spec]).expectingSuccess("rules of \(seed)") }
        // A change after the rules, whose revision says that they are there, also where they have gone.
        let marked: JSONValue = ["metadata": ["annotations": ["seed": .string("\(seed)")]], "spec": service]
        let revision =
            try await api.put("\(mesh)/namespaces/y/services/c", marked).expectingSuccess("mark of \(seed)")
            .body["metadata"]?["revision"]?.integerValue ?? .max
        try await eventually("the sidecar has the rules of \(seed)") {
            let proxies = try await api.get("\(mesh)/proxies").body["items"]?.arrayValue ?? []
            return proxies.contains { $0["revision"]?.integerValue ?? 0 >= revision }
        }
        let requests = (0..<Self.requests).map { _ in random.request() }
        var before: [Caller.Answer] = []
        for request in requests { before.append(try await caller.send(Caller.Request(request), to: "a.x")) }

        let release = "\(mesh)/namespaces/x/releases/r\(seed)"
        try await api.put(release, ["spec": plan(random.traffic)]).expectingSuccess("release of \(seed)")
        try await api.post("\(release):start", ["force": true]).expectingSuccess("start of \(seed)")
        try await eventually("the release of \(seed) stands at its last step") {
            try await api.get(release).body["status"]?["phase"] == "Paused"
        }
        for (request, before) in zip(requests, before) {
            let after = try await caller.send(Caller.Request(request), to: "a.x")
            #expect(after.status == before.status, "\(seed): \(request)")
            if after.body["path"] != nil, before.body["path"] != nil {
                #expect(after.body["path"] == before.body["path"], "\(seed): \(request)")
                #expect(after.body["headers"]?["x-rule"] == before.body["headers"]?["x-rule"], "\(seed): \(request)")
            }
            try await expect(after, toBeSimulated: request, seed, api)
        }
        try await api.post("\(release):rollback", ["reason": "compared"]).expectingSuccess("rollback of \(seed)")
        try await eventually("the release of \(seed) is rolled back") {
            try await api.get(release).body["status"]?["phase"] == "RolledBack"
        }
    }

    private static func expect(
        _ answer: Caller.Answer, toBeSimulated request: Simulation.Request, _ seed: Int, _ api: APIClient
    ) async throws {
        let document: JSONValue = [
            "request": [
                "method": .string(request.method), "path": .string(request.path),
                "headers": .map(request.headers) ?? [:],
            ]
        ]
        let simulated = try await api.post("\(mesh)/namespaces/x/services/a:simulate", document)
            .expectingSuccess("simulation of \(request)").body
        let undecided = simulated["undecided"]?.arrayValue ?? []
        #expect(undecided.isEmpty, "\(seed): \(request)")
        let other = simulated["redirect"] ?? simulated["directResponse"] ?? .null
        if let status = other["status"]?.integerValue {
            #expect(answer.status == Int(status), "\(seed): \(request) is \(simulated)")
            return
        }
        #expect(answer.status == 200, "\(seed): \(request) is \(simulated)")
        let possible = (simulated["destinations"]?.arrayValue ?? []).flatMap { destination -> [String] in
            let service = "\(destination["namespace"]?.stringValue ?? "")/\(destination["service"]?.stringValue ?? "")"
            return (destination["version"]?.stringValue.map { [$0] } ?? versions).map { "\(service)/\($0)" }
        }
        #expect(possible.contains(answer.version ?? ""), "\(seed): \(request) is \(simulated)")
    }

    /// Everything that the release does, and then it stands still.
    private static func plan(_ traffic: ReleaseTraffic) -> JSONValue {
        var steps: [JSONValue] = []
        if !traffic.matches.isEmpty { steps.append(["setMatch": ["any": .array(traffic.matches.map(\.json))]]) }
        if let mirror = traffic.mirror, mirror.share > .none {
            let methods = mirror.methods.isEmpty ? ["*"] : mirror.methods
            steps.append([
                "setMirror": [
                    "percentage": .number(Double(mirror.share.basisPoints) / 100),
                    "methods": .array(methods.map(JSONValue.string)),
                ]
            ])
        }
        steps += [["setWeight": .integer(Int64(traffic.canaryShare.basisPoints))], ["pause": [:]]]
        let routing: JSONValue = .fields([
            "scope": ["paths": .array(Set(traffic.paths).map(\.json))], "stickiness": traffic.stickiness?.json,
        ])
        return [
            "service": "a", "port": 80, "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": [
                "type": "canary", "trafficRouting": routing,
                "steps": .array(steps),
            ],
        ]
    }
}

extension Caller.Request {
    fileprivate init(_ request: Simulation.Request) {
        self.init(
            method: request.method, path: request.path,
            headers: request.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
    }
}
