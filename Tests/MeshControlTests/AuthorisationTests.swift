import Documents
import GrayRelease
import MeshControl
import MeshCore
import MeshIdentity
import MeshModel
import MeshStore
import Testing

@Suite("A caller sees and changes what its role, its tenant and the width of its key allow")
struct AuthorisationTests {
    private static let shop: Set<Name> = [.known("shop")]
    private static let main: Set<Name> = [.defaultMesh]

    @Test("whose an object is comes first: of another tenant nobody hears that there is anything")
    func reading() async throws {
        let rows: [(caller: Caller, place: String, answer: String)] = [
            (.platformAdministrator, "shop/services/reviews", "accepted"),
            (.of(.viewer), "shop/services/reviews", "accepted"),
            (.of(.viewer), "clusters/dev", "accepted"),
            (.of(.viewer), "tenants/acme", "accepted"),
            (.of(.tenantAdmin, tenant: "globex"), "shop/services/reviews", "not found: tenant acme"),
            (.of(.tenantAdmin, tenant: "globex"), "tenants/acme", "not found: tenant acme"),
            (.of(.viewer, namespaces: Self.shop), "shop/services/reviews", "accepted"),
            (.of(.viewer, namespaces: [.known("ops")]), "shop/services/reviews", "forbidden: services.read"),
            (.of(.viewer, namespaces: Self.shop), "clusters/dev", "forbidden: clusters.read"),
            (.of(.viewer, meshes: Self.main), "shop/services/reviews", "accepted"),
            (.of(.viewer, meshes: Self.main), "meshes/default", "accepted"),
            (.of(.viewer, meshes: [.known("blue")]), "shop/services/reviews", "forbidden: services.read"),
            (.of(.viewer, meshes: [.known("blue")]), "meshes/default", "forbidden: meshes.read"),
        ]
        try await ControlFixture.runPrepared { fixture in
            for row in rows {
                let answer = try await refusal { try await fixture.fetch(row.place, by: row.caller) }
                #expect(answer == row.answer, "\(row.caller.role) \(row.place)")
            }
        }
    }

    @Test("a role writes what the table of permissions says, and what is there is no way around it")
    func writing() async throws {
        let rows: [(caller: Caller, place: String, answer: String)] = [
            (.of(.viewer), "shop/services/other", "forbidden: services.write"),
            (.of(.developer), "shop/services/other", "accepted"),
            (.of(.developer, namespaces: [.known("ops")]), "shop/services/other", "forbidden: services.write"),
            (.of(.developer), "clusters/other", "forbidden: clusters.write"),
            (.of(.meshAdmin), "clusters/other", "accepted"),
            (.of(.meshAdmin), "meshes/blue", "forbidden: meshes.create"),
            (.of(.meshAdmin), "meshes/default", "accepted"),
            (.of(.tenantAdmin), "meshes/blue", "accepted"),
            (.of(.tenantAdmin), "tenants/acme", "accepted"),
            (.of(.developer, tenant: "globex"), "shop/services/other", "not found: tenant acme"),
        ]
        try await ControlFixture.runPrepared { fixture in
            for row in rows {
                let spec: JSONValue =
                    row.place.hasPrefix("shop")
                    ? ControlFixture.service() : row.place.hasPrefix("clusters") ? ["kind": "universal"] : [:]
                let answer = try await refusal { try await fixture.put(row.place, spec, by: row.caller) }
                #expect(answer == row.answer, "\(row.caller.role) \(row.place)")
            }
        }
    }

    @Test("only the platform makes tenants, and a tenant's caller lists its own one")
    func tenants() async throws {
        try await ControlFixture.run { fixture in
            for tenant in ["acme", "globex"] { try await fixture.put("tenants/\(tenant)", [:]) }
            let initech = try ControlFixture.key("tenants/initech")
            let made = try await refusal {
                try await fixture.change(
                    initech, .create(["metadata": ["name": "initech"], "spec": [:]]), by: .of(.tenantAdmin))
            }
            #expect(made == "forbidden: tenants.create")
            func names(_ caller: Caller) async throws -> [String] {
                try await fixture.control.list(.tenant, in: ObjectScope(), ListOptions(), by: caller).items.map(
                    \.key.name.text)
            }
            #expect(try await names(.platformAdministrator) == ["acme", "globex"])
            #expect(try await names(.of(.viewer)) == ["acme"])
            let unmade = try await refusal {
                try await fixture.delete("tenants/acme", by: .of(.tenantAdmin))
            }
            #expect(unmade == "forbidden: tenants.delete")
        }
    }

    @Test("a narrowed key may not ask for more than it may enter")
    func narrowedLists() async throws {
        try await ControlFixture.runPrepared { fixture in
            let narrow = Caller.of(.viewer, namespaces: Self.shop)
            func list(_ scope: ObjectScope) async throws -> String {
                try await refusal { try await fixture.control.list(.service, in: scope, ListOptions(), by: narrow) }
            }
            let own = try await list(ObjectScope(ControlFixture.mesh, namespace: .known("shop")))
            let all = try await list(ObjectScope(ControlFixture.mesh))
            #expect(own == "accepted" && all == "forbidden: services.read")
        }
    }
}
