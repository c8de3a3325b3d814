import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("What a simulation cannot say it names")
struct UndecidedSimulationTests {
    @Test("routes before the answer's whose regexes need Unicode's scripts, a hundred at most")
    func undecided() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        func undecided(_ rules: Int) throws -> Simulation.Answer {
            let http = (0..<rules).map { number -> JSONValue in
                [
                    "name": .string("r\(number)"), "match": [["uri": ["regex": "/\\p{Greek}+"]]],
                    "directResponse": ["status": 200],
                ]
            }
            let compiler = Compiler(
                try MeshDocument.read([
                    "services": ["shop/reviews": ["spec": ["ports": [["name": "http", "port": 80]]]]],
                    "virtualServices": [
                        "shop/reviews": [
                            "spec": [
                                "hosts": ["reviews"], "http": .array(http + [["directResponse": ["status": 404]]]),
                            ]
                        ]
                    ],
                ]))
            return try #require(compiler.simulate(Simulation.Request(path: "/x"), to: reviews))
        }
        let few = try undecided(2)
        #expect(few.undecided == ["r0", "r1"] && few.outcome == .answered(status: 404))
        #expect(try undecided(120).undecided.count == 99)
    }

    @Test("a request's parts are what conditions look at")
    func requests() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        func takes(_ condition: JSONValue, _ request: Simulation.Request) throws -> Bool {
            let http: JSONValue = [
                ["match": [condition], "directResponse": ["status": 200]], ["directResponse": ["status": 404]],
            ]
            let compiler = Compiler(
                try MeshDocument.read([
                    "services": [
                        "shop/reviews": [
                            "spec": ["ports": [["name": "http", "port": 80], ["name": "admin", "port": 81]]]
                        ]
                    ],
                    "virtualServices": ["shop/reviews": ["spec": ["hosts": ["reviews"], "http": http]]],
                ]))
            return try #require(compiler.simulate(request, to: reviews)).outcome == .answered(status: 200)
        }
        let rows: [(condition: JSONValue, request: Simulation.Request, takes: Bool)] = [
            (["queryParams": ["q": ["exact": "1"]]], .init(path: "/?q=1&q=2"), true),
            (["queryParams": ["q": ["exact": "2"]]], .init(path: "/?q=1&q=2"), false),
            (["queryParams": ["q": ["exact": ""]]], .init(path: "/?q&r=1"), true),
            (["queryParams": ["q": [:]]], .init(path: "/"), false),
            (["queryParams": ["q": ["exact": "1"]]], .init(path: "/", queryParams: ["q": "1"]), true),
            (
                ["headers": ["cookie": ["exact": "a=1; b=2"]]], .init(headers: ["Cookie": "a=1"], cookies: ["b": "2"]),
                true
            ),
            (["headers": ["cookie": [:]]], .init(), false),
            (["uri": ["exact": "/A"], "ignoreUriCase": true], .init(path: "/a"), true),
            (["uri": ["exact": "/A"]], .init(path: "/a"), false),
            (["uri": ["prefix": "/A"], "ignoreUriCase": true], .init(path: "/ab"), true),
            (["uri": ["prefix": "/A"]], .init(path: "/ab"), false),
            (["uri": ["regex": "/a+"]], .init(path: "/AA"), false),
            (["uri": ["regex": "/a+"]], .init(path: "/aa"), true),
            (["uri": ["regex": "/a+"], "ignoreUriCase": true], .init(path: "/AA"), true),
            (["uri": ["exact": "/a"]], .init(path: "/a?q=1"), true), (["method": ["exact": "GET"]], .init(), true),
            (["method": ["exact": "GET"]], .init(method: "POST"), false),
            (["authority": ["exact": "reviews"]], .init(), true),
            (["scheme": ["exact": "http"]], .init(), true), (["port": 81], .init(), false),
        ]
        for row in rows { #expect(try takes(row.condition, row.request) == row.takes, "\(row.condition)") }
    }
}
