import Documents
import MeshControl
import MeshCore
import MeshStore
import Testing

@testable import MeshAPI

/// What the API tests know of Envoy: nothing but names.
enum ConfigFixture {
    /// Of the proxy `away` only the version is known; to others, `n` clusters were sent, and the newest revision would
    /// change one, add one and remove one.
    static func config(of proxy: ProxyRow) throws -> ProxyConfig {
        let isKnown = proxy.name.name.text != "away"
        let sent = (0..<5).map { resource("c\($0)", "1") }
        let now = [
            resource("c0", "2"), resource("c1", "1"), resource("c2", "1"), resource("c3", "1"), resource("d", "1"),
        ]
        let clusters = ProxyConfig.OfType(
            type: "CDS", state: .stale, source: isKnown ? .stream : .unknown, sentVersion: "a", ackedVersion: "a",
            currentVersion: "b", sent: isKnown ? sent : [], current: now)
        let big = ProxyConfig.Resource(name: "http/proxy", version: "1") {
            ["name": .string(String(repeating: "x", count: 5 << 20))]
        }
        let routes = ProxyConfig.OfType(
            type: "RDS", state: .synced, source: .compiled, sentVersion: "c", ackedVersion: "c", currentVersion: "c",
            sent: [big], current: [big])
        return ProxyConfig(revision: 7, ofTypes: [clusters, routes])
    }

    private static func resource(_ name: String, _ version: String) -> ProxyConfig.Resource {
        ProxyConfig.Resource(name: name, version: version) { ["name": .string(name)] }
    }
}

@Suite("What a proxy was sent")
struct ProxyConfigTests {
    private static func withProxies(_ body: (Fixture) async throws -> Void) async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            for name in ["a", "away"] {
                let full = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name(name)))
                try await api.control.store.report([
                    ProxyRow(
                        mesh: mesh, name: full, replica: "r", connected: true,
                        connectedAt: Timestamp(microseconds: 0), ackedRevision: 1, types: [:])
                ])
            }
            try await body(api)
        }
    }

    private static let config = Fixture.mesh + "/proxies/a/config"

    private static func names(_ answer: Fixture.Answer) -> [String] {
        (answer.body["items"]?.arrayValue ?? []).map { item in
            [item["change"], item["name"]].compactMap { $0?.stringValue }.joined(separator: " ")
        }
    }

    @Test("is answered in pages, in the order of types and names, with versions and content")
    func pages() async throws {
        try await Self.withProxies { api in
            var pages: [[String]] = []
            var token = ""
            repeat {
                let answer = try await api.get(Self.config + "?pageSize=2" + token)
                #expect(answer.status == 200 && answer.body["revision"] == 7)
                pages.append(Self.names(answer))
                token = answer.body["nextPageToken"]?.stringValue.map { "&pageToken=\($0)" } ?? ""
            } while !token.isEmpty && pages.count < 9
            #expect(pages == [["c0", "c1"], ["c2", "c3"], ["c4"], ["http/proxy"]])
            let first = try await api.get(Self.config + "?pageSize=1")
            #expect(
                first.body["items"] == [["type": "CDS", "name": "c0", "version": "1", "resource": ["name": "c0"]]])
            let type: JSONValue = [
                "state": "stale", "source": "stream", "sentVersion": "a", "ackedVersion": "a", "currentVersion": "b",
            ]
            #expect(first.body["types"]?["CDS"] == type)
        }
    }

    @Test("a page that grows too large ends early, and what is too large by itself is a page")
    func large() async throws {
        try await Self.withProxies { api in
            let answer = try await api.get(Self.config)
            #expect(Self.names(answer) == ["c0", "c1", "c2", "c3", "c4"])
            let token = try #require(answer.body["nextPageToken"]?.stringValue)
            let last = try await api.get(Self.config + "?pageToken=\(token)")
            #expect(Self.names(last) == ["http/proxy"] && last.body["nextPageToken"] == nil)
        }
    }

    @Test("can be narrowed to a type and a resource, which may have any name")
    func filters() async throws {
        try await Self.withProxies { api in
            #expect(Self.names(try await api.get(Self.config + "?type=RDS")) == ["http/proxy"])
            #expect(Self.names(try await api.get(Self.config + "?resource=http%2Fproxy")) == ["http/proxy"])
            #expect(Self.names(try await api.get(Self.config + "?type=CDS&resource=http%2Fproxy")) == [])
            #expect(Self.names(try await api.get(Self.config + "?type=EDS")) == [])
            for (query, error) in [("type=sds", "/query/type"), ("pageToken=AAAA", "/query/pageToken")] {
                let answer = try await api.get(Self.config + "?" + query)
                #expect(answer.status == 400 && answer.errors == ["\(error) invalidValue"])
            }
        }
    }

    @Test("is compared with what would be sent now; of what only the version is known, nothing else is claimed")
    func differences() async throws {
        try await Self.withProxies { api in
            let answer = try await api.get(Self.config + "?diff=true")
            #expect(Self.names(answer) == ["changed c0", "removed c4", "added d"])
            #expect(
                answer.body["items"]?.arrayValue?.first == [
                    "type": "CDS", "name": "c0", "change": "changed", "sentVersion": "1", "currentVersion": "2",
                ])
            let away = try await api.get(Fixture.mesh + "/proxies/away/config?diff=true")
            #expect(Self.names(away) == [] && away.body["types"]?["CDS"]?["source"] == "unknown")
            #expect(away.body["types"]?["CDS"]?["currentVersion"] == "b")
        }
    }

    @Test("is for those who may read proxies; who is of another tenant does not even learn that there is one")
    func access() async throws {
        try await Self.withProxies { api in
            #expect(try await api.get(Fixture.mesh + "/proxies/nobody/config").status == 404)
            #expect(try await api.get(Self.config, token: nil).status == 401)
            #expect(try await api.send("PUT", "/v1/tenants/globex", ["spec": ["displayName": "G"]]).status == 201)
            let key = try await api.send("POST", "/v1/tenants/globex/apiKeys", ["role": "tenantAdmin"])
            let token = try #require(key.body["token"]?.stringValue, "\(key.text)")
            #expect(try await api.get(Self.config, token: token).status == 404)
        }
    }
}
