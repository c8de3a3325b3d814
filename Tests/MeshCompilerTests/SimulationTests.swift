import Documents
import Foundation
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Simulation says which version a request would get")
struct SimulationTests {
    private static func compiler(_ mesh: String) throws -> Compiler {
        let golden = try #require(Golden.meshes.first { $0.name == mesh })
        return Compiler(try MeshDocument.read(golden.input("mesh.json")))
    }

    private static func shares(_ mesh: String, _ request: Simulation.Request) throws -> [String] {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let answer = try #require(try compiler(mesh).simulate(request, to: reviews))
        switch answer.outcome {
        case .forwarded(let destinations, let mirrors):
            return destinations.map { "\($0.version?.text ?? "all") \($0.millionths / 100)" }
                + mirrors.map { "mirror \($0.version?.text ?? "all") \($0.millionths / 100)" }
        case .answered(let status): return ["answer \(status)"]
        case .redirected(let redirect): return ["redirect \(redirect.code)"]
        case .undecided: return ["undecided"]
        }
    }

    @Test(arguments: [
        ("default-route", Simulation.Request(), ["all 10000"]),
        ("stable-version", Simulation.Request(), ["v2 10000"]),
        ("seed-by-weight", Simulation.Request(), ["v1 2000", "v2 8000"]),
        ("seed-by-content", Simulation.Request(headers: ["Cookie": "group=dev"]), ["v1 10000"]),
        ("seed-by-content", Simulation.Request(cookies: ["group": "dev"]), ["v1 10000"]),
        ("seed-by-content", Simulation.Request(), ["v2 10000"]),
        ("seed-typical", Simulation.Request(path: "/catalog2/x"), ["v2 2500", "v3 7500"]),
        ("seed-typical", Simulation.Request(path: "/catalog1"), ["v1 10000"]),
        (
            "seed-typical", Simulation.Request(path: "/catalog1", headers: ["cookie": "a=b;user=jason;c=d"]),
            ["v2 2500", "v3 7500"]
        ),
        ("seed-typical", Simulation.Request(path: "/"), ["v1 10000"]),
        ("policies", Simulation.Request(path: "/old/x"), ["redirect 308"]),
        ("policies", Simulation.Request(path: "/teapot"), ["answer 418"]),
        ("policies", Simulation.Request(path: "/else"), ["v1 9000", "v2 1000", "mirror v3 1250"]),
        ("no-catch-all", Simulation.Request(path: "/elsewhere"), ["answer 404"]),
        ("release-5-percent", Simulation.Request(path: "/catalog"), ["v3 10000"]),
        ("release-5-percent", Simulation.Request(path: "/else"), ["v2 500", "v1 9500"]),
        ("release-mirror-only", Simulation.Request(), ["v1 10000", "mirror v2 10000"]),
        ("release-matches-only", Simulation.Request(headers: ["cookie": "x=y; group=dev"]), ["v2 10000"]),
        ("release-matches-only", Simulation.Request(), ["all 10000"]),
        ("release-match-and-mirror", Simulation.Request(path: "/api/x?canary=1"), ["v2 10000"]),
        ("release-match-and-mirror", Simulation.Request(path: "/api/x"), ["v2 1000", "v1 9000", "mirror v2 2500"]),
        ("release-match-and-mirror", Simulation.Request(method: "POST", path: "/api/x"), ["v2 1000", "v1 9000"]),
        ("release-match-and-mirror", Simulation.Request(method: "POST", path: "/v2/x"), ["v2 1000", "v1 9000"]),
        ("release-match-and-mirror", Simulation.Request(path: "/else"), ["v1 10000"]),
        ("matches", Simulation.Request(path: "/item/42"), ["v2 10000"]),
        ("matches", Simulation.Request(path: "/item/42x"), ["v1 10000"]),
        (
            "matches", Simulation.Request(path: "/A?v=2&debug", headers: ["x-user": "jason", "x-flag": ""]),
            ["v2 10000"]
        ),
        (
            "matches",
            Simulation.Request(path: "/A?v=2&debug", headers: ["x-user": "jason", "x-flag": "", "x-agent": "curl/8"]),
            ["v1 10000"]
        ),
    ])
    func answers(_ mesh: String, _ request: Simulation.Request, _ expected: [String]) throws {
        #expect(try Self.shares(mesh, request) == expected)
    }

    @Test func theRuleIsNamed() throws {
        let compiler = try Self.compiler("policies")
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let answer = try #require(compiler.simulate(Simulation.Request(), to: reviews))
        #expect(answer.origin == .rules(reviews, index: 3, match: nil, name: "main"))
        #expect(answer.fault?.abort?.httpStatus == 503)
    }

    /// Whether a request takes a rule with this condition.
    private static func takes(_ condition: JSONValue, _ request: Simulation.Request) throws -> Bool {
        let there: JSONValue = ["match": [condition], "directResponse": ["status": 200]]
        let compiler = Compiler(
            try MeshDocument.read([
                "services": ["x/a": ["spec": ["ports": [["name": "http", "port": 80, "protocol": "HTTP"]]]]],
                "virtualServices": [
                    "x/a": ["spec": ["hosts": ["a"], "http": [there, ["directResponse": ["status": 404]]]]]
                ],
            ]))
        let answer = try #require(compiler.simulate(request, to: try MeshDocument.namespaced("x/a")))
        return answer.outcome == .answered(status: 200)
    }

