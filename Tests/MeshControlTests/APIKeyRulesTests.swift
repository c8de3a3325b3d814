import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A key of the API stands for a role in a tenant")
struct APIKeyRulesTests {
    private static func create(
        _ fixture: ControlFixture, _ body: JSONValue, of tenant: Name = ControlFixture.acme,
        by caller: Caller = ControlFixture.admin
    ) async throws -> IssuedAPIKey {
        try await fixture.control.createAPIKey(of: tenant, body, WriteOptions(requestId: "r"), by: caller) { _ in
            StoredAnswer(status: 201, headers: [:], body: [])
        }.value()
    }

    @Test("and its secret for it, until it is revoked")
    func life() async throws {
        try await ControlFixture.runPrepared { fixture in
            let issued = try await Self.create(
                fixture, ["id": "ci", "role": "developer", "namespaces": ["shop"], "meshes": ["default"]])
            let caller = try await fixture.control.caller(withToken: issued.secret.reveal())
            #expect(caller?.role == .developer && caller?.tenant == ControlFixture.acme)
            #expect(caller?.namespaces == [.known("shop")] && caller?.meshes == [.defaultMesh])
            #expect(try await fixture.control.caller(withToken: "nobody") == nil)
            try await fixture.control.revokeAPIKey(
                .known("ci"), of: ControlFixture.acme, WriteOptions(requestId: "r"), by: ControlFixture.admin)
            #expect(try await fixture.control.caller(withToken: issued.secret.reveal()) == nil)
        }
    }

    @Test("what cannot be is refused")
    func refused() async throws {
        try await ControlFixture.runPrepared { fixture in
            func answer(_ body: JSONValue, of tenant: String = "acme", by caller: Caller = ControlFixture.admin)
                async throws -> String
            {
                try await refusal { try await Self.create(fixture, body, of: .known(tenant), by: caller) }
            }
            #expect(try await answer(["role": "viewer"]) == "accepted")
            #expect(try await answer([:]) == "invalid: /role required")
            #expect(try await answer(["role": "platformAdmin"]) == "invalid: /role invalidValue")
            #expect(try await answer(["role": "king"]) == "invalid: /role invalidValue")
            #expect(try await answer(["role": "viewer", "ttl": "1s"]) == "invalid: /ttl outOfRange")
            #expect(try await answer(["role": "viewer"], of: "globex") == "not found: tenant globex")
            #expect(try await answer(["role": "viewer"], by: .of(.meshAdmin)) == "forbidden: apiKeys.write")
            func list(_ tenant: String) async throws -> String {
                try await refusal {
                    try await fixture.control.apiKeys(
                        of: .known(tenant), after: nil, limit: 9, by: ControlFixture.admin)
                }
            }
            #expect(try await list("acme") == "accepted")
            #expect(try await list("globex") == "not found: tenant globex")
            let revoked = try await refusal {
                try await fixture.control.revokeAPIKey(
                    .known("none"), of: ControlFixture.acme, WriteOptions(requestId: "r"), by: ControlFixture.admin)
            }
            #expect(revoked == "not found: API key none")
        }
    }
}
