import Documents
import MeshLab
import TestSupport

/// A mesh in which each row of a table has services of its own, one that the row's document is about and one for the document
/// that it is compared with, and a sidecar through which they are called.
struct FieldLab: Sendable {
    static let namespace = "fields"
    private static let mesh = "/v1/tenants/acme/meshes/default"
    private static let versions = ["v1", "v2", "v3"]

    let sidecar: Sidecar
    let caller: Caller
    private let workloads: [Workload]
    private let api: APIClient

    /// How many requests that carry a service's name in `x-lab-id` a workload was sent.
    func requests(_ host: String, at version: String) -> Int {
        workloads.first { $0.version == version }?.requests(host) ?? 0
    }

    /// The configuration of a cluster as Envoy has accepted it.
    func acceptedCluster(of host: String, version: String) async throws -> JSONValue? {
        let name = "outbound|9080|\(version)|\(host).\(Self.namespace).svc.cluster.local"
        let pattern = "%5Eoutbound.9080.\(version).\(host)%5C..*"
        let dump = try await sidecar.adminJSON("/config_dump?resource=dynamic_active_clusters&name_regex=\(pattern)")
        let clusters = dump["configs"]?.arrayValue?.compactMap { $0["cluster"] }
        return clusters?.first { $0["name"] == .string(name) }
    }

    /// The status of the release of a service.
    func release(of host: String) async throws -> JSONValue {
        let answer = try await api.get("\(Self.mesh)/namespaces/\(Self.namespace)/releases/\(host)")
        return try answer.expectingSuccess("the release of \(host)").body["status"] ?? .null
    }

    /// Changes an object of a service.
    func patch(_ object: String, of host: String, _ spec: JSONValue) async throws {
        let path = "\(Self.mesh)/namespaces/\(Self.namespace)/services/\(host)/\(object)"
        let answer = try await api.send(
            "PATCH", path, ["spec": spec],
            ["If-Match": "*", "Content-Type": "application/merge-patch+json"])
        try answer.expectingSuccess("\(object) of \(host)")
    }

    /// Runs `body` with everything in place that the rows need.
    ///
    /// - Parameter rows: each with its collection, such as `virtualServices`, and the name of its service.
    static func run(
        _ rows: [(collection: String, name: String, row: FieldRow)], envoy: String,
        _ body: @Sendable (FieldLab) async throws -> Void
    ) async throws {
        try await TestTools.withServer { server, directory in
            let workloads = try (versions + versions.map { "alt-\($0)" } + ["shared"]).map {
                Workload(version: $0, port: try FreePort.next())
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for workload in workloads { group.addTask { try await workload.run() } }
                defer { group.cancelAll() }
                let revision = try await register(rows, workloads, server.api)
                let sidecar = try await Sidecar(
                    name: "caller", service: "caller", namespace: namespace, cluster: "dev", mesh: mesh,
                    api: server.api, envoy: envoy, directory: directory, edit: TestTools.withAllStatistics)
                do {
                    try await waitUntilAccepted(revision, server.api)
                    try await startReleases(rows, server.api)
                    try await Caller.run(proxy: sidecar.httpProxyPort) { caller in
                        try await body(
                            FieldLab(sidecar: sidecar, caller: caller, workloads: workloads, api: server.api))
                    }
                } catch {
                    await sidecar.stop()
                    throw error
                }
                await sidecar.stop()
            }
        }
    }

    /// - Returns: the mesh's revision from which on all is there.
    private static func register(
        _ rows: [(collection: String, name: String, row: FieldRow)], _ workloads: [Workload], _ api: APIClient
    ) async throws -> Int64 {
        try await api.put("/v1/tenants/acme", ["spec": ["displayName": "Acme"]]).expectingSuccess("tenant")
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        try await api.post("/v1/tenants/acme/clusters", cluster).expectingSuccess("cluster")
        try await registerShared(workloads.last?.port ?? 0, api)
        return try await withThrowingTaskGroup(of: Int64.self) { group in
            var last: Int64 = 0
            var running = 0
            for (collection, name, row) in rows {
                for (host, spec) in [(name, row.spec), ("\(name)-less", row.comparison)] {
                    if running == 8, let revision = try await group.next() {
                        last = max(last, revision)
                        running -= 1
                    }
                    group.addTask {
                        try await register(row, host, collection, spec.replacing("$host", with: host), workloads, api)
                    }
                    running += 1
                }
            }
            for try await revision in group { last = max(last, revision) }
            return last
        }
    }

