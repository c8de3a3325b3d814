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

    @Test(arguments: [
        ("plaintext", Bootstrap.Server(host: "127.0.0.1", port: 15_010), Bootstrap.Variant.delta),
        ("tls", Bootstrap.Server(host: "sluice.example", port: 15_012, trustedCertificates: "-----BEGIN…"), .sotw),
    ])
    func isAsBefore(_ name: String, _ server: Bootstrap.Server, _ variant: Bootstrap.Variant) throws {
        let document = try JSONSerialization.jsonObject(with: Data(try Self.bootstrap(server, variant).json.utf8))
        let golden = Golden(Golden.tests.appending(path: "EnvoyConfigTests/Golden/bootstrap"))
        try golden.expect(GoldenJSON.data(document), in: "\(name).json")
    }

    @Test func theNodeIsNamedAsInIstio() throws {
        let bootstrap = try Self.bootstrap(.init(host: "127.0.0.1", port: 1), .delta)
        #expect(bootstrap.nodeID == "sidecar~127.0.0.1~productpage-1.shop~shop.svc.cluster.local")
    }
}
