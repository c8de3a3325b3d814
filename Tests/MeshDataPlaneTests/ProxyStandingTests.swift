import MeshCore
import MeshStore
import Testing

@testable import MeshDataPlane
@testable import XDSServer

@Suite("What a stream reports, in the words of the mesh")
struct ProxyStandingTests {
    private static func service(_ name: String) throws -> NamespacedName {
        NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(name)))
    }

    private static func standing(
        routes: [String]? = [], _ lacking: [(ResourceType, [String]?)] = []
    ) -> ProxyStanding {
        let types = lacking.map { type, names in
            TypeReport(type: type, state: .rejected, sentVersion: "", ackedVersion: "", lacking: names)
        }
        return ProxyStanding(
            ProxyReport(
                proxy: "p", view: ViewID("v"), isConnected: true, ackedRevision: 1, types: types, answeredRevision: 7,
                firstRevision: 3, routes: routes, peer: "10.0.0.1"))
    }

    @Test("the one table of Envoys has everybody's routes; gRPC clients have those of the services that they ask for")
    func routed() throws {
        let standing = Self.standing(routes: ["http_proxy"])
        #expect(standing.routed == nil)
        #expect((standing.firstRevision, standing.answeredRevision, standing.peer) == (3, 7, "10.0.0.1"))
        #expect(Self.standing(routes: nil).routed == nil, "too many to be told")
        #expect(Self.standing().routed == [])
        let names = ["reviews.shop:9080", "cart.shop:80", "reviews.shop:9081", "", "x", ":", "a.b.c:1", "reviews:9080"]
        #expect(Self.standing(routes: names).routed == [try Self.service("cart"), try Self.service("reviews")])
    }

    @Test("what is refused is a service's, everybody's, or nobody's")
    func refused() throws {
        let reviews = try Self.service("reviews")
        let cluster = "outbound|9080|v1|reviews.shop.svc.cluster.local"
        for (type, names, parts) in [
            (.cluster, [cluster, "inbound|9080", "x"], [.clusters(of: reviews)]),
            (.endpoint, [cluster], [.clusters(of: reviews)]), (.route, ["http_proxy"], [.everything]),
            (.route, ["reviews.shop:9080"], [.routes(of: reviews)]), (.cluster, nil, [.everything]),
            (.listener, ["inbound"], []), (.secret, nil, []),
        ] as [(ResourceType, [String]?, Set<RefusedPart>)] {
            #expect(Self.standing([(type, names)]).refused == parts, "\(type) \(names ?? [])")
        }
    }
}