    private static func startReleases(
        _ rows: [(collection: String, name: String, row: FieldRow)], _ api: APIClient
    ) async throws {
        for (collection, name, row) in rows where collection == "releases" {
            for host in [name, "\(name)-less"] {
                try await api.post(
                    "\(mesh)/namespaces/\(namespace)/releases/\(host):start", headers: ["Idempotency-Key": host]
                ).expectingSuccess("start of \(row.field)")
            }
        }
    }

    /// A service for all rows, whose only endpoint, of no version, is the workload `shared`. A release of it never gets
    /// beyond waiting for its versions.
    private static func registerShared(_ port: Int, _ api: APIClient) async throws {
        let path = "\(mesh)/namespaces/\(namespace)/services/shared"
        let service: JSONValue = [
            "ports": [["name": "http", "port": 9080, "protocol": "HTTP"]],
            "versions": .array(versions.map { ["name": .string($0), "labels": ["version": .string($0)]] }),
        ]
        try await api.put(path, ["spec": service]).expectingSuccess("the service of all rows")
        let endpoint: JSONValue = [
            "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(port))],
        ]
        try await api.put("\(path)/endpoints/shared", ["spec": endpoint]).expectingSuccess("its endpoint")
    }

    private static func register(
        _ row: FieldRow, _ host: String, _ collection: String, _ spec: JSONValue, _ workloads: [Workload],
        _ api: APIClient
    ) async throws -> Int64 {
        let path = "\(mesh)/namespaces/\(namespace)"
        let appProtocol: JSONValue = row.surroundings == .http2 ? "HTTP2" : "HTTP"
        var ports: [JSONValue] = [["name": "http", "port": 9080, "protocol": appProtocol]]
        if row.surroundings == .twoPorts { ports.append(["name": "alt", "port": 9081, "protocol": "HTTP"]) }
        let service: JSONValue = [
            "ports": .array(ports),
            "versions": .array(versions.map { ["name": .string($0), "labels": ["version": .string($0)]] }),
        ]
        try await api.put("\(path)/services/\(host)", ["spec": service]).expectingSuccess("service of \(row.field)")
        var endpoints = versions.map { version in
            (name: version, version: version, port: workloads.first { $0.version == version }?.port ?? 0)
        }
        if row.surroundings == .deadEndpoint { endpoints.append(("dead", "v3", try FreePort.next())) }
        for endpoint in endpoints {
            var numbers: [String: JSONValue] = ["http": .integer(Int64(endpoint.port))]
            if row.surroundings == .twoPorts {
                let port = workloads.first { $0.version == "alt-\(endpoint.version)" }?.port ?? 0
                numbers["alt"] = .integer(Int64(port))
            }
            let spec: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": .object(numbers),
                "version": .string(endpoint.version),
            ]
            try await api.put("\(path)/services/\(host)/endpoints/\(endpoint.name)", ["spec": spec])
                .expectingSuccess("endpoint of \(row.field)")
        }
        var last = try await api.put("\(path)/\(collection)/\(host)", ["spec": spec])
            .expectingSuccess("\(row.field) of \(host)")
        if let (collection, spec) = row.beside {
            let path = "\(path)/\(collection)/\(host)-beside"
            last = try await api.put(path, ["spec": spec.replacing("$host", with: host)])
                .expectingSuccess("what stands beside \(row.field)")
        }
        return last.body["metadata"]?["revision"]?.integerValue ?? .max
    }

    /// - Throws: ``LabError`` with what the sidecar refuses, if it does.
    private static func waitUntilAccepted(_ revision: Int64, _ api: APIClient) async throws {
        try await eventually("the sidecar has everything") {
            let proxy = try await api.get("\(mesh)/proxies/caller?namespace=\(namespace)").body
            let types = proxy["types"]?.objectValue ?? [:]
            for (type, state) in types where state["state"] == "rejected" {
                throw LabError("the sidecar refuses \(type): \(state["rejections"] ?? .null)")
            }
            return (proxy["revision"]?.integerValue ?? -1) >= revision && !types.isEmpty
                && types.values.allSatisfy { $0["state"] == "synced" }
        }
    }
}
