import Documents
import GrayRelease
import MeshCompiler
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@testable import MeshControl

@Suite("An analysis tells everything that has to be said of a mesh now")
struct AnalysisTests {
    private static func analyze(
        _ fixture: ControlFixture, namespace: String? = nil, _ body: JSONValue = [:], by caller: Caller = .of(.viewer)
    ) async throws -> JSONValue {
        try await fixture.control.analyze(
            ControlFixture.mesh, namespace: namespace.map { .known($0) }, body, by: caller)
    }

    /// `severity reason object` of each.
    private static func lines(_ analysis: JSONValue) -> [String] {
        (analysis["items"]?.arrayValue ?? []).map { item in
            let object = ["namespace", "name"].compactMap { item["object"]?[$0]?.stringValue }.joined(separator: "/")
            return "\(item["severity"]?.stringValue ?? "-") \(item["reason"]?.stringValue ?? "-") \(object)"
        }
    }

    @Test("what is not in force comes first, of one namespace or of all")
    func order() async throws {
        try await ControlFixture.runPrepared { fixture in
            let none = try await Self.analyze(fixture)
            #expect(Self.lines(none) == [] && none["more"] == nil)
            try await fixture.put("ops/services/a", ControlFixture.service())
            // Nobody answers, and the second rule is never reached.
            try await fixture.put("ops/virtualServices/a", ControlFixture.rules("a", to: ["host": "a"]))
            try await fixture.put(
                "shop/virtualServices/reviews",
                ControlFixture.rules("reviews", to: ["host": "reviews"], ["host": "reviews"]))
            let all = try await Self.analyze(fixture)
            #expect(
                Self.lines(all) == [
                    "notInForce Unreachable shop/reviews", "notice NoReadyEndpoints ops/a",
                ])
            #expect(Self.lines(try await Self.analyze(fixture, namespace: "ops")) == ["notice NoReadyEndpoints ops/a"])
        }
    }

    @Test("to who may hear of all that he asks for")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            let narrow = Caller.of(.viewer, namespaces: [.known("shop")])
            func answer(_ namespace: String?, _ body: JSONValue = [:], by caller: Caller) async throws -> String {
                try await refusal { try await Self.analyze(fixture, namespace: namespace, body, by: caller) }
            }
            let own = try await answer("shop", by: narrow)
            #expect(own == "accepted")
            #expect(try await answer(nil, by: narrow) == "forbidden: meshes.analyze")
            #expect(try await answer(nil, ["x": 1], by: .of(.viewer)) == "invalid: /x unknownField")
            let nowhere = try await refusal {
                try await fixture.control.analyze(
                    MeshKey(tenant: ControlFixture.acme, mesh: .known("blue")), namespace: nil, [:], by: .of(.viewer))
            }
            #expect(nowhere == "not found: mesh blue")
        }
    }

    @Test("of very many findings some, and how many more there are")
    func many() async throws {
        try await ControlFixture.runPrepared { fixture in
            func findings(_ count: Int) async throws -> (Int?, JSONValue?) {
                let rules = Array(
                    repeating: ["route": [["destination": ["host": "reviews"]]]] as JSONValue, count: 251)
                _ = try await fixture.store.write(
                    tenant: ControlFixture.acme, mesh: .defaultMesh, actor: "test", requestId: "r"
                ) { transaction in
                    for (number, part) in stride(from: 0, to: count, by: 250).enumerated() {
                        let host = "s\(number)"
                        for (place, spec) in [
                            ("shop/services/\(host)", ControlFixture.service()),
                            (
                                "shop/virtualServices/\(host)",
                                [
                                    "hosts": [.string(host)],
                                    "http": .array(Array(rules.prefix(min(250, count - part) + 1))),
                                ]
                            ),
                        ] {
                            _ = try await transaction.put(
                                ControlFixture.key(place), metadata: ObjectLabels(), spec: spec)
                        }
                    }
                }
                let analysis = try await Self.analyze(fixture)
                return (analysis["items"]?.arrayValue?.count, analysis["more"])
            }
            let exactly = try await findings(1000)
            #expect(exactly == (1000, nil))
            #expect(try await findings(1002) == (1000, 2))
        }
    }
}
