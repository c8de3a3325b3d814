import Documents
import HTTPTypes
import MeshControl
import MeshCore
import MeshStore
import Testing

@testable import MeshAPI

@Suite("Previews of releases over HTTP")
struct ReleasePreviewTests {
    private static let preview = Fixture.shop + "/releases/r:preview"

    private static func withRelease(_ body: (Fixture) async throws -> Void) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            #expect(try await api.send("PUT", Fixture.shop + "/releases/r", Fixture.release).status == 201)
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let (shop, proxy) = (try #require(Name("shop")), try #require(Name("p")))
            try await api.control.store.report([
                ProxyRow(
                    mesh: mesh, name: NamespacedName(namespace: shop, name: proxy), replica: "r", connected: true,
                    connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:],
                    client: ProxyClient(.envoy(httpProxyPort: 15_080), service: proxy))
            ])
            try await body(api)
        }
    }

    @Test("tell the steps, with the routes of a proxy as a patch")
    func steps() async throws {
        try await Self.withRelease { api in
            let answer = try await api.send("POST", Self.preview, ["proxy": "p"])
            #expect(answer.status == 200, "\(answer.text)")
            let steps = answer.body["steps"]?.arrayValue ?? []
            #expect(steps.map { $0["kind"] } == ["start", "setWeight", "pause", "setWeight", "promotion"])
            #expect(
                steps.dropFirst().first?["routes"] == [
                    ["op": "replace", "path": "/http_proxy/virtual_hosts/2/step", "value": 0]
                ])
            #expect(steps.first?["routes"] == [])
            #expect(answer.body["unchangedWhile"]?["documents"]?.stringValue != nil)
            let empty = try await api.send("POST", Self.preview)
            #expect(empty.status == 200 && empty.body["proxy"] == "shop/p", "\(empty.text)")
        }
    }

    @Test(
        "of what is wrong are refused with pointers",
        arguments: [
            (
                ["spec": ["service": "reviews"]],
                ["/spec/stable required", "/spec/canary required", "/spec/strategy required"]
            ),
            (["spec": 1, "proxy": 2], ["/proxy wrongType", "/spec wrongType"]),
            (["proxy": "No"], ["/proxy invalidFormat"]),
            (["proxies": "p"], ["/proxies unknownField"]),
        ] as [(JSONValue, [String])])
    func refused(_ row: (body: JSONValue, errors: [String])) async throws {
        try await Self.withRelease { api in
            let answer = try await api.send("POST", Self.preview, row.body)
            #expect(
                (400..<500).contains(answer.status) && answer.errors.sorted() == row.errors.sorted(), "\(answer.text)")
        }
    }

    @Test("for a proxy or a release that is not there are not found")
    func missing() async throws {
        try await Self.withRelease { api in
            let proxy = try await api.send("POST", Self.preview, ["proxy": "none"])
            let release = try await api.send("POST", Fixture.shop + "/releases/none:preview", [:])
            #expect(proxy.status == 404 && release.status == 404)
        }
    }
}
