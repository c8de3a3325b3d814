internal import Documents
internal import GrayRelease
internal import MeshCore
internal import MeshLab
internal import MeshModel

/// The mesh of the budgets: 1000 services of one HTTP port with 10 endpoints each; every tenth has rules of its own.
enum LargeMesh {
    static let services = 1000
    static let endpoints = 10

    static func serviceName(_ index: Int) -> String { "service-\(index)" }

    static let service: JSONValue = ["ports": [["name": "http", "port": 8080, "protocol": "HTTP"]]]

    /// - Parameters:
    ///   - weight: something to change.
    ///   - proxy: the name of its sidecar, if there is one.
    static func endpoint(_ service: Int, _ index: Int, weight: Int = 1, proxy: String? = nil) -> JSONValue {
        .fields([
            "cluster": "dev", "address": .string("10.\(service / 250).\(service % 250).\(index + 1)"),
            "ports": ["http": 8080], "weight": .integer(Int64(weight)),
            "sidecar": proxy.map { ["proxy": .string($0), "workloadPorts": ["http": 9080]] },
        ])
    }

    static func hasRules(_ service: Int) -> Bool { service.isMultiple(of: 10) }

    /// - Parameter seconds: something to change.
    static func rules(_ service: Int, timeout seconds: Int = 5) -> JSONValue {
        let destination: JSONValue = [["destination": ["host": .string(serviceName(service))]]]
        return [
            "hosts": [.string(serviceName(service))],
            "http": [
                [
                    "match": [["uri": ["prefix": "/v2"], "headers": ["x-user": ["exact": "jason"]]]],
                    "rewrite": ["uri": "/"], "route": destination,
                ],
                ["route": destination, "timeout": .string("\(seconds)s"), "retries": ["attempts": 3]],
            ],
        ]
    }

    /// A destination rule.
    ///
    /// - Parameter connections: something to change.
    static func policy(_ service: Int, connections: Int) -> JSONValue {
        [
            "host": .string(serviceName(service)),
            "trafficPolicy": ["connectionPool": ["tcp": ["maxConnections": .integer(Int64(connections))]]],
        ]
    }

    /// The mesh as the compiler takes it.
    static func state() throws -> MeshState {
        var state = MeshState(mesh: MeshKey(tenant: try name("acme"), mesh: .defaultMesh), revision: 1)
        state.enabledClusters = [try name("dev")]
        for index in 0..<services {
            let key = try self.key(index)
            state.services[key] = MeshState.Service(spec: try read(service), status: ServiceStatus())
            for number in 0..<endpoints {
                state.endpoints[key, default: [:]][try name("e\(number)")] = MeshState.Endpoint(
                    spec: try read(endpoint(index, number)), createTime: Timestamp(microseconds: 0))
            }
            if hasRules(index) {
                state.virtualServices[key] = MeshState.Rules(
                    spec: try read(rules(index)), createTime: Timestamp(microseconds: 0))
            }
        }
        return state
    }

    static func key(_ index: Int) throws -> NamespacedName {
        NamespacedName(namespace: try name("shop"), name: try name(serviceName(index)))
    }

    static func name(_ text: String) throws -> Name {
        guard let name = Name(text) else { throw LabError("\(text) is no name") }
        return name
    }

    static func read<T: Document>(_ document: JSONValue) throws -> T {
        let log = ViolationLog()
        guard let spec = T.read(document, at: .root, log: log) else { throw LabError("\(document): \(log.violations)") }
        return spec
    }
}