    @Test(
        "A header that must be absent may be absent",
        arguments: [
            ([:], nil, true), ([:], "", false), ([:], "a", false), (["prefix": ""], nil, true),
            (["prefix": ""], "a", false), (["regex": ".*"], nil, true), (["regex": ".*"], "a", false),
            (["exact": "a"], nil, true), (["exact": "a"], "a", false), (["exact": "a"], "b", true),
            (["regex": "a+"], nil, true), (["regex": "a+"], "aa", false),
        ] as [(JSONValue, String?, Bool)])
    func absence(_ match: JSONValue, _ value: String?, _ expected: Bool) throws {
        let request = Simulation.Request(headers: value.map { ["x-a": $0] } ?? [:])
        #expect(try Self.takes(["withoutHeaders": ["x-a": match]], request) == expected)
    }

    @Test func anAbsoluteHostIsTheSame() throws {
        let condition: JSONValue = ["authority": ["exact": "a.x.svc.cluster.local:80"]]
        #expect(try Self.takes(condition, .init(authority: "a.x.svc.cluster.local.:80")))
        #expect(try !Self.takes(condition, .init(authority: "a.x.svc.cluster.local..:80")))
    }

    @Test func whatIsNotThereHasNoAnswer() throws {
        let compiler = try Self.compiler("default-route")
        #expect(compiler.simulate(Simulation.Request(), to: try MeshDocument.namespaced("shop/nobody")) == nil)
        #expect(
            compiler.simulate(Simulation.Request(), to: try MeshDocument.namespaced("shop/reviews"), port: 1) == nil)
    }

    /// Observed on Envoy 1.40 with `normalize_path`.
    @Test(
        "looks at the path as sidecars do",
        arguments: [
            ("/a", "/a"), ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/..", "/"), ("/.", "/"), ("/../a", "/a"),
            ("/a/..", "/"),
            ("/a/.", "/a/"), ("/a//b", "/a//b"), ("//a", "//a"), ("/a//../b", "/a/b"), ("/a/b/..//c", "/a//c"),
            ("/a/b/%2E%2E/", "/a/"), ("/a/%2e/b", "/a/b"), ("/a/%2e%2E/b", "/b"), ("/a/.%2e/b", "/b"),
            ("/a/..;/b", "/b"), ("/a/..;x/b", "/b"), ("/a/..;a=1;b/c", "/c"), ("/a/..;", "/"), ("/a/.;", "/a/"),
            ("/a/.;x/b", "/a/b"), ("/a/..;?x", "/?x"), ("/a/%2e%2e;/b", "/a/..;/b"), ("/a;..;/b", "/a;..;/b"),
            ("/;..;/b", "/;..;/b"), ("/a/..%3b/b", "/a/..%3b/b"), ("/a;x/../c", "/c"), ("/a/b/.;..;/c", "/a/b/c"),
            ("/a\\..\\b", "/b"), ("/a\\b", "/a/b"), ("/a/%5c..%5cb", "/a/%5c..%5cb"), ("/a%2F..%2fb", "/a%2F..%2fb"),
            ("/%41%7e%2d%5F", "/A~-_"), ("/a%21", "/a%21"), ("/a/%zz", "/a/%zz"), ("/a%", "/a%"), ("/a%2", "/a%2"),
            ("/a%zzb%41", "/a%zzbA"), ("/a/%252e", "/a/%252e"), ("/%C3%A9", "/%C3%A9"),
            ("/a\"<>^`{|}b", "/a%22%3C%3E%5E%60%7B%7C%7Db"),
            ("/a!$&'()*+,:=@[]~b", "/a!$&'()*+,:=@[]~b"), ("/a/...", "/a/..."), ("/a/.b", "/a/.b"),
            ("/a/..b/c", "/a/..b/c"),
            ("/a/b/..?q=%41/../x", "/a/?q=%41/../x"), ("/a?b?c", "/a?b?c"), ("/a?%zz", "/a?%zz"),
            ("/a#b", nil), ("/a?x#", nil), ("/a%00b", nil), ("/é", nil), ("/a b", nil), ("/a\u{7f}", nil),
        ] as [(String, String?)])
    func normalizes(path: String, normalized: String?) {
        #expect(Simulation.normalized(path) == normalized)
    }

    @Test("takes time that grows with the path and not faster")
    func longPath() {
        let dots = String(repeating: "/x/..", count: 20_000)
        #expect(Simulation.normalized(dots + "/c") == "/c")
        let slashes = String(repeating: "/", count: 100_000)
        #expect(Simulation.normalized(slashes) == slashes)
    }

    @Test("answers what sidecars do not route")
    func fragment() throws {
        #expect(try Self.shares("seed-by-weight", Simulation.Request(path: "/a#b")) == ["answer 400"])
    }
}
