import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Hosts name services in short and in full")
struct HostNameTests {
    @Test(arguments: [
        ("reviews", "shop/reviews"), ("reviews.ops", "ops/reviews"), ("reviews.ops.svc", "ops/reviews"),
        ("reviews.ops.svc.cluster.local", "ops/reviews"), ("reviews.ops.svc.cluster.local.", "ops/reviews"),
        ("reviews.ops.", "ops/reviews"), ("reviews.", "shop/reviews"),
    ])
    func service(_ host: String, _ expected: String) throws {
        #expect(HostName.service(host, from: try MeshDocument.name("shop"))?.description == expected)
    }

    @Test(arguments: [
        "", ".", "..", "a..", ".a", "a.b.c", "a.b.svc.other", "a.b.svc.cluster.local..", "a.:80", "A", "a:80",
        "1.2.3.4", "*.a",
    ])
    func noService(_ host: String) throws {
        #expect(HostName.service(host, from: try MeshDocument.name("shop")) == nil)
    }

    @Test(arguments: [
        ("a", "a"), ("a.", "a"), ("a.:80", "a:80"), ("a.b.:80", "a.b:80"), ("a:80", "a:80"), ("a..", "a."), (".", ""),
        ("", ""), (":80", ":80"), ("a:80.", "a:80."),
    ])
    func theDotThatMakesANameAbsoluteIsLeftOut(_ host: String, _ expected: String) {
        #expect(HostName.relative(host) == expected)
    }

    @Test func fullNamesAreRead() throws {
        let name = try MeshDocument.namespaced("shop/reviews")
        #expect(HostName.full(name) == "reviews.shop.svc.cluster.local")
        #expect(HostName.service(HostName.full(name), from: try MeshDocument.name("else")) == name)
    }
}
