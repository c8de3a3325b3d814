import Documents
import Foundation
import MeshCore
import MeshFixtures
import Testing

@testable import EnvoyConfig

@Suite("A bootstrap says who the sidecar is and where its configuration comes from")
struct BootstrapTests {
    private static func bootstrap(_ server: Bootstrap.Server, _ variant: Bootstrap.Variant) throws -> Bootstrap {
        let workload = LayerID.Workload(
            namespace: try MeshDocument.name("shop"), service: try MeshDocument.name("productpage"),
            proxy: try MeshDocument.name("productpage-1"), httpProxyPort: 15_080)
        return Bootstrap(
            workload: workload, mesh: MeshKey(tenant: try MeshDocument.name("acme"), mesh: .defaultMesh),
            cluster: try MeshDocument.name("dev"), adminPort: 15_000, server: server, token: "a-token", variant: variant
        )
    }

    /// The goldens, whose names ``EncoderGoldenTests`` asks for too.
    static let cases: [(name: String, server: Bootstrap.Server, variant: Bootstrap.Variant)] = [
        ("plaintext", .init(host: "127.0.0.1", port: 15_010), .delta),
        ("tls", .init(host: "sluice.example", port: 15_012, trustedCertificates: "-----BEGIN…"), .sotw),
    ]

    @Test(arguments: cases)
    func isAsBefore(_ name: String, _ server: Bootstrap.Server, _ variant: Bootstrap.Variant) throws {
        let document = try JSONValue(json: Data(Self.bootstrap(server, variant).json.utf8))
        let golden = Golden(Golden.tests.appending(path: "EnvoyConfigTests/Golden/bootstrap"))
        try golden.expect(GoldenYAML.data(document), in: "\(name).yaml")
    }

    @Test func theNodeIsNamedAsInIstio() throws {
        let bootstrap = try Self.bootstrap(.init(host: "127.0.0.1", port: 1), .delta)
        #expect(bootstrap.nodeID == "sidecar~127.0.0.1~productpage-1.shop~shop.svc.cluster.local")
    }
}
