import Documents
import MeshControl
import MeshCore
import MeshStore
import Testing

@testable import MeshAPI

@Suite("What proxies refuse, as the API tells it")
struct RefusalTests {
    private static let path = Fixture.shop + "/virtualServices/reviews"
    private static let rules: JSONValue = [
        "spec": ["hosts": ["reviews"], "http": [["route": [["destination": ["host": "reviews"]]]]]]
    ]

    private static func row(_ proxy: String, refusing: Bool) throws -> ProxyRow {
        let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
        let shop = try #require(Name("shop"))
        let rejection = ProxyRejection(
            resource: "http_proxy",
            object: .init(
                kind: "VirtualService", name: NamespacedName(namespace: shop, name: try #require(Name("reviews")))),
            pointer: "/spec/http/0/route", message: "Envoy's \"words\"", since: Timestamp(microseconds: 1_000_000))
        return ProxyRow(
            mesh: mesh, name: NamespacedName(namespace: shop, name: try #require(Name(proxy))), replica: "r",
            connected: true, connectedAt: Timestamp(microseconds: 0), ackedRevision: 1,
            rejectedRevision: refusing ? 4 : nil, rejectedMessage: refusing ? rejection.message : nil,
            types: ["RDS": ProxyTypeStatus(state: .rejected, rejections: refusing ? [rejection] : [])],
            client: ProxyClient(.envoy(httpProxyPort: 15_080), service: try #require(Name("productpage"))))
    }

    @Test("stands in the proxy, and as a condition of the object while there is one; tags tell the answers apart")
    func condition() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Self.path, Self.rules).status == 201)
            let accepted = try await api.get(Self.path)
            #expect(accepted.body["status"]?["conditions"]?.arrayValue?.map { $0["status"] } == ["True"])

            try await api.control.store.heartbeat("r")
            try await api.control.store.report([
                try Self.row("a", refusing: true), try Self.row("b", refusing: false),
            ])
            let refused = try await api.get(Self.path, ["If-None-Match": accepted.tag])
            #expect(refused.status == 200, "the client must hear of it")
            let expected: JSONValue = [
                "type": "Accepted", "status": "False", "reason": "ProxyRejected",
                "message": "1 of 2 proxies rejects /spec/http/0/route: Envoy's \"words\"",
                "lastTransitionTime": "1970-01-01T00:00:01.000000Z",
            ]
            #expect(refused.body["status"]?["conditions"] == [expected])
            #expect(refused.tag != accepted.tag)
            #expect(
                try await api.get(Fixture.shop + "/services/reviews").body["status"]?["conditions"]?.arrayValue?
                    .map { $0["status"] } == ["True"], "nobody refuses the service")

            let proxies = try await api.get(Fixture.mesh + "/proxies").body["items"]?.arrayValue
            let rejection = proxies?.first?["types"]?["RDS"]?["rejections"]?.arrayValue?.first
            #expect(rejection?["object"] == ["kind": "VirtualService", "namespace": "shop", "name": "reviews"])
            #expect(rejection?["pointer"] == "/spec/http/0/route")
            #expect(proxies?.map { $0["client"]?["service"] } == ["productpage", "productpage"])
            #expect(try await api.get(Fixture.mesh + "/proxies/a").body["types"] == proxies?.first?["types"])

            try await api.control.store.report([try Self.row("a", refusing: false)])
            #expect(try await api.get(Self.path, ["If-None-Match": refused.tag]).status == 200)
            #expect(try await api.get(Self.path, ["If-None-Match": accepted.tag]).status == 304)
            #expect(try await api.get(Self.path).body["status"] == accepted.body["status"])
            #expect(
                try await api.send("PUT", Self.path, Self.rules, ["If-Match": refused.tag]).status == 200,
                "for writes, the tags are equal")
        }
    }
}
