import Documents
import HTTPTypes
import MeshControl
import MeshCore
import MeshModel
import Testing

@testable import MeshAPI

@Suite("The permission that a route says it needs")
struct RoutePermissionTests {
    /// Parameters without which a request is refused before anybody asks who calls.
    private static let query = [
        "getProxyBootstrap": "?namespace=shop&service=reviews&cluster=dev&httpProxyPort=15080&adminPort=15000",
        "getMeshTimeseries": "?metric=requests&namespace=shop&service=reviews",
    ]

    private static func path(of route: Route) -> String {
        let names = ["tenant": "acme", "mesh": "default", "namespace": "shop", "service": "reviews"]
        let template = route.template.replacing(/\{([a-zA-Z]+)\}/) { names[String($0.output.1)] ?? "x" }
        return template + (query[route.operation] ?? "")
    }

    @Test("is the one that the use case asks for: who lacks it is refused for it, and nobody else is")
    func permissions() async throws {
        try await Fixture.run { api in
            try await api.prepare()
            var tokens: [Role: String] = [:]
            for role in Role.allCases where role != .platformAdmin {
                let answer = try await api.send("POST", "/v1/tenants/acme/apiKeys", ["role": .string(role.rawValue)])
                tokens[role] = try #require(answer.body["token"]?.stringValue)
            }
            let narrowed = try await api.send(
                "POST", "/v1/tenants/acme/apiKeys", ["role": "tenantAdmin", "namespaces": ["elsewhere"]])
            let stranger = try #require(narrowed.body["token"]?.stringValue)
            var refused = 0
            for route in api.server.responder.routes.routes {
                // Who waits for what may take long needs a connection.
                guard case .needs(let permission) = route.access, !route.isLongPoll else { continue }
                // Whoever has the permission elsewhere is refused for it here, whatever its roles.
                let answer = try await Self.call(route, api, stranger)
                #expect(answer.status == 403, "\(route.operation): \(answer.text)")
                #expect(answer.body["permission"] == .string(permission.name), "\(route.operation)")
                for (role, token) in tokens {
                    let answer = try await Self.call(route, api, token)
                    let who = "\(route.operation) as \(role)"
                    if permission.roles.contains(role) {
                        #expect(answer.status != 403, "\(who): \(answer.text)")
                    } else {
                        #expect(answer.status == 403, "\(who): \(answer.text)")
                        #expect(answer.body["permission"] == .string(permission.name), "\(who)")
                        refused += 1
                    }
                }
            }
            #expect(refused > 100)
        }
    }

    private static func call(_ route: Route, _ api: Fixture, _ token: String) async throws -> Fixture.Answer {
        switch route.body {
        case .none: try await api.send(route.method.rawValue, path(of: route), headers: [:], token: token)
        case .json, .mergePatch: try await api.send(route.method.rawValue, path(of: route), [:], token: token)
        }
    }

    @Test("is one of those that there are; only who somebody is needs none")
    func known() async throws {
        try await Fixture.run { api in
            for route in api.server.responder.routes.routes {
                switch route.access {
                case .needs(let permission): #expect(Permission.all.contains(permission), "\(route.operation)")
                case .authenticated: #expect(route.operation == "whoami")
                case .open: #expect(!route.template.hasPrefix("/v1/"))
                }
            }
        }
        #expect(Set(Permission.all.map(\.name)).count == Permission.all.count)
    }
}
