import GrayRelease
import MeshCore
import Testing

@Suite("What a release says of a refusal that stops it")
struct RejectionTests {
    private static func name(_ text: String) throws -> Name { try #require(Name(text)) }

    private static func detail(_ object: String?, _ pointer: String?) throws -> ProxyRejection {
        let shop = try name("shop")
        let name = try object.map { NamespacedName(namespace: shop, name: try Self.name($0)) }
        return ProxyRejection(
            resource: "http_proxy", object: name.map { .init(kind: "VirtualService", name: $0) }, pointer: pointer,
            message: "bad", since: Timestamp(microseconds: 0))
    }

    @Test("names the objects and places that are known, each once, and at most three")
    func places() throws {
        func text(_ details: [ProxyRejection]) -> String {
            ReleaseObservations.Rejection(proxy: "p", revision: 7, message: "Envoy's words", details: details)
                .description
        }
        #expect(text([]) == "p rejected revision 7: Envoy's words")
        #expect(text([try Self.detail(nil, nil)]) == "p rejected revision 7: Envoy's words")
        #expect(
            text([try Self.detail("reviews", "/spec/http/0"), try Self.detail("reviews", "/spec/http/0")])
                == "p rejected revision 7 because of VirtualService shop/reviews at /spec/http/0: Envoy's words")
        let many = try (1...9).map { try Self.detail("v\($0)", "") }
        #expect(
            text(many)
                == "p rejected revision 7 because of VirtualService shop/v1, VirtualService shop/v2, VirtualService shop/v3: Envoy's words"
        )
    }
}
