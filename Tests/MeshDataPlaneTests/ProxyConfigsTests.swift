import Documents
import MeshControl
import MeshCore
import MeshFeed
import MeshModel
import MeshStore
import StoreFixtures
import TestSupport
import Testing
import XDSServer

@testable import MeshDataPlane

/// What a replica that does not hold a proxy's stream says of it.
@Suite("What a proxy was sent, by a replica that it is not connected to")
struct ProxyConfigsTests {
    private static let mesh = MeshKey(tenant: name("acme"), mesh: .defaultMesh)
    private static let shop = name("shop")

    private static func name(_ text: String) -> Name {
        guard let name = Name(text) else { preconditionFailure("\(text) is no name") }
        return name
    }

    private static func put(_ key: ObjectKey, _ spec: JSONValue, in store: MeshStore) async throws {
        try await store.write(tenant: key.tenant, mesh: key.mesh, actor: "test", requestId: "r") { transaction in
            _ = try await transaction.put(key, metadata: ObjectLabels(), spec: spec, status: nil)
        }
    }

    private static func withConfigs(_ body: (ProxyConfigs, MeshStore) async throws -> Void) async throws {
        try await StoreFixture.run { fixture in
            let store = fixture.store
            try await put(.tenant(mesh.tenant), [:], in: store)
            try await putService(ports: [9080], in: store)
            let mirror = FeedReader(store: store, logger: quietLogger).mirror
            let configs = ProxyConfigs(store: store, mirror: mirror, snapshots: SnapshotStore(), listenerTTL: nil)
            try await body(configs, store)
        }
    }

    private static func putService(ports: [Int64], in store: MeshStore) async throws {
        let key = ObjectKey.namespaced(.service, NamespacedName(namespace: shop, name: name("reviews")), in: mesh)
        let ports = ports.map { ["name": .string("p\($0)"), "port": .integer($0)] as JSONValue }
        try await put(key, ["ports": .array(ports)], in: store)
    }

    private static func row(_ client: ProxyClient?, _ versions: [String: String]) -> ProxyRow {
        let types = versions.mapValues { ProxyTypeStatus(state: .synced, sentVersion: $0, ackedVersion: $0) }
        return ProxyRow(
            mesh: mesh, name: NamespacedName(namespace: shop, name: name("caller")), replica: "other", connected: true,
            connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: types, client: client)
    }

    private static let envoy = ProxyClient(.envoy(httpProxyPort: 15_080), service: name("caller"))

    @Test("versions that are equal are equal content; of others nothing is claimed, and what would be sent is known")
    func versions() async throws {
        try await Self.withConfigs { configs, store in
            let unknown = try await configs.config(
                of: Self.row(Self.envoy, ["CDS": "?", "EDS": "?", "LDS": "?", "RDS": "?"]))
            #expect(unknown.ofTypes.map(\.type) == ["CDS", "EDS", "LDS", "RDS"])
            #expect(unknown.ofTypes.allSatisfy { $0.source == .unknown && $0.sent.isEmpty && !$0.current.isEmpty })

            let versions = Dictionary(uniqueKeysWithValues: unknown.ofTypes.map { ($0.type, $0.currentVersion) })
            let proxy = Self.row(Self.envoy, versions)
            let known = try await configs.config(of: proxy)
            #expect(known.ofTypes.allSatisfy { $0.source == .compiled && !$0.sent.isEmpty })
            #expect(known.ofTypes.map { $0.sent.map(\.version) } == known.ofTypes.map { $0.current.map(\.version) })
            let names = known.ofTypes.map { $0.sent.map(\.name) }
            let cluster = "outbound|9080||reviews.shop.svc.cluster.local"
            #expect(names == [[cluster], [cluster], ["127.0.0.1_15080"], ["http_proxy"]])
            let listener = try #require(known.ofTypes[2].sent.first).content()
            let filter = listener["filter_chains"]?.arrayValue?.first?["filters"]?.arrayValue?.first?["typed_config"]
            #expect(filter?["rds"]?["route_config_name"] == "http_proxy", "what is in an Any is decoded: \(listener)")

            try await Self.putService(ports: [9080, 9090], in: store)
            let changed = try await configs.config(of: proxy)
            #expect(changed.ofTypes.map(\.source) == [.unknown, .unknown, .compiled, .unknown])
            #expect(changed.revision > known.revision)
        }
    }

    @Test("a proxy whose client was never stored is not guessed at; a gRPC client has what it wants")
    func clients() async throws {
        try await Self.withConfigs { configs, _ in
            let unknown = try await configs.config(of: Self.row(nil, ["CDS": "?"]))
            #expect(unknown.ofTypes.isEmpty)
            let grpc = Self.row(ProxyClient(.grpc, service: Self.name("caller")), ["CDS": "?"])
            let config = try await configs.config(of: grpc)
            #expect(config.ofTypes.map(\.type) == ["CDS"])
        }
    }

    @Test("secrets are never shown, wherever they stand, and bytes that are no message are shown as bytes")
    func secrets() {
        let document: JSONValue = [
            "name": "a", "tls_certificates": [["certificate_chain": "c", "private_key": ["inline_string": "k"]]],
            "session_ticket_keys": ["x"], "deep": [["password": "p"]],
        ]
        #expect(
            ResourceDocument.redacted(document) == [
                "name": "a", "tls_certificates": [["certificate_chain": "c", "private_key": "[redacted]"]],
                "session_ticket_keys": "[redacted]", "deep": [["password": "[redacted]"]],
            ])
        let broken = EncodedResource(.cluster, name: "a", body: [0xff])
        #expect(ResourceDocument.of(broken) == ["undecoded": "/w=="])
    }
}
