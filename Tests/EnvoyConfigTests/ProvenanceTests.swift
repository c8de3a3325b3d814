import EnvoyConfig
import Foundation
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("What a proxy refuses is traced to the parts of objects behind it")
struct ProvenanceTests {
    private static let mesh = MeshKey(tenant: .defaultMesh, mesh: .defaultMesh)

    private static func sources(
        _ type: ConfigType, _ name: String, _ message: String, isCurrent: Bool = true, of golden: String,
        by proxy: String = "shop/productpage-1"
    ) throws -> [String] {
        let golden = try #require(Golden.meshes.first { $0.name == golden })
        let compiler = Compiler(try MeshDocument.read(golden.input("mesh.json")))
        var encoder = ConfigEncoder()
        _ = encoder.update(compiler.everything, of: compiler)
        return try encoder.provenance(
            of: type, named: name, by: MeshDocument.namespaced(proxy), refusedWith: message, isCurrent: isCurrent,
            in: compiler, mesh: mesh
        ).map { "\($0.object.kind.name) \($0.object.name) \($0.pointer)" }
    }

    @Test(
        "by the name of the resource",
        arguments: [
            (ConfigType.cluster, "outbound|9080||reviews.shop.svc.cluster.local", ["Service reviews /spec/ports/0"]),
            (.cluster, "outbound|9080|v1|reviews.shop.svc.cluster.local", ["Service reviews "]),
            (.endpoints, "outbound|9080||reviews.shop.svc.cluster.local", ["Service reviews "]),
            (.cluster, "outbound|9999||reviews.shop.svc.cluster.local", ["Service reviews "]),
            (.cluster, "outbound|9080||gone.shop.svc.cluster.local", []),
            (.cluster, "outbound|99999999999999999999||reviews.shop.svc.cluster.local", []),
            (.cluster, "outbound|||", []), (.cluster, "|||", []), (.cluster, "nonsense", []), (.cluster, "", []),
            (.listener, "reviews.shop:9080", ["Service reviews /spec/ports/0"]),
            (.listener, "http_proxy", []), (.listener, "", []),
        ])
    func named(_ type: ConfigType, _ name: String, _ expected: [String]) throws {
        #expect(try Self.sources(type, name, "whatever", of: "seed-typical") == expected)
    }

    @Test(
        "what a sidecar lets in is its service's port; names of clusters say nothing without the sidecar",
        arguments: [
            (ConfigType.listener, "127.0.0.1_21001", "reviews-v1-1", [0]),
            (.listener, "127.0.0.1_21002", "reviews-v1-1", [1]), (.listener, "127.0.0.1_21003", "reviews-v1-1", [2]),
            (.listener, "127.0.0.1_21001", "reviews-v2-1", []),
            (.cluster, "inbound|21001||127.0.0.1", "reviews-v1-1", [0]),
            (.cluster, "inbound|21002||127.0.0.1", "reviews-v1-1", [1]),
            (.cluster, "inbound|21003||127.0.0.1", "reviews-v1-1", [2]),
            (.cluster, "inbound|21001||127.0.0.1", "reviews-v2-1", []),
            (.cluster, "inbound|21001||127.0.0.1", "other", []),
            (.cluster, "inbound|21002||", "reviews-v1-1", []), (.cluster, "inbound|9||", "reviews-v1-1", []),
        ])
    func inbound(_ type: ConfigType, _ name: String, _ proxy: String, _ ports: [Int]) throws {
        let found = try Self.sources(type, name, "cannot bind", of: "inbound", by: "shop/\(proxy)")
        #expect(found == ports.map { "Service reviews /spec/ports/\($0)" })
    }

    @Test(
        "every field that a regex can stand in is found",
        arguments: [
            ("policies", "^/regex/([a-z]+)", "/spec/http/2/rewrite/uriRegexRewrite/match"),
            ("matches", "/item/[0-9]+", "/spec/http/0/match/1/uri/regex"),
            ("matches", "GET|HEAD", "/spec/http/0/match/1/method/regex"),
        ])
    func fields(_ golden: String, _ regex: String, _ pointer: String) throws {
        let found = try Self.sources(.routes, "http_proxy", "regex \"\(regex)\" is bad", of: golden)
        #expect(found == ["VirtualService reviews \(pointer)"])
    }

