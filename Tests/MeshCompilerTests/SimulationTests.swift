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
}
