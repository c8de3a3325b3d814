import MeshCompiler
import MeshCore
import MeshModel
import Testing

@Suite("Names of clusters")
struct ClusterNameTests {
    @Test("are read as they are written")
    func roundTrip() throws {
        let service = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("reviews")))
        for host in [Host.service(service), .external("api.example.com", of: service.namespace)] {
            for version in [nil, Name("v1")] {
                let name = IR.ClusterName(host: host, port: 9080, version: version)
                let read = try #require(IR.ClusterName(name.text))
                #expect((read.host, read.port, read.version) == (host, 9080, version))
            }
        }
    }

    @Test(
        "are nothing else",
        arguments: [
            "", "outbound", "|||", "outbound|9080|v1|reviews", "outbound|9080|v1|reviews.shop", "inbound|9080||",
            "outbound|0|v1|reviews.shop.svc.cluster.local", "outbound|65536|v1|reviews.shop.svc.cluster.local",
            "outbound|09080|v1|reviews.shop.svc.cluster.local", "outbound|9080|V1|reviews.shop.svc.cluster.local",
            "outbound|80||shop/", "outbound|80||/a.b", "outbound|80||shop/a", "outbound|80||shop/a.svc.cluster.local",
            "outbound|80||shop/a/b.c", "outbound|80||Shop/a.b", "outbound|80||api.example.com",
            "outbound|9080|v1|reviews.shop.svc.cluster.local|", "outbound|9080|v1|reviews.shop.svc.cluster.local ",
        ])
    func others(_ text: String) { #expect(IR.ClusterName(text) == nil) }
}
