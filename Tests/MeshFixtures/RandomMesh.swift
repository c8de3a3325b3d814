internal import Documents
internal import GrayRelease
internal import MeshCore
package import MeshModel
internal import TestSupport

/// A small mesh that changes at random, in ways that meet: services come and go under rules, releases and endpoints.
package struct RandomMesh {
    package private(set) var state: MeshState
    private var random: SeededGenerator

    package init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        state = try MeshDocument.read([:])
    }

    private static let names = ["a", "b", "c"]
    private static let namespaces = ["x", "y"]
    private static let versions = ["v1", "v2", "v3"]

    /// Changes one to three things.
    package mutating func step() throws -> MeshChange {
        var change = MeshChange()
        state.revision += 1
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let name = try self.name()
            switch Int.random(in: 0..<23, using: &random) {
            case 0..<4:
                state.services[name] = chance(1, of: 4) ? nil : try service()
                change.services.insert(name)
            case 4..<9:
                let endpoint = try MeshDocument.name("e\(Int.random(in: 0...3, using: &random))")
                state.endpoints[name, default: [:]][endpoint] = chance(1, of: 4) ? nil : try self.endpoint()
                if state.endpoints[name]?.isEmpty == true { state.endpoints[name] = nil }
                change.endpoints.insert(name)
            case 9..<14:
                state.virtualServices[name] = chance(1, of: 4) ? nil : try rules()
                change.virtualServices.insert(name)
            case 20..<23:
                state.destinationRules[name] = chance(1, of: 4) ? nil : try policies()
                change.destinationRules.insert(name)
            case 14..<19:
                state.releases[name] = chance(1, of: 3) ? nil : try release()
                change.releases.insert(name)
            default:
                state.enabledClusters = chance(1, of: 4) ? [] : [try MeshDocument.name("dev")]
                change.everything = true
            }
        }
        return change
    }

    private mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &random) < part
    }

    private mutating func pick(_ texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &random)] }

    private mutating func name() throws -> NamespacedName {
        try MeshDocument.namespaced("\(pick(Self.namespaces))/\(pick(Self.names))")
    }

    private mutating func host() -> JSONValue {
        let name = pick(Self.names)
        return .string(chance(1, of: 2) ? name : "\(name).\(pick(Self.namespaces))")
    }

    private mutating func service() throws -> MeshState.Service {
        let port: JSONValue = ["name": "http", "port": .integer(chance(1, of: 4) ? 81 : 80), "protocol": "HTTP"]
        let versions = Self.versions.filter { _ in chance(3, of: 4) }
        let spec: ServiceSpec = try MeshDocument.spec(
            ["ports": [port], "versions": .array(versions.map { ["name": .string($0)] })])
        var status = ServiceStatus()
        if chance(1, of: 3) {
            status.stableVersion = Name("v2")
            status.promotions = [.init(from: try MeshDocument.name("v1"))]
        }
        return MeshState.Service(spec: spec, status: status, revision: state.revision)
    }

    private mutating func endpoint() throws -> MeshState.Endpoint {
        let spec: JSONValue = [
            "cluster": "dev", "address": .string("10.0.0.\(Int.random(in: 1...3, using: &random))"),
            "version": .string(pick(Self.versions)), "health": .string(pick(["healthy", "draining", "unhealthy"])),
            "locality": .string(pick(["", "north", "north/1"])), "weight": .integer(.random(in: 1...2, using: &random)),
            "sidecar": [
                "proxy": .string("p\(Int.random(in: 0...2, using: &random))"),
                "workloadPorts": ["http": chance(1, of: 4) ? 8081 : 8080],
            ],
        ]
        return try MeshDocument.endpoint(spec, createTime: Int64.random(in: 0...3, using: &random))
    }

    private mutating func rules() throws -> MeshState.Rules {
        let weight = Int64.random(in: 0...100, using: &random)
        let route: JSONValue = [
            ["destination": ["host": host(), "subset": .string(pick(Self.versions))], "weight": .integer(weight)],
            ["destination": ["host": host()], "weight": .integer(100 - weight)],
        ]
        let spec: VirtualServiceSpec = try MeshDocument.spec([
            "hosts": [host()],
            "http": [
                ["match": [["uri": ["prefix": "/a"]]], "route": route, "mirror": ["host": host()]], ["route": route],
            ],
        ])
        return MeshState.Rules(
            spec: spec, revision: state.revision,
            createTime: Timestamp(microseconds: Int64.random(in: 0...3, using: &random)))
    }

    private mutating func policies() throws -> MeshState.Policies {
        let loadBalancer: JSONValue =
            chance(1, of: 2)
            ? ["simple": "RANDOM"] : ["consistentHash": ["httpHeaderName": .string(pick(["x-user", "x-cart"]))]]
        let atPort: JSONValue = [["port": ["number": 80], "loadBalancer": loadBalancer]]
        let balanced: JSONValue =
            chance(1, of: 2) ? ["loadBalancer": loadBalancer] : ["portLevelSettings": atPort]
        let detecting: JSONValue = [
            "outlierDetection": ["consecutive5xxErrors": .integer(.random(in: 0...2, using: &random))]
        ]
        let isOfSubset = chance(1, of: 2)
        let spec: DestinationRuleSpec = try MeshDocument.spec([
            "host": host(), "trafficPolicy": isOfSubset ? detecting : balanced,
            "subsets": [
                ["name": .string(pick(Self.versions)), "trafficPolicy": isOfSubset ? balanced : detecting]
            ],
        ])
        return MeshState.Policies(
            spec: spec, createTime: Timestamp(microseconds: Int64.random(in: 0...3, using: &random)))
    }

    private mutating func release() throws -> ReleaseTraffic {
        ReleaseTraffic(
            service: try name(), port: 80, stable: try MeshDocument.name(pick(Self.versions)),
            canary: try MeshDocument.name(pick(Self.versions)),
            canaryShare: TrafficShare(basisPoints: Int64.random(in: 0...3, using: &random) * 2500) ?? .none)
    }
}
