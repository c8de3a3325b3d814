import MeshCore
import Testing

@testable import MeshIdentity

@Suite("Roles and callers")
struct RoleTests {
    @Test("the roles are these, from least to most; their names are stored and part of the API")
    func names() {
        #expect(
            Role.allCases.map(\.rawValue) == [
                "viewer", "developer", "releaser", "meshAdmin", "tenantAdmin", "platformAdmin",
            ])
    }

    @Test(
        "a role is read from its exact name only",
        arguments: ["", "Viewer", "VIEWER", " viewer", "viewer ", "admin", "root", "*"])
    func unknown(_ text: String) {
        #expect(Role(rawValue: text) == nil)
    }

    @Test("the administrator of the platform belongs to no tenant and may enter everything")
    func platformAdministrator() {
        let caller = Caller.platformAdministrator
        #expect(caller.role == .platformAdmin)
        #expect(caller.tenant == nil)
        #expect(caller.mayEnter(mesh: nil, namespace: nil))
        #expect(caller.mayEnter(mesh: .defaultMesh, namespace: Name("shop")))
    }

    @Test("a caller who is narrowed to meshes enters those and nothing wider")
    func meshes() throws {
        let caller = Caller(description: "c", role: .viewer, tenant: Name("acme"), meshes: [try #require(Name("a"))])
        #expect(caller.mayEnter(mesh: Name("a"), namespace: nil))
        #expect(caller.mayEnter(mesh: Name("a"), namespace: Name("any")))
        #expect(!caller.mayEnter(mesh: Name("b"), namespace: nil))
        #expect(!caller.mayEnter(mesh: nil, namespace: nil), "nil stands for all meshes")
    }

    @Test("a caller who is narrowed to namespaces enters those and nothing wider, in every mesh")
    func namespaces() throws {
        let caller = Caller(
            description: "c", role: .viewer, tenant: Name("acme"), namespaces: [try #require(Name("shop"))])
        #expect(caller.mayEnter(mesh: Name("a"), namespace: Name("shop")))
        #expect(caller.mayEnter(mesh: nil, namespace: Name("shop")))
        #expect(!caller.mayEnter(mesh: Name("a"), namespace: Name("api")))
        #expect(!caller.mayEnter(mesh: Name("a"), namespace: nil))
    }

    @Test("who is narrowed to both needs both")
    func both() throws {
        let caller = Caller(
            description: "c", role: .viewer, tenant: Name("acme"), meshes: [try #require(Name("a"))],
            namespaces: [try #require(Name("shop"))])
        #expect(caller.mayEnter(mesh: Name("a"), namespace: Name("shop")))
        #expect(!caller.mayEnter(mesh: Name("a"), namespace: Name("api")))
        #expect(!caller.mayEnter(mesh: Name("b"), namespace: Name("shop")))
    }
}
