import HTTPTypes
import Testing

@testable import MeshAPI

@Suite("The table of routes")
struct RouteTableTests {
    private static let table = RouteTable(
        [
            (.get, "/v1/a/{x}"), (.put, "/v1/a/{x}"), (.post, "/v1/a/{x}:start"), (.get, "/v1/a/{x}/mesh"),
            (.post, "/v1/a/{x}/mesh:enable"), (.get, "/v1/a/fixed"),
        ].map { method, path in
            Route(method as HTTPRequest.Method, path, path, .open) { _ in APIAnswer() }
        })

    private func describe(_ match: RouteTable.Match) -> String {
        switch match {
        case .found(let route, let parameters):
            "\(route.method.rawValue) \(route.template) \(parameters.map { "\($0.name)=\($0.value)" }.joined(separator: ","))"
        case .otherMethods(let methods): methods.map(\.rawValue).joined(separator: ",")
        case .none: "none"
        }
    }

    @Test(
        "finds routes by literals, parameters and custom methods",
        arguments: [
            (.get, "/v1/a/b", "GET /v1/a/{x} x=b"), (.get, "/v1/a/fixed", "GET /v1/a/fixed "),
            (.head, "/v1/a/b", "GET /v1/a/{x} x=b"), (.get, "/v1/a/b%20c", "GET /v1/a/{x} x=b c"),
            (.post, "/v1/a/b:start", "POST /v1/a/{x}:start x=b"),
            (.post, "/v1/a/b%3Astart", "POST /v1/a/{x}:start x=b"),
            (.post, "/v1/a/b:c:start", "POST /v1/a/{x}:start x=b:c"), (.post, "/v1/a/b:stop", "none"),
            (.post, "/v1/a/b/mesh:enable", "POST /v1/a/{x}/mesh:enable x=b"), (.post, "/v1/a/b", "GET,PUT"),
            (.get, "/v1/a/b:start", "POST"), (.get, "/v1/a/", "none"), (.get, "/v1/a/b/", "none"),
            (.get, "/v1//b", "none"),
            (.get, "v1/a/b", "none"), (.get, "", "none"), (.get, "/v1/a/%", "none"), (.get, "/v1/a/%00", "none"),
            (.get, "*", "none"),
        ] as [(HTTPRequest.Method, String, String)])
    func matches(method: HTTPRequest.Method, path: String, expected: String) {
        #expect(describe(Self.table.match(method, path[...])) == expected)
    }
}
