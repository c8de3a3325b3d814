package import Documents

/// The mesh that everything is shown and tested on: a service `reviews` in three versions, each behind its own sidecar,
/// and a caller, `productpage`, with a sidecar through which it reaches `reviews`.
package final class ReviewsMesh: Sendable {
    /// For example `/v1/tenants/acme/meshes/default`.
    package let path: String
    package let api: APIClient
    package let sidecars: [Sidecar]
    package let workloads: [Workload]
    /// The caller's sidecar; the last of ``sidecars``.
    package let caller: Sidecar

    package static let versions = ["v1", "v2", "v3"]
    package static let namespace = "shop"

    /// Registers the mesh's objects over REST, and starts sidecars and workloads.
    ///
    /// Workloads run as long as the body does; sidecars are stopped afterwards, whatever happens.
    ///
    /// - Parameters:
    ///   - tenant: is created, with a cluster `dev` on which the mesh is enabled.
    ///   - envoy: the Envoy binary's path.
    ///   - directory: where bootstraps and logs go; must exist.
    ///   - variant: `delta` or `sotw`.
    ///   - otherReplicas: where sidecars go when the server of `api` does not answer: xDS ports on loopback.
    ///   - edit: changes the sidecars' bootstraps.
    package static func run<T: Sendable>(
        tenant: String = "acme", api: APIClient, envoy: String, directory: String, variant: String = "delta",
        otherReplicas: [Int] = [], edit: (@Sendable (JSONValue) -> JSONValue)? = nil,
        body: @Sendable (ReviewsMesh) async throws -> T
    ) async throws -> T {
        let ports = try versions.map { (version: $0, sidecar: try FreePort.next(), workload: try FreePort.next()) }
        let workloads = ports.map { Workload(version: $0.version, port: $0.workload) }
        let path = "/v1/tenants/\(tenant)/meshes/default"
        try await register(tenant: tenant, path: path, api: api, ports: ports)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for workload in workloads { group.addTask { try await workload.run() } }
            defer { group.cancelAll() }
            var sidecars: [Sidecar] = []
            do {
                for version in versions + ["caller"] {
                    let name = version == "caller" ? "productpage-1" : "reviews-\(version)-1"
                    sidecars.append(
                        try await Sidecar(
                            name: name, service: version == "caller" ? "productpage" : "reviews", namespace: namespace,
                            cluster: "dev", mesh: path, api: api, envoy: envoy, directory: directory, variant: variant,
                            otherReplicas: otherReplicas, edit: edit))
                }
                guard let caller = sidecars.last else { throw LabError("no sidecar was started") }
                let mesh = ReviewsMesh(path: path, api: api, sidecars: sidecars, workloads: workloads, caller: caller)
                let result = try await body(mesh)
                await stop(sidecars)
                return result
            } catch {
                await stop(sidecars)
                throw error
            }
        }
    }

    private init(path: String, api: APIClient, sidecars: [Sidecar], workloads: [Workload], caller: Sidecar) {
        self.path = path
        self.api = api
        self.sidecars = sidecars
        self.workloads = workloads
        self.caller = caller
    }

    private static func stop(_ sidecars: [Sidecar]) async {
        await withDiscardingTaskGroup { group in
            for sidecar in sidecars { group.addTask { await sidecar.stop() } }
        }
    }

    private static func register(
        tenant: String, path: String, api: APIClient, ports: [(version: String, sidecar: Int, workload: Int)]
    ) async throws {
        try await api.put("/v1/tenants/\(tenant)", ["spec": ["displayName": "Acme"]]).expectingSuccess("the tenant")
        let cluster: JSONValue = [
            "metadata": ["name": "dev"], "spec": ["kind": "universal", "mesh": ["enabled": true]],
        ]
        try await api.post("/v1/tenants/\(tenant)/clusters", cluster).expectingSuccess("the cluster")
        try await eventually(within: .seconds(30), "the mesh is enabled on cluster dev") {
            try await api.get("/v1/tenants/\(tenant)/clusters/dev/mesh").body["status"]?["phase"] == "Enabled"
        }
        let services = "\(path)/namespaces/\(namespace)/services"
        let http: JSONValue = ["name": "http", "port": 9080, "protocol": "HTTP"]
        try await api.put("\(services)/productpage", ["spec": ["ports": [http]]]).expectingSuccess(
            "service productpage")
        let reviews: JSONValue = ["ports": [http], "versions": .array(versions.map { ["name": .string($0)] })]
        try await api.put("\(services)/reviews", ["spec": reviews]).expectingSuccess("service reviews")
        for (version, sidecar, workload) in ports {
            let name = "reviews-\(version)-1"
            let spec: JSONValue = [
                "cluster": "dev", "address": "127.0.0.1", "ports": ["http": .integer(Int64(sidecar))],
                "version": .string(version),
                "sidecar": ["proxy": .string(name), "workloadPorts": ["http": .integer(Int64(workload))]],
            ]
            try await api.put("\(services)/reviews/endpoints/\(name)", ["spec": spec])
                .expectingSuccess("endpoint \(name)")
        }
    }

    /// The path of an object in the mesh's namespace, for example `releases/reviews-v2`.
    package func object(_ relative: String) -> String { "\(path)/namespaces/\(Self.namespace)/\(relative)" }

    /// Whether all sidecars are connected and have acknowledged all that they asked for.
    ///
    /// - Parameters:
    ///   - revision: of the mesh, that they must have at least.
    ///   - replica: the server that is asked; by default the one that the mesh was made on.
    package func isInStep(atLeast revision: Int64 = 0, accordingTo replica: APIClient? = nil) async throws -> Bool {
        let proxies = try await (replica ?? api).get("\(path)/proxies").body["items"]?.arrayValue ?? []
        return proxies.count == sidecars.count
            && proxies.allSatisfy { proxy in
                let types = proxy["types"]?.objectValue ?? [:]
                return proxy["connected"] == true && (proxy["revision"]?.integerValue ?? -1) >= revision
                    && !types.isEmpty && types.values.allSatisfy { $0["state"] == "synced" }
            }
    }

    /// Requests to `reviews` through the caller's sidecar.
    package func load(
        host: String = "reviews", path: String = "/", headers: [(String, String)] = [], perSecond: Int = 200
    )
        -> Load
    {
        Load(proxy: caller.httpProxyPort, host: host, path: path, headers: headers, perSecond: perSecond)
    }
}
