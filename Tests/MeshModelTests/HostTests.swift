import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("A host is a service's, or one that a namespace has defined")
struct HostTests {
    private static func service(_ text: String) throws -> Host { .service(try MeshDocument.namespaced(text)) }

    private static func external(_ text: String, _ namespace: String) throws -> Host {
        .external(text, of: try MeshDocument.name(namespace))
    }

    @Test("what names one without doubt is read as it was written, and nothing else is")
    func unambiguous() throws {
        let pairs = [
            (try Self.service("shop/reviews"), "reviews.shop.svc.cluster.local"),
            (try Self.external("api.example.com", "shop"), "shop/api.example.com"),
            (try Self.external("reviews.shop", "ops"), "ops/reviews.shop"),
        ]
        for (host, text) in pairs {
            #expect(host.unambiguous == text)
            #expect(Host(unambiguous: text) == host)
        }
        for text in [
            "", "reviews", "reviews.shop", "reviews.shop.svc", "api.example.com", "shop/api", "shop/",
            "/api.example.com",
            "Shop/api.example.com", "shop/API.example.com", "shop/a..b", "shop/10.0.0.1", "shop/a.b/c",
            "shop/reviews.shop.svc.cluster.local", "a.b.c.svc.cluster.local", ".shop.svc.cluster.local",
        ] { #expect(Host(unambiguous: text) == nil, "\(text)") }
    }

    @Test("services come before others, by namespace and name; others by name and namespace")
    func order() throws {
        let ordered = [
            try Self.service("ops/z"), try Self.service("shop/a"), try Self.service("shop/b"),
            try Self.external("a.example.com", "ops"), try Self.external("a.example.com", "shop"),
            try Self.external("b.example.com", "ops"),
        ]
        #expect(ordered.reversed().sorted() == ordered)
        #expect(ordered.shuffled().sorted() == ordered)
        let (a, b) = (try MeshDocument.namespaced("shop/a"), try MeshDocument.namespaced("shop/b"))
        let (x, y) = (try MeshDocument.name("x"), try MeshDocument.name("y"))
        let objects = [
            ObjectName(a), ObjectName(a, child: x), ObjectName(a, child: y), ObjectName(b), ObjectName(b, child: x),
        ]
        #expect(objects.reversed().sorted() == objects)
        #expect(!(objects[0] < objects[0]))
    }

    @Test("who says something about a text mentions the service and the name that it may mean")
    func mentions() throws {
        let shop = try MeshDocument.name("shop")
        let rows: [(text: String, mentions: [Mention])] = [
            ("reviews", [.service(try MeshDocument.namespaced("shop/reviews"))]),
            ("reviews.ops", [.service(try MeshDocument.namespaced("ops/reviews")), .name("reviews.ops")]),
            ("reviews.ops.", [.service(try MeshDocument.namespaced("ops/reviews")), .name("reviews.ops")]),
            ("reviews.ops.svc.cluster.local", [.service(try MeshDocument.namespaced("ops/reviews"))]),
            ("api.example.com", [.name("api.example.com")]),
        ]
        for row in rows { #expect(Mention.host(row.text, from: shop) == row.mentions, "\(row.text)") }
    }

    @Test("that there is none is said of the service, and of the other host that may have been meant")
    func absences() throws {
        let reviews = try Self.service("ops/reviews")
        let plain = "there is no service reviews in namespace ops"
        let both = plain + ", and no ServiceEntry with the host reviews.ops"
        #expect(reviews.absence(named: "reviews") == plain)
        #expect(reviews.absence(named: "reviews.ops") == both)
        #expect(reviews.absence(named: "reviews.ops.") == both)
        #expect(reviews.absence(named: "reviews.ops.svc") == plain)
        #expect(reviews.absence(named: "reviews.ops.svc.cluster.local") == plain)
        #expect(
            try Self.external("api.example.com", "shop").absence(named: "api.example.com")
                == "there is no ServiceEntry that namespace shop sees with the host api.example.com")
    }
}
