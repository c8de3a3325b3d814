import Documents
import MeshControl
import MeshCore
import MeshModel
import MeshStore
import Testing

@testable import MeshAPI

@Suite("What a write may cause")
struct BoundsTests {
    private static func rules(conditions: Int) -> JSONValue {
        var http: [JSONValue] = []
        for start in stride(from: 0, to: conditions, by: 64) {
            let matches = (start..<min(start + 64, conditions)).map { number -> JSONValue in
                ["uri": ["exact": .string("/\(number)")]]
            }
            http.append(["match": .array(matches), "route": [["destination": ["host": "wide"]]]])
        }
        return ["spec": ["hosts": ["wide"], "http": .array(http)]]
    }

    private static func service(ports: Int) -> JSONValue {
        let ports = (0..<ports).map { number -> JSONValue in
            ["name": .string("p\(number)"), "port": .integer(Int64(8_000 + number))]
        }
        return ["spec": ["ports": .array(ports)]]
    }

    @Test("routes are counted over rules, conditions and ports, and more than a service may have are refused")
    func routes() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let (service, rules) = (Fixture.shop + "/services/wide", Fixture.shop + "/virtualServices/wide")
            #expect(try await api.send("PUT", service, Self.service(ports: 31)).status == 201)
            let refused = try await api.send("PUT", rules, Self.rules(conditions: 162))
            #expect(refused.status == 400 && refused.errors == ["/spec/http tooMany"])
            #expect(
                refused.text.contains("come to 5022 routes; allowed are at most 5000 routes (limit routesPerService)"))
            let written = try await api.send("PUT", rules, Self.rules(conditions: 160))
            #expect(written.status == 201, "\(written.text)")

            let grown = try await api.send("PUT", service, Self.service(ports: 32), ["If-Match": "*"])
            #expect(grown.status == 400 && grown.errors == ["/spec/ports tooMany"], "\(grown.text)")
            // What came to too much before the bound was there may be made smaller, though not small enough.
            let mesh = MeshKey(tenant: try #require(Name("acme")), mesh: .defaultMesh)
            let name = NamespacedName(namespace: try #require(Name("shop")), name: try #require(Name("wide")))
            let spec = try #require(Self.service(ports: 32)["spec"])
            _ = try await api.control.store.write(tenant: mesh.tenant, mesh: mesh.mesh, actor: "test", requestId: "r") {
                try await $0.put(.namespaced(.service, name, in: mesh), metadata: ObjectLabels(), spec: spec)
            }
            let larger = try await api.send("PUT", rules, Self.rules(conditions: 161), ["If-Match": "*"])
            #expect(larger.status == 400, "\(larger.text)")
            #expect(try await api.send("PUT", rules, Self.rules(conditions: 159), ["If-Match": "*"]).status == 200)
            #expect(try await api.send("PUT", service, Self.service(ports: 30), ["If-Match": "*"]).status == 200)
        }
    }

    @Test("regexes that come to too much together are refused where they do")
    func regexes() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let attack: JSONValue = ["uri": ["regex": "(?i)/?(?:[/a-z]*){990}!"]]
            let http: JSONValue = [
                "match": .array(Array(repeating: attack, count: 64)), "route": [["destination": ["host": "reviews"]]],
            ]
            let refused = try await api.send(
                "PUT", Fixture.shop + "/virtualServices/v",
                ["spec": ["hosts": ["reviews"], "http": .array(Array(repeating: http, count: 40))]])
            #expect(refused.status == 400 && refused.errors.count == 1)
            #expect(
                refused.errors.allSatisfy { $0.hasPrefix("/spec/http/0/match/") && $0.hasSuffix("/uri/regex tooMany") })
            #expect(refused.text.contains("limit regexSizePerObject"))
        }
    }

    @Test("labels and annotations have a limit together")
    func metadata() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            func write(_ count: Int) async throws -> Fixture.Answer {
                let annotations = Dictionary(
                    uniqueKeysWithValues: (0..<count).map {
                        ("a\($0)", JSONValue.string(String(repeating: "x", count: 16_000)))
                    })
                return try await api.send(
                    "PUT", Fixture.shop + "/services/noted",
                    [
                        "metadata": ["annotations": .object(annotations)],
                        "spec": ["ports": [["name": "http", "port": 80]]],
                    ])
            }
            let refused = try await write(17)
            #expect(refused.status == 400 && refused.errors == ["/metadata tooLong"])
            #expect(refused.text.contains("at most 262144 bytes (limit metadataBytes)"))
            #expect(try await write(16).status == 201)
        }
    }

    @Test("of very many mistakes the first hundred are listed, and the number of the others")
    func violations() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let fields = Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("field\($0)", JSONValue.null) })
            let refused = try await api.send("PUT", Fixture.shop + "/services/s", ["spec": .object(fields)])
            #expect(refused.status == 400 && refused.errors.count == 101)
            #expect(refused.errors.first == "/spec/ports required" && refused.errors.last == " tooMany")
            #expect(refused.text.utf8.count < 100_000)
        }
    }

    @Test("a simulation names nothing of namespaces that its caller may not know of")
    func narrowedSimulation() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            let bank = Fixture.mesh + "/namespaces/bank"
            #expect(
                try await api.send(
                    "PUT", bank + "/services/vault", ["spec": ["ports": [["name": "http", "port": 9080]]]]
                )
                .status == 201)
            let rules: JSONValue = [
                "hosts": ["reviews"], "http": [["route": [["destination": ["host": "vault.bank"]]]]],
            ]
            let written = try await api.send("PUT", Fixture.shop + "/virtualServices/r", ["spec": rules])
            #expect(written.status == 201, "\(written.text)")
            let key = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["id": "shop", "role": "viewer", "namespaces": ["shop"]])
            let token = try #require(key.body["token"]?.stringValue)
            let path = Fixture.shop + "/services/reviews:simulate"
            let all = try await api.send("POST", path, ["request": ["path": "/"]])
            #expect(all.body["destinations"]?.arrayValue?.first?["service"] == "vault", "\(all.text)")
            let narrow = try await api.send("POST", path, ["request": ["path": "/"]], token: token)
            #expect(narrow.status == 200 && !narrow.text.contains("vault"))
            #expect(narrow.body["matched"]?["name"] == "r")
        }
    }
}
