import Documents
import MeshLab
import TestSupport
import Testing

/// A sidecar with a workload, and clients that are connected to it: their connections are older than what is changed.
@Suite("Connections to a sidecar", .serialized)
struct InboundConnectionTests {
    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let services = mesh + "/namespaces/shop/services"

    /// A pod: where its sidecar listens, and two workloads behind it.
    private struct Pod {
        let api: APIClient
        let sidecar: Sidecar
        let port: Int
        let workloads: [Workload]

        /// A service with the pod as its endpoint `e1`.
        ///
        /// - Returns: what the endpoint's writer was warned of.
        @discardableResult
        func add(_ service: String, port number: Int64 = 80, workload: Int = 0) async throws -> [JSONValue] {
            let ports: JSONValue = ["ports": [["name": "http", "port": .integer(number)]]]
            try await api.put("\(services)/\(service)", ["spec": ports]).expectingSuccess("service \(service)")
            let endpoint: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
                "sidecar": [
                    "proxy": "wl-1", "workloadPorts": ["http": .integer(Int64(workloads[workload].port))],
                ],
            ]
            let answer = try await api.put("\(services)/\(service)/endpoints/e1", ["spec": endpoint])
            try answer.expectingSuccess("endpoint of \(service)")
            return answer.body["warnings"]?.arrayValue ?? []
        }

        /// Of the condition `Accepted` of the service's endpoint.
        func reason(of service: String) async throws -> String? {
            let endpoint = try await api.get("\(services)/\(service)/endpoints/e1")
            let conditions = endpoint.body["status"]?["conditions"]?.arrayValue ?? []
            return conditions.first { $0["type"] == "Accepted" }?["reason"]?.stringValue
        }

        func remove(_ service: String) async throws {
            try await api.delete("\(services)/\(service)/endpoints/e1").expectingSuccess("endpoint of \(service)")
            try await api.delete("\(services)/\(service)").expectingSuccess(service)
        }

        /// Waits until the sidecar has all that was written.
        func settle() async throws {
            let marker = try await api.put(
                "\(services)/marker",
                ["spec": ["ports": [["name": "http", "port": .integer(.random(in: 1...60_000))]]]])
            try marker.expectingSuccess("a marker")
            let revision = try #require(marker.body["metadata"]?["revision"]?.integerValue)
            try await eventually("the sidecar has revision \(revision)") {
                let proxy = try await api.get("\(mesh)/proxies").body["items"]?.arrayValue?.first
                let types = proxy?["types"]?.objectValue ?? [:]
                return (proxy?["revision"]?.integerValue ?? -1) >= revision
                    && types.values.allSatisfy { $0["state"] == "synced" }
            }
        }

        /// Opens a connection and keeps it.
        func connected<T>(_ body: (Caller) async throws -> T) async throws -> T {
            try await Caller.run(proxy: port) { caller in
                try await eventually("the sidecar lets in") {
                    (try? await caller.send(.init(), to: "pod"))?.status == 200
                }
                return try await body(caller)
            }
        }