    @Test(
        "of routes, by what the proxy quotes",
        arguments: [
            (
                "regex '^(.*?;)?(user=jason)(;.*)?' is too large",
                ["VirtualService reviews-route /spec/http/0/match/0/headers/cookie/regex"]
            ),
            // Part of a regex, or the regex without quotation marks, may be anybody's words.
            ("regex '(user=jason)' is too large", []), ("regex ^(.*?;)?(user=jason)(;.*)? is too large", []),
            ("virtual host 'reviews.shop.svc.cluster.local:9080' is bad", ["VirtualService reviews-route "]),
            ("something else", []), ("", []), ("'", []), ("'\"'\"", []),
            ("goo.gle/debugproto name: 'reviews.shop.svc.cluster.local:9080'", []),
            (String(repeating: "'", count: 4_096), []),
        ])
    func quoted(_ message: String, _ expected: [String]) throws {
        #expect(try Self.sources(.routes, "http_proxy", message, of: "seed-typical") == expected)
        #expect(try Self.sources(.routes, "reviews.shop:9080", message, of: "seed-typical") == expected)
        #expect(try Self.sources(.routes, "other.shop:9080", message, of: "seed-typical") == [])
    }

    private static func broken(_ host: String, _ route: String = "", _ field: String = "") -> String {
        "Proto constraint validation failed (RouteConfigurationValidationError.VirtualHosts[\(host)]: embedded message "
            + "failed validation"
            + (route.isEmpty
                ? "" : " | caused by VirtualHostValidationError.\(route): embedded message failed validation")
            + (field.isEmpty ? "" : " | caused by RouteValidationError.\(field): embedded message failed validation")
            + " | caused by HeaderValueValidationError.Value: value length must be at most 16384 bytes): "
            + "name: \"http_proxy\" virtual_hosts { name: \"reviews.shop.svc.cluster.local:9080\""
    }

    @Test(
        "of routes, by the place that breaks a rule of the message's definition",
        arguments: [
            (broken("0", "Routes[0]", "Match"), ["VirtualService reviews-route /spec/http/0/match/0"]),
            (
                broken("0", "Routes[0]", "Match: embedded | caused by RouteMatchValidationError.SafeRegex"),
                ["VirtualService reviews-route /spec/http/0/match/0/uri/regex"]
            ),
            (broken("0", "Routes[0]", "Route"), ["VirtualService reviews-route /spec/http/0"]),
            (broken("0", "Routes[1]", "Match"), ["VirtualService reviews-route /spec/http/0/match/1"]),
            (broken("0", "Routes[2]"), ["VirtualService reviews-route /spec/http/1"]),
            (broken("0", "Domains[0]"), ["VirtualService reviews-route "]),
            (broken("0"), ["VirtualService reviews-route "]),
            (broken("0", "Routes[99]", "Match"), []), (broken("99", "Routes[0]"), []), (broken("-1"), []),
            (broken("99999999999999999999"), []), (broken("x", "Routes[0]"), []), (broken(""), []),
            (broken("0", "Routes[", "["), ["VirtualService reviews-route "]),
        ])
    func counted(_ message: String, _ expected: [String]) throws {
        #expect(try Self.sources(.routes, "http_proxy", message, of: "seed-typical") == expected)
    }

    @Test(
        "a header is found by its place among those that are sent",
        arguments: [
            ("RequestHeadersToAdd[0]", "/headers/request/set/x-a"),
            ("RequestHeadersToAdd[1]", "/headers/request/add/x-b"),
            ("ResponseHeadersToAdd[0]", "/headers/response/set/x-d"), ("RequestHeadersToAdd[2]", ""),
            ("RequestHeadersToAdd", ""), ("RequestHeadersToAdd[-1]", ""),
        ])
    func header(_ field: String, _ pointer: String) throws {
        let found = try Self.sources(.routes, "http_proxy", Self.broken("0", "Routes[3]", field), of: "policies")
        #expect(found == ["VirtualService reviews /spec/http/3\(pointer)"])
    }

    @Test("a place counted in something else than what is there now means nothing, nor does what is quoted with it")
    func outdated() throws {
        let message = Self.broken("0", "Routes[0]", "Match")
        #expect(try Self.sources(.routes, "http_proxy", message, isCurrent: false, of: "seed-typical") == [])
    }
}
