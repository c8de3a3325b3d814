import Documents
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("Proxies are known to who may see them, and bound to their mesh by who may")
struct ProxyTests {
    private static func report(_ fixture: ControlFixture, _ proxies: [(namespace: String, name: String)]) async throws {
        try await fixture.store.heartbeat("r")
        try await fixture.store.report(
            proxies.map { namespace, name in
                ProxyRow(
                    mesh: ControlFixture.mesh,
                    name: NamespacedName(namespace: .known(namespace), name: .known(name)), replica: "r",
                    connected: true, connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:])
            })
    }

    @Test("they come in pages, of one namespace or all")
    func pages() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.report(fixture, [("ops", "a"), ("shop", "a"), ("shop", "b")])
            func page(_ size: Int, namespace: Name? = nil, after: NamespacedName? = nil) async throws -> ProxyPage {
                try await fixture.control.proxies(
                    of: ControlFixture.mesh, namespace: namespace, pageSize: size, after: after, by: .of(.viewer))
            }
            let all = try await page(3)
            #expect(all.items.map(\.name.description) == ["ops/a", "shop/a", "shop/b"] && all.next == nil)
            let first = try await page(2)
            #expect(first.items.count == 2 && first.next?.description == "shop/a")
            let rest = try await page(2, after: first.next)
            #expect(rest.items.map(\.name.description) == ["shop/b"] && rest.next == nil)
            #expect(try await page(9, namespace: .known("shop")).items.count == 2)
        }
    }

    @Test("a mesh without proxies is one, and a mesh that is not there none")
    func meshes() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ mesh: String, by caller: Caller = .of(.viewer)) async throws -> [String] {
                let key = MeshKey(tenant: ControlFixture.acme, mesh: .known(mesh))
                return [
                    try await refusal {
                        try await fixture.control.proxies(of: key, namespace: nil, pageSize: 9, after: nil, by: caller)
                    },
                    try await refusal { try await fixture.control.checkMetrics(of: key, by: caller) },
                ]
            }
            let there = try await answer("default")
            #expect(there == ["accepted", "accepted"])
            #expect(try await answer("blue") == ["not found: mesh blue", "not found: mesh blue"])
            #expect(
                try await answer("default", by: .of(.viewer, namespaces: [.known("shop")]))
                    == ["forbidden: proxies.read", "forbidden: proxies.read"])
        }
    }

    @Test("one is found by its name, with its namespace where several have it")
    func names() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.report(fixture, [("ops", "a"), ("shop", "a"), ("shop", "b")])
            func answer(_ name: String, _ namespace: String? = nil) async throws -> String {
                try await refusal {
                    try await fixture.control.proxy(
                        .known(name), of: ControlFixture.mesh, namespace: namespace.map { .known($0) }, by: .of(.viewer)
                    )
                }
            }
            let ambiguous = try await answer("a")
            #expect(ambiguous == "invalid: /query/namespace required")
            #expect(try await answer("a", "shop") == "accepted")
            #expect(try await answer("b") == "accepted")
            #expect(try await answer("c") == "not found: proxy c")
            #expect(try await answer("b", "ops") == "not found: proxy b")
        }
    }

    @Test("its workload says goodbye by who may run proxies there")
    func goodbye() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.report(fixture, [("shop", "b")])
            func answer(_ namespace: String?, by caller: Caller) async throws -> String {
                try await refusal {
                    try await fixture.control.dismiss(
                        .known("b"), of: ControlFixture.mesh, namespace: namespace.map { .known($0) }, by: caller)
                }
            }
            let own = try await answer("shop", by: .of(.developer, namespaces: [.known("shop")]))
            #expect(own == "accepted")
            #expect(try await answer(nil, by: .of(.developer)) == "accepted")
            #expect(try await answer("shop", by: .of(.viewer)) == "forbidden: proxies.goodbye")
            #expect(
                try await answer("shop", by: .of(.developer, namespaces: [.known("ops")]))
                    == "forbidden: proxies.goodbye")
        }
    }

    @Test("what it was sent is shown as far as the caller may know of it, and by type and resource")
    func configuration() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await Self.report(fixture, [("shop", "b")])
            let names = ["outbound|80||reviews.shop.svc.cluster.local", "outbound|80||console.ops.svc.cluster.local"]
            func config(_ type: String) -> ProxyConfig.OfType {
                let resources = names.map { ProxyConfig.Resource(name: $0, version: "1") { [:] } }
                return ProxyConfig.OfType(
                    type: type, state: .synced, source: .stream, sentVersion: "1", ackedVersion: "1",
                    currentVersion: "1", sent: resources, current: resources)
            }
            let whole = ProxyConfig(revision: 1, ofTypes: [config("CDS"), config("EDS")])
            let shown = try await fixture.control.proxyConfig(
                .known("b"), of: ControlFixture.mesh, namespace: .known("shop"),
                by: .of(.viewer, namespaces: [.known("shop")])
            ) { _ in whole }
            #expect(shown.ofTypes.map { $0.sent.map(\.name) } == [[names[0]], [names[0]]])
            #expect(whole.only(type: "EDS", resource: nil).ofTypes.map(\.type) == ["EDS"])
            let one = whole.only(type: nil, resource: names[1])
            #expect(one.ofTypes.map(\.type) == ["CDS", "EDS"])
            #expect(
                one.ofTypes.allSatisfy { $0.sent.map(\.name) == [names[1]] && $0.current.map(\.name) == [names[1]] })
        }
    }

    @Test("a bootstrap is for a cluster and a mesh that there are, and its token for that life of the mesh")
    func bootstrap() async throws {
        try await ControlFixture.runPrepared { fixture in
            _ = try await fixture.store.signingKeys()
            func bootstrap(_ mesh: String, _ cluster: String, by caller: Caller = .of(.developer)) async throws
                -> ProxyBootstrap
            {
                let draft = ProxyBootstrap(
                    mesh: MeshKey(tenant: ControlFixture.acme, mesh: .known(mesh)), proxy: .known("p"),
                    namespace: .known("shop"), service: .known("reviews"), cluster: .known(cluster),
                    httpProxyPort: 15_080, adminPort: 15_000)
                return try await fixture.control.bootstrap(draft, clusterPointer: JSONPointer(["cluster"]), by: caller)
            }
            let signed = try await bootstrap("default", "dev")
            #expect(signed.token?.reveal().isEmpty == false)
            #expect(try await refusal { try await bootstrap("blue", "dev") } == "not found: mesh blue")
            #expect(
                try await refusal { try await bootstrap("default", "moon") } == "invalid: /cluster unknownReference")
            #expect(
                try await refusal { try await bootstrap("default", "dev", by: .of(.viewer)) }
                    == "forbidden: proxies.bootstrap")
        }
    }
}
