import Documents
import GrayRelease
import MeshCompiler
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Headers of destinations")
struct DestinationHeadersTests {
    @Test("v1 and the service keep theirs before, while and after a release, and when it has been promoted")
    func staysApart() throws {
        let rule = Self.rule(("v1", 50, "one"), (nil, 50, "two"))
        #expect(try Self.shares(rule, [:]) == ["v1 one 500000", "all two 500000"])
        let pointer: JSONValue = ["stableVersion": "v1"]
        #expect(try Self.shares(rule, pointer) == ["v1 one 500000", "v1 two 500000"])
        #expect(try Self.shares(rule, pointer, canary: 0) == ["v1 one 500000", "v1 two 500000"])
        #expect(
            try Self.shares(rule, pointer, canary: 1000)
                == ["v2 one 50000", "v1 one 450000", "v2 two 50000", "v1 two 450000"])
        #expect(try Self.shares(rule, pointer, canary: 10_000) == ["v2 one 500000", "v2 two 500000"])
        let promoted: JSONValue = ["stableVersion": "v2", "promotions": [["from": "v1"]]]
        #expect(try Self.shares(rule, promoted) == ["v2 one 500000", "v2 two 500000"])
    }

    @Test("One destination that stands there twice keeps both")
    func twice() throws {
        for version in ["v1", nil] {
            let rule = Self.rule((version, 30, "one"), (version, 70, "two"))
            #expect(
                try Self.shares(rule, ["stableVersion": "v1"], canary: 5000)
                    == ["v2 one 150000", "v1 one 150000", "v2 two 350000", "v1 two 350000"])
        }
    }

    @Test("Headers of a named version go with it, those of the service with the service")
    func goWithTheVersion() throws {
        let promoted: JSONValue = ["stableVersion": "v2", "promotions": [["from": "v1"]]]
        let named = Self.rule(("v1", 100, "old"), ("v2", 0, "new"))
        #expect(
            try Self.shares(named, ["stableVersion": "v1"], canary: 2500) == ["v2 new 250000", "v1 old 750000"])
        #expect(try Self.shares(named, promoted) == ["v2 new 1000000"])
        let bare = Self.rule((nil, 100, "any"), ("v2", 0, "new"))
        #expect(try Self.shares(bare, ["stableVersion": "v1"], canary: 2500) == ["v2 any 250000", "v1 any 750000"])
        #expect(try Self.shares(bare, promoted) == ["v2 any 1000000"])
    }

    private static func rule(_ parts: (version: String?, weight: Int64, side: String)...) -> JSONValue {
        .array(
            parts.map { part in
                var destination: [String: JSONValue] = ["host": "a"]
                destination["subset"] = part.version.map(JSONValue.string)
                return [
                    "destination": .object(destination), "weight": .integer(part.weight),
                    "headers": ["request": ["set": ["x-side": .string(part.side)]]],
                ]
            })
    }

    /// Where a rule sends to, as `version header weight`.
    private static func shares(
        _ route: JSONValue, _ status: JSONValue, canary: Int64? = nil
    ) throws -> [String] {
        var document: [String: JSONValue] = [
            "services": [
                "x/a": [
                    "spec": [
                        "ports": [["name": "http", "port": 80, "protocol": "HTTP"]],
                        "versions": [["name": "v1"], ["name": "v2"]],
                    ],
                    "status": status,
                ]
            ],
            "virtualServices": ["x/a": ["spec": ["hosts": ["a"], "http": [["route": route]]]]],
        ]
        document["releases"] = canary.map {
            ["x/r": ["service": "a", "port": 80, "stable": "v1", "canary": "v2", "share": .integer($0)]]
        }
        let compiler = Compiler(try MeshDocument.read(.object(document)))
        let routes = try #require(compiler.virtualHosts(of: .service(RandomReleaseMesh.service)).first?.routes)
        guard case .forward(let forward)? = routes.first?.action else { return [] }
        return forward.destinations.map {
            "\($0.cluster.version?.text ?? "all") \($0.headers.request.set["x-side"] ?? "") \($0.weight)"
        }
    }
}
