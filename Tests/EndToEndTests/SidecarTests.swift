import Documents
import MeshLab
import TestSupport
import Testing

/// Several services with an instance behind one sidecar, as a pod with several ports has them.
@Suite("A sidecar before several services", .serialized)
struct SidecarTests {
    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let services = mesh + "/namespaces/shop/services"

    /// A service with port 80 and an instance behind the sidecar `pod-1`.
    private static func add(_ name: String, listening port: Int, workload: Int, _ api: APIClient) async throws {
        let service: JSONValue = ["ports": [["name": "http", "port": 80, "protocol": "HTTP"]]]
        try await api.put("\(services)/\(name)", ["spec": service]).expectingSuccess("service \(name)")
        let endpoint: JSONValue = [
            "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
            "sidecar": ["proxy": "pod-1", "workloadPorts": ["http": .integer(Int64(workload))]],
        ]
        try await api.put("\(services)/\(name)/endpoints/pod-1", ["spec": endpoint]).expectingSuccess(
            "endpoint \(name)")
    }

    @Test("lets in what is for each of them, whichever its bootstrap names", arguments: ["delta", "sotw"])
    func inbound(_ variant: String) async throws {
        try await TestTools.withServer { server, directory in
            let api = server.api
            try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
            let cluster: JSONValue = ["spec": ["kind": "universal", "mesh": ["enabled": true]]]
            try await api.put("/v1/tenants/acme/clusters/dev", cluster).expectingSuccess("cluster")
            let workloads = try ["web", "admin"].map { Workload(version: $0, port: try FreePort.next()) }
            let (web, admin) = (try FreePort.next(), try FreePort.next())
            try await Self.add("web", listening: web, workload: workloads[0].port, api)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for workload in workloads { group.addTask { try await workload.run() } }
                defer { group.cancelAll() }
                try await Self.withSidecars(api, directory, variant) { caller in
                    try await Self.expect("web", from: "web", caller)
                    // That comes later, and one that shares the place of another.
                    try await Self.add("admin", listening: admin, workload: workloads[1].port, api)
                    try await Self.expect("admin", from: "admin", caller)
                    try await Self.add("web-stable", listening: web, workload: workloads[0].port, api)
                    try await Self.expect("web-stable", from: "web", caller)
                    // What was shared stays with who is left.
                    try await api.delete("\(Self.services)/web/endpoints/pod-1").expectingSuccess("endpoint")
                    try await Self.expect("web-stable", from: "web", caller)
                    try await Self.expect("admin", from: "admin", caller)
                }
            }
        }
    }

    private static func expect(_ host: String, from workload: String, _ caller: Caller) async throws {
        try await eventually("\(host) is answered by \(workload)") {
            try await caller.send(Caller.Request(), to: host).version == workload
        }
    }

    private static func withSidecars(
        _ api: APIClient, _ directory: String, _ variant: String, _ body: (Caller) async throws -> Void
    ) async throws {
        var sidecars: [Sidecar] = []
        do {
            for (name, service) in [("pod-1", "web"), ("caller", "caller")] {
                sidecars.append(
                    try await Sidecar(
                        name: name, service: service, namespace: "shop", cluster: "dev", mesh: mesh, api: api,
                        envoy: TestTools.envoy(), directory: directory, variant: variant))
            }
            try await Caller.run(proxy: sidecars[1].httpProxyPort, body)
        } catch {
            for sidecar in sidecars { await sidecar.stop() }
            throw error
        }
        for sidecar in sidecars { await sidecar.stop() }
    }
}
