import Documents
import Foundation
import MeshLab
import TestSupport

/// A mesh with a gRPC service `reviews` in three versions, whose callers are gRPC's own xDS client: without an Envoy.
struct ProxylessMesh {
    /// What became of the calls of one kind.
    struct Outcome: Decodable, Equatable {
        /// Answers by version.
        var versions: [String: Int] = [:]
        /// Failures by gRPC's name of their code.
        var errors: [String: Int] = [:]
        /// What gRPC says about the first failures.
        var details: [String] = []
    }

    static let path = "/v1/tenants/acme/meshes/default"
    static let versions = ["v1", "v2", "v3"]

    let api: APIClient
    private let bootstrap: String
    private let directory: String

    /// Runs `body` with a server and backends of their own, and stops them afterwards.
    ///
    /// - Parameters:
    ///   - endpoints: by version, what their endpoints have beside address and port.
    ///   - settings: more `SLUICE_` settings of the server.
    static func run(
        endpoints: [String: [String: JSONValue]] = [:], settings: [String: String] = [:],
        _ body: (ProxylessMesh) async throws -> Void
    ) async throws {
        try await TestTools.withServer { _ in
            settings
        } _: { server, directory in
            let ports = try versions.map { (version: $0, port: try FreePort.next()) }
            let backends = try ChildProcess(
                name: "backends", executable: TestTools.python(),
                arguments: [script, "serve"] + ports.map { "\($0.version)=\($0.port)" },
                log: "\(directory)/backends.log")
            do {
                try await register(server.api, ports, endpoints)
                let bootstrap = try await server.api.get(
                    "\(path)/proxies/client-1/bootstrap?namespace=shop&service=client&cluster=dev&client=grpc"
                ).expectingSuccess("the bootstrap of a gRPC client").text
                try await body(ProxylessMesh(api: server.api, bootstrap: bootstrap, directory: directory))
            } catch {
                await backends.stop(grace: .seconds(1))
                throw error
            }
            await backends.stop(grace: .seconds(1))
        }
    }

    private static let script = "\(TestTools.root)/Tests/EndToEndTests/proxyless.py"

    private static func register(
        _ api: APIClient, _ ports: [(version: String, port: Int)], _ endpoints: [String: [String: JSONValue]]
    ) async throws {
        try await api.put("/v1/tenants/acme", ["spec": [:]]).expectingSuccess("tenant")
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        try await api.post("/v1/tenants/acme/clusters", cluster).expectingSuccess("cluster")
        let service: JSONValue = [
            "ports": [["name": "grpc", "port": 9080, "protocol": "GRPC"]],
            "versions": .array(versions.map { ["name": .string($0)] }),
        ]
        let reviews = "\(path)/namespaces/shop/services/reviews"
        try await api.put(reviews, ["spec": service]).expectingSuccess("service")
        for (version, port) in ports {
            let endpoint: [String: JSONValue] = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["grpc": .integer(Int64(port))],
                "version": .string(version),
            ]
            let spec = endpoint.merging(endpoints[version] ?? [:]) { _, own in own }
            try await api.put("\(reviews)/endpoints/\(version)", ["spec": .object(spec)]).expectingSuccess("endpoint")
        }
    }

    /// Replaces the rules of the service `reviews`.
    func setRules(_ http: JSONValue) async throws {
        let spec: JSONValue = ["hosts": ["reviews"], "http": http]
        try await api.put("\(Self.path)/namespaces/shop/virtualServices/reviews", ["spec": spec])
            .expectingSuccess("virtual service")
    }

    /// Runs a client as a process of its own, and reads what it counted.
    ///
    /// - Parameter calls: as `proxyless.py` takes them.
    /// - Returns: as many as `calls`.
    func call(_ calls: [JSONValue]) async throws -> [Outcome] {
        let output = "\(directory)/client-\(UUID().uuidString).json"
        let list = String(decoding: try JSONEncoder().encode(JSONValue.array(calls)), as: UTF8.self)
        let client = try ChildProcess(
            name: "client", executable: TestTools.python(),
            arguments: [Self.script, "call", "xds:///reviews.shop:9080", list],
            environment: ["GRPC_XDS_BOOTSTRAP_CONFIG": bootstrap, "GRPC_VERBOSITY": "none"], log: output)
        do {
            try await eventually("the client has made its calls") { !client.isRunning }
        } catch {
            await client.stop(grace: .seconds(1))
            throw error
        }
        let text = try String(contentsOfFile: output, encoding: .utf8)
        let last = text.split(separator: "\n").last.map(String.init) ?? ""
        let outcomes = try JSONDecoder().decode([Outcome].self, from: Data(last.utf8))
        guard outcomes.count == calls.count else { throw LabError("the client says: \(text)") }
        return outcomes
    }
}
