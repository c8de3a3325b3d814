import EnvoyConfig
import Foundation
import MeshCompiler
import MeshFixtures
import Testing

@Suite("The encoder turns a compiled mesh into Envoy's resources")
struct EncoderGoldenTests {
    @Test(arguments: Golden.meshes)
    func encodes(_ golden: Golden) throws {
        let state = try MeshDocument.read(golden.input("mesh.json"))
        let compiler = Compiler(state)
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        let here = Golden(Golden.tests.appending(path: "EnvoyConfigTests/Golden/\(golden.name)"))
        for (file, view) in try Self.views(of: golden.name) {
            let resources = encoder.resources(of: view)
            try here.expect(Self.json(resources), in: file)
            let other = Compiler(state.shuffled())
            var shuffled = ConfigEncoder()
            _ = shuffled.update(other.everything, of: other)
            #expect(shuffled.resources(of: view) == resources, "the result must not depend on the order of the input")
        }
    }

    /// What is looked at. Only few are interesting beyond what a sidecar of the namespace sees.
    private static func views(of name: String) throws -> [(file: String, view: LayerID)] {
        let shop = try MeshDocument.name("shop")
        var views = [("outbound.json", LayerID.outbound(namespace: shop))]
        if name == "inbound" {
            let workload = LayerID.Workload(
                namespace: shop, service: try MeshDocument.name("reviews"),
                proxy: try MeshDocument.name("reviews-v1-1"),
                httpProxyPort: 15_080)
            views = [("workload.json", .workload(workload)), ("sidecar.json", .sidecar(httpProxyPort: 15_080))]
        }
        if name == "one-sidecar-several-services" {
            let workload = LayerID.Workload(
                namespace: shop, service: try MeshDocument.name("web"), proxy: try MeshDocument.name("pod-1"),
                httpProxyPort: 15_080)
            views.append(("workload.json", .workload(workload)))
        }
        if name == "a-port-of-a-sidecar-taken-twice" {
            let workload = LayerID.Workload(
                namespace: shop, service: try MeshDocument.name("front"), proxy: try MeshDocument.name("wl-2"),
                httpProxyPort: 15_080)
            views.append(("workload.json", .workload(workload)))
        }
        if name == "service-entries" {
            for namespace in ["ops", "other"] {
                views.append(("outbound-\(namespace).json", .outbound(namespace: try MeshDocument.name(namespace))))
            }
            views.append(("proxyless.json", .proxyless(namespace: shop)))
        }
        if name == "policies" { views.append(("proxyless.json", .proxyless(namespace: shop))) }
        if name == "ports-and-namespaces" {
            views.append(("outbound-ops.json", .outbound(namespace: try MeshDocument.name("ops"))))
            views.append(("proxyless.json", .proxyless(namespace: shop)))
        }
        if name == "destination-rules" { views.append(("proxyless.json", .proxyless(namespace: shop))) }
        return views
    }

    private static func json(_ resources: ConfigSet) throws -> Data {
        var object: [String: Any] = [:]
        for (type, list) in resources where !list.isEmpty {
            object["\(type)"] = try list.map { try GoldenJSON.object($0, type) }
        }
        return try GoldenJSON.data(object)
    }
}
