import Documents
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A simulation tells where a request would go, as far as its caller may know")
struct SimulationRulesTests {
    private static func simulate(
        _ fixture: ControlFixture, _ request: JSONValue, _ service: String = "shop/reviews",
        by caller: Caller = .of(.viewer)
    ) async throws -> JSONValue {
        let parts = service.split(separator: "/").map { Name.known(String($0)) }
        return try await fixture.control.simulate(
            NamespacedName(namespace: parts[0], name: parts[1]), in: ControlFixture.mesh, ["request": request],
            by: caller)
    }

    @Test("by the rules that hold")
    func told() async throws {
        try await ControlFixture.runPrepared { fixture in
            let before = try await Self.simulate(fixture, ["path": "/"])
            #expect(before["matched"]?["kind"] == "Service")
            try await fixture.put(
                "shop/virtualServices/reviews",
                [
                    "hosts": ["reviews"],
                    "http": [
                        [
                            "match": [["uri": ["prefix": "/slow"]]], "fault": ["delay": ["fixedDelay": "5s"]],
                            "route": [["destination": ["host": "reviews", "subset": "v2"]]],
                        ],
                        ["match": [["uri": ["prefix": "/old"]]], "redirect": ["uri": "/new"]],
                        ["match": [["uri": ["prefix": "/gone"]]], "directResponse": ["status": 410]],
                    ],
                ])
            let slow = try await Self.simulate(fixture, ["path": "/slow", "port": 9080])
            #expect(slow["matched"]?["pointer"] == "/spec/http/0" && slow["matched"]?["name"] == "reviews")
            #expect(slow["destinations"]?.arrayValue?.first?["version"] == "v2" && slow["fault"] != nil)
            #expect(try await Self.simulate(fixture, ["path": "/old"])["redirect"] == ["status": 301])
            #expect(try await Self.simulate(fixture, ["path": "/gone"])["directResponse"] == ["status": 410])
            let none = try await Self.simulate(fixture, ["path": "/else"])
            #expect(none["matched"] == .null && none["directResponse"] == ["status": 404])
        }
    }

    @Test("naming nothing of namespaces that the caller may not know of")
    func narrowed() async throws {
        try await ControlFixture.runPrepared { fixture in
            try await fixture.put("ops/services/vault", ControlFixture.service())
            try await fixture.put(
                "shop/virtualServices/reviews",
                JSONValue.object([
                    "hosts": ["reviews"], "delegateHosts": [["host": "reviews", "namespaces": ["ops"]]],
                ]).merged(with: ["http": [["route": [["destination": ["host": "vault.ops"]]]]]]))
            let (narrow, ops) = (
                Caller.of(.viewer, namespaces: [.known("shop")]),
                NamespacedName(namespace: .known("ops"), name: .known("x"))
            )
            let hidden = try await Self.simulate(fixture, ["path": "/"], by: narrow)
            #expect(hidden["matched"]?["name"] == "reviews")
            #expect(hidden["destinations"] == [["namespace": "ops", "shareBp": 10_000]])
            let all = try await Self.simulate(fixture, ["path": "/"])
            #expect(all["destinations"]?.arrayValue?.first?["service"] == "vault")
            // Now rules of the other namespace decide.
            try await fixture.put(
                "ops/virtualServices/\(ops.name)",
                [
                    "hosts": ["reviews.shop"],
                    "http": [
                        [
                            "route": [["destination": ["host": "reviews.shop"]]],
                            "fault": ["delay": ["fixedDelay": "5s"]],
                        ]
                    ],
                ])
            let foreign = try await Self.simulate(fixture, ["path": "/"], by: narrow)
            #expect(foreign["matched"] == ["kind": "VirtualService", "namespace": "ops"] && foreign["fault"] == nil)
            let known = try await Self.simulate(fixture, ["path": "/"])
            #expect(known["matched"]?["name"] == "x" && known["fault"] != nil)
        }
    }

    @Test("of what is no request, no port or no service nothing")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ request: JSONValue, _ service: String = "shop/reviews") async throws -> String {
                try await refusal { try await Self.simulate(fixture, request, service) }
            }
            let good = try await answer([:])
            #expect(good == "accepted")
            #expect(try await answer(["path": "x"]) == "invalid: /request/path invalidFormat")
            #expect(try await answer(["paths": "/"]) == "invalid: /request/paths unknownField")
            #expect(try await answer(["port": 81]) == "invalid: /request/port unknownReference")
            #expect(try await answer([:], "shop/none") == "not found: service none")
        }
    }
}
