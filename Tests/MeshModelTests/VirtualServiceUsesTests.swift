import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Where rules send requests to a service")
struct VirtualServiceUsesTests {
    private static func uses(_ spec: JSONValue, of service: String, from namespace: String = "shop") throws -> [String]
    {
        let spec: VirtualServiceSpec = try MeshDocument.spec(spec)
        return spec.uses(of: try MeshDocument.namespaced(service), from: try MeshDocument.name(namespace)).map {
            "\($0.pointer) \($0.version?.text ?? "-")"
        }
    }

    private static let rules: JSONValue = [
        "hosts": ["cart", "reviews"],
        "http": [
            [
                "route": [
                    ["destination": ["host": "reviews", "subset": "v1"], "weight": 50],
                    ["destination": ["host": "reviews.shop.svc.cluster.local"], "weight": 20],
                    ["destination": ["host": "reviews.other", "subset": "v2"], "weight": 30],
                ],
                "mirror": ["host": "reviews", "subset": "v3"],
            ],
            ["redirect": ["uri": "/"]],
            ["route": [["destination": ["host": "v4"]]]],
        ],
    ]

    @Test("in whatever form the host is written, mirrors and the early spelling included")
    func forms() throws {
        #expect(
            try Self.uses(Self.rules, of: "shop/reviews") == [
                "/spec/http/0/route/0/destination v1", "/spec/http/0/route/1/destination -", "/spec/http/0/mirror v3",
                "/spec/http/2/route/0/destination v4",
            ])
        #expect(try Self.uses(Self.rules, of: "other/reviews") == ["/spec/http/0/route/2/destination v2"])
        #expect(try Self.uses(Self.rules, of: "shop/ratings") == [])
        #expect(try Self.uses(Self.rules, of: "shop/reviews", from: "other") == ["/spec/http/0/route/1/destination -"])
    }
}
