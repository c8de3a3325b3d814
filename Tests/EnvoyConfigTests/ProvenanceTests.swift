import EnvoyConfig
import Foundation
import MeshCompiler
import MeshFixtures
import MeshModel
import Testing

@Suite("What a proxy refuses is traced to the objects behind it")
struct ProvenanceTests {
    private static let mesh = MeshKey(tenant: .defaultMesh, mesh: .defaultMesh)

    private static func sources(_ type: ResourceType, _ name: String, _ message: String) throws -> [String] {
        let golden = try #require(Golden.meshes.first { $0.name == "seed-typical" })
        let compiler = Compiler(try MeshDocument.read(golden.input("mesh.json")))
        var encoder = ConfigEncoder()
        _ = encoder.update(EncoderGoldenTests.everything(in: compiler), of: compiler)
        return encoder.sources(of: type, named: name, rejectedWith: message, in: compiler, mesh: mesh)
            .map { "\($0.kind.rawValue) \($0.name)" }
    }

    @Test(arguments: [
        (ResourceType.cluster, "outbound|9080|v1|reviews.shop.svc.cluster.local", "", ["Service reviews"]),
        (.endpoints, "outbound|9080||reviews.shop.svc.cluster.local", "", ["Service reviews"]),
        (.cluster, "outbound|9080||gone.shop.svc.cluster.local", "", []),
        (.cluster, "nonsense", "", []),
        (
            .routes, "http_proxy", "virtual host 'reviews.shop.svc.cluster.local:9080' is bad",
            ["VirtualService reviews-route"]
        ),
        (.routes, "http_proxy", "regex '^(.*?;)?(user=jason)(;.*)?' is too large", ["VirtualService reviews-route"]),
        (.routes, "http_proxy", "something else", []),
    ])
    func isFound(_ type: ResourceType, _ name: String, _ message: String, _ expected: [String]) throws {
        #expect(try Self.sources(type, name, message) == expected)
    }
}
