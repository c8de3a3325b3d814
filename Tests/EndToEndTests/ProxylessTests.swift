import Foundation
import MeshLab
import MeshModel
import Testing

/// gRPC's own xDS client (A27 and following) against the server, without an Envoy.
@Suite("Proxyless gRPC", .serialized)
struct ProxylessTests {
    static let script = "\(Parts.root)/Tests/EndToEndTests/proxyless.py"

    @Test("grpcio resolves xds:///reviews.shop:9080 and follows a release")
    func resolves() async throws {
        try await Parts.withServer { server, directory in
            let ports = try (0..<2).map { _ in try FreePort.next() }
            let mesh = try await register(server.api, ports)
            let backends = try ChildProcess(
                name: "backends", executable: Parts.python(),
                arguments: [Self.script, "serve", "v1=\(ports[0])", "v2=\(ports[1])"],
                log: "\(directory)/backends.log")
            do {
                try await follow(server.api, mesh, directory)
            } catch {
                await backends.stop(grace: .seconds(1))
                throw error
            }
            await backends.stop(grace: .seconds(1))
        }
    }

    private func follow(_ api: APIClient, _ mesh: String, _ directory: String) async throws {
        let bootstrap = try await api.get(
            "\(mesh)/proxies/client-1/bootstrap?namespace=shop&service=client&cluster=dev&client=grpc"
        ).expectingSuccess("the bootstrap of a gRPC client").text

        let before = try await call(bootstrap, count: 40, directory)
        #expect(before["errors"] == [])
        #expect(before["versions"]?["v1"] != nil && before["versions"]?["v2"] != nil, "\(before)")

        let path = "\(mesh)/namespaces/shop/releases/reviews-v2"
        let plan: JSONValue = [
            "service": "reviews", "port": 9080, "stable": ["version": "v1"], "canary": ["version": "v2"],
            "strategy": ["type": "canary", "steps": [["setWeight": 10000], ["pause": [:]]]],
        ]
        try await api.put(path, ["spec": plan]).expectingSuccess("release")
        try await api.post("\(path):start", headers: ["Idempotency-Key": "start"]).expectingSuccess("start")
        try await eventually("the release waits at its pause") {
            try await api.get(path).body["status"]?["phase"] == "Paused"
        }
        let during = try await call(bootstrap, count: 40, directory)
        #expect(during == ["versions": ["v2": 40], "errors": []])
    }

    private func register(_ api: APIClient, _ ports: [Int]) async throws -> String {
        let mesh = "/v1/tenants/acme/meshes/default"
        try await api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        try await api.post("/v1/tenants/acme/clusters", cluster).expectingSuccess("cluster")
        let service: JSONValue = [
            "ports": [["name": "grpc", "port": 9080, "protocol": "GRPC"]],
            "versions": [["name": "v1"], ["name": "v2"]],
        ]
        try await api.put("\(mesh)/namespaces/shop/services/reviews", ["spec": service]).expectingSuccess("service")
        for (index, port) in ports.enumerated() {
            let endpoint: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["grpc": .integer(Int64(port))],
                "version": .string("v\(index + 1)"),
            ]
            try await api.put(
                "\(mesh)/namespaces/shop/services/reviews/endpoints/e\(index + 1)", ["spec": endpoint]
            ).expectingSuccess("endpoint")
        }
        return mesh
    }

    /// Runs a client of its own process and reads what it counted.
    private func call(_ bootstrap: String, count: Int, _ directory: String) async throws -> JSONValue {
        let output = "\(directory)/client-\(UUID().uuidString).json"
        let client = try ChildProcess(
            name: "client", executable: Parts.python(),
            arguments: [Self.script, "call", "xds:///reviews.shop:9080", String(count)],
            environment: ["GRPC_XDS_BOOTSTRAP_CONFIG": bootstrap, "GRPC_VERBOSITY": "none"], log: output)
        try await eventually(within: .seconds(60), "the client has made its calls") { !client.isRunning }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        let last = text.split(separator: "\n").last.map(String.init) ?? ""
        return try JSONDecoder().decode(JSONValue.self, from: Data(last.utf8))
    }
}