        /// How many connections the sidecar has taken, and how often a listener was changed or replaced.
        func counts() async throws -> [String] {
            let names = [
                "listener.127.0.0.1_\(port).downstream_cx_total", "listener_manager.listener_modified",
                "listener_manager.listener_removed", "listener_manager.listener_in_place_updated",
            ]
            let all = try await sidecar.admin("/stats").split(separator: "\n").map(String.init)
            return all.filter { line in names.contains { line.hasPrefix($0 + ":") } }
        }
    }

    private static func withPod(_ variant: String, _ body: (Pod) async throws -> Void) async throws {
        try await TestTools.withServer { server, directory in
            let api = server.api
            try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
            let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
            try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
            let workloads = try ["one", "two"].map { Workload(version: $0, port: try FreePort.next()) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for workload in workloads { group.addTask { try await workload.run() } }
                defer { group.cancelAll() }
                let sidecar = try await Sidecar(
                    name: "wl-1", service: "back", namespace: "shop", cluster: "dev", mesh: mesh, api: api,
                    envoy: TestTools.envoy(), directory: directory, variant: variant)
                do {
                    try await body(Pod(api: api, sidecar: sidecar, port: try FreePort.next(), workloads: workloads))
                } catch {
                    await sidecar.stop()
                    throw error
                }
                await sidecar.stop()
            }
        }
    }

    private static func expectAnswers(_ callers: [Caller], by version: String = "one", after what: String) async throws
    {
        for caller in callers {
            for _ in 0..<3 {
                let answer = try await caller.send(Caller.Request(), to: "pod")
                #expect(
                    answer.status == 200 && answer.version == version, "after \(what): \(answer.status) \(answer.text)")
            }
        }
    }

    @Test("are as they were whatever services there are over the pod", arguments: ["delta", "sotw"])
    func services(_ variant: String) async throws {
        try await Self.withPod(variant) { pod in
            try await pod.add("back")
            try await pod.connected { first in
                // Before this one in the order of names.
                try await pod.add("abc")
                try await pod.settle()
                try await Self.expectAnswers([first], after: "a second service has come")
                try await pod.connected { second in
                    let counts = try await pod.counts()
                    let both = [first, second]
                    try await pod.remove("abc")
                    try await pod.settle()
                    try await Self.expectAnswers(both, after: "the second service has gone")
                    try await pod.add("back", port: 81)
                    try await pod.settle()
                    try await Self.expectAnswers(both, after: "the service has another port")
                    try await pod.add("xyz")
                    try await pod.remove("back")
                    try await pod.settle()
                    try await Self.expectAnswers(both, after: "only another service is left")
                    #expect(try await pod.counts() == counts, "no connection is new, and no listener changed")
                }
            }
        }
    }

    @Test(
        "reach the workload at its new port, and are answered while they drain",
        arguments: ["delta", "sotw"])
    func draining(_ variant: String) async throws {
        try await Self.withPod(variant) { pod in
            try await pod.add("back")
            try await pod.connected { first in
                let counts = try await pod.counts()
                try await pod.add("back", workload: 1)
                try await pod.settle()
                try await Self.expectAnswers([first], by: "two", after: "the workload has another port")
                #expect(try await pod.counts() == counts, "no connection is new, and no listener changed")
                try await pod.remove("back")
                try await pod.settle()
                try await Self.expectAnswers([first], by: "two", after: "the endpoint has gone")
            }
        }
    }

    @Test("are not taken over by an endpoint that comes to the same port later", arguments: ["delta", "sotw"])
    func takenPort(_ variant: String) async throws {
        try await Self.withPod(variant) { pod in
            try await pod.add("front")
            try await pod.connected { direct in
                try await Caller.run(proxy: pod.sidecar.httpProxyPort) { caller in
                    try await pod.settle()
                    #expect(try await caller.send(.init(), to: "front").version == "one")
                    // Before the other one in the order of names.
                    let warnings = try await pod.add("back", workload: 1)
                    #expect(warnings.map { $0["code"] } == ["duplicateAddress"])
                    #expect(warnings.first?["detail"]?.stringValue?.contains("service shop/front") == true)
                    try await pod.settle()
                    try await Self.expectAnswers([direct], after: "another endpoint has come")
                    try await pod.connected { anew in
                        try await Self.expectAnswers([anew], after: "another endpoint has come")
                    }
                    #expect(try await caller.send(.init(), to: "front").version == "one")
                    let stray = try await caller.send(.init(), to: "back")
                    #expect(stray.status == 503 && stray.version == nil, "it is nobody's: \(stray.text)")
                    try await eventually("who came later is told, and nobody else") {
                        let reasons = try await [pod.reason(of: "front"), pod.reason(of: "back")]
                        return reasons == ["Valid", "DuplicateAddress"]
                    }
                    try await pod.remove("front")
                    try await pod.settle()
                    try await eventually("it has the port when that is free") {
                        try await caller.send(.init(), to: "back").version == "two"
                    }
                }
            }
        }
    }
}
