import Documents
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Endpoints become the members of their service's clusters")
struct EndpointPassTests {
    private static func compiler(_ endpoints: JSONValue, ports: [Int64] = [80], clusters: [JSONValue] = ["dev"]) throws
        -> Compiler
    {
        Compiler(
            try MeshDocument.read([
                "enabledClusters": .array(clusters),
                "services": [
                    "shop/reviews": [
                        "spec": [
                            "ports": .array(ports.map { ["name": .string("p\($0)"), "port": .integer($0)] }),
                            "versions": [["name": "v1"], ["name": "v2"]],
                        ]
                    ]
                ], "endpoints": ["shop/reviews": endpoints],
            ]))
    }

    private static func endpoint(_ address: String, _ changes: [String: JSONValue] = [:]) -> JSONValue {
        .object(["cluster": "dev", "address": .string(address)].merging(changes) { $1 })
    }

    /// `port version: addresses` of each cluster.
    private static func members(_ compiler: Compiler) throws -> [String] {
        compiler.endpoints(of: .service(try MeshDocument.namespaced("shop/reviews"))).map { cluster in
            let addresses = cluster.localities.flatMap(\.endpoints).map {
                "\($0.address):\($0.port)\($0.isDraining ? "-" : "")"
            }
            return
                "\(cluster.cluster.port) \(cluster.cluster.version?.text ?? "-"): \(addresses.joined(separator: " "))"
        }
    }

    private static func told(_ compiler: Compiler) -> [String] {
        compiler.diagnostics.map { "\($0.object.name) \($0.pointer) \($0.code)" }
    }

    @Test("of the whole and of their version, where they are healthy or drain, and on a cluster of the mesh")
    func members() throws {
        let compiler = try Self.compiler([
            "a": Self.endpoint("10.0.0.1", ["version": "v1"]),
            "b": Self.endpoint("10.0.0.2", ["version": "v2", "health": "draining"]),
            "c": Self.endpoint("10.0.0.3", ["version": "v1", "health": "unhealthy"]), "d": Self.endpoint("10.0.0.4"),
            "e": Self.endpoint("10.0.0.5", ["cluster": "far"]),
            "f": Self.endpoint("10.0.0.6", ["ports": ["p80": 8080]]),
        ])
        #expect(
            try Self.members(compiler) == [
                "80 -: 10.0.0.1:80 10.0.0.2:80- 10.0.0.4:80 10.0.0.6:8080", "80 v1: 10.0.0.1:80", "80 v2: 10.0.0.2:80-",
            ])
        #expect(Self.told(compiler) == [])
    }

    @Test("of two at one place the older counts, and the other is told once, whatever it is part of")
    func duplicates() throws {
        for version in [nil, "v1"] as [JSONValue?] {
            let changes = version.map { ["version": $0] } ?? [:]
            let compiler = try Self.compiler([
                "a": Self.endpoint("10.0.0.1", changes.merging(["createTime": 2]) { $1 }),
                "b": Self.endpoint("10.0.0.1", changes.merging(["createTime": 1]) { $1 }),
                "c": Self.endpoint("10.0.0.1", changes.merging(["createTime": 1, "ports": ["p80": 81]]) { $1 }),
            ])
            #expect(Self.told(compiler) == ["a /spec/address duplicateAddress"], "\(version ?? "none")")
            #expect(try Self.members(compiler).first == "80 -: 10.0.0.1:80 10.0.0.1:81")
        }
        // At two ports it is told of both, as they are two places.
        let both = try Self.compiler(
            ["a": Self.endpoint("10.0.0.1"), "b": Self.endpoint("10.0.0.1")], ports: [80, 81])
        #expect(Self.told(both) == ["b /spec/address duplicateAddress", "b /spec/address duplicateAddress"])
        let unhealthy = try Self.compiler([
            "a": Self.endpoint("10.0.0.1", ["health": "unhealthy"]), "b": Self.endpoint("10.0.0.1"),
        ])
        #expect(Self.told(unhealthy) == [], "who is not sent anything is in nobody's way")
    }

    @Test("one of a version that is not there is one of the whole, and is told")
    func unknownVersions() throws {
        let compiler = try Self.compiler(["a": Self.endpoint("10.0.0.1", ["version": "v9"])])
        #expect(Self.told(compiler) == ["a /spec/version unknownReference"])
        #expect(try Self.members(compiler) == ["80 -: 10.0.0.1:80", "80 v1: ", "80 v2: "])
        let orphans = Compiler(try MeshDocument.read(["endpoints": ["shop/none": ["a": Self.endpoint("10.0.0.1")]]]))
        #expect(Self.told(orphans) == ["a  unknownReference"])
    }
}
