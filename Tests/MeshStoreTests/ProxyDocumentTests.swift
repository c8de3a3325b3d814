import Documents
import MeshCore
import MeshStore
import Testing

/// What stands in the database, and what replicas of another version have written.
@Suite("The documents of a proxy's row")
struct ProxyDocumentTests {
    private static let version = "5f6070a4dbe8fe4af0cf35144f913044"

    @Test("what another version has written is read, and written again as it was")
    func others() throws {
        let synced: JSONValue = [
            "state": "synced", "sentVersion": .string(Self.version), "ackedVersion": .string(Self.version),
        ]
        let rejected: JSONValue = [
            "state": "rejected", "sentVersion": .string(Self.version), "ackedVersion": "", "error": "Envoy's words",
            "rejections": [
                [
                    "resource": "http_proxy",
                    "object": ["kind": "VirtualService", "namespace": "shop", "name": "reviews"],
                    "pointer": "/spec/http/0", "message": "bad", "since": "1970-01-01T00:00:01.000000Z",
                ],
                ["message": "also bad", "since": "1970-01-01T00:00:02.000000Z"],
            ],
        ]
        for types: JSONValue in [[:], ["CDS": synced], ["CDS": synced, "RDS": rejected]] {
            #expect([String: ProxyTypeStatus](types).json == types)
        }
        for client: JSONValue in [
            ["kind": "envoy", "service": "reviews", "httpProxyPort": 18_190], ["kind": "grpc", "service": "reviews"],
        ] {
            #expect(ProxyClient(client)?.json == client)
        }
        #expect(ProxyClient([:]) == nil, "before it was stored")
    }

    @Test("what is nonsense is not guessed at, and hides nothing else")
    func nonsense() {
        for client: JSONValue in [
            nil, [], ["kind": "envoy"], ["kind": "envoy", "service": "caller"], ["service": "caller"],
            ["kind": "envoy", "service": "caller", "httpProxyPort": 0],
            ["kind": "envoy", "service": "caller", "httpProxyPort": 99_999_999_999],
            ["kind": "envoy", "service": "NOT A NAME", "httpProxyPort": 1], ["kind": "other", "service": "caller"],
        ] {
            #expect(ProxyClient(client) == nil, "\(client)")
        }
        for types: JSONValue in [nil, 1, "x", [], ["CDS": 1], ["CDS": ["state": "other"]]] {
            #expect([String: ProxyTypeStatus](types).isEmpty, "\(types)")
        }
        let types = [String: ProxyTypeStatus](["CDS": ["state": "stale", "rejections": 1], "RDS": []])
        #expect(types == ["CDS": ProxyTypeStatus(state: .stale)])
    }

    @Test("rejections are read in the order of types; what cannot be read of them is left out")
    func rejections() {
        let name = NamespacedName(namespace: .shop, name: name("reviews"))
        let full = ProxyRejection(
            resource: "http_proxy", object: .init(kind: "VirtualService", name: name), pointer: "/spec/http/0",
            message: "bad \u{2615}", since: Timestamp(microseconds: 1_000_000))
        let bare = ProxyRejection(
            resource: nil, object: nil, pointer: nil, message: "", since: Timestamp(microseconds: 0))
        let types = [String: ProxyTypeStatus]([
            "RDS": ["state": "rejected", "rejections": [full.json]],
            "CDS": ["state": "rejected", "rejections": [bare.json, 1, [:], "x", nil]],
        ])
        #expect(types.rejections == [bare, full])
        var foreign = full.json
        foreign = foreign.objectValue.map { .object($0.merging(["object": ["kind": "Nonsense"]]) { $1 }) } ?? foreign
        #expect(ProxyRejection(foreign)?.object == nil)
        #expect(full.place == "VirtualService shop/reviews at /spec/http/0" && bare.place == nil)
    }
}
