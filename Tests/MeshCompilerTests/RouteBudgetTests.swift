import Documents
import MeshCore
import MeshFixtures
import MeshModel
import RE2
import TestSupport
import Testing

@testable import MeshCompiler

@Suite("What rules may come to")
struct RouteBudgetTests {
    private static let reviews: JSONValue = [
        "hosts": ["reviews"], "http": [["route": [["destination": ["host": "reviews"]]]]],
    ]

    /// Rules with so many conditions, over as many rules as that takes.
    private static func rules(_ host: String, conditions: Int, port: Int? = nil) -> JSONValue {
        var http: [JSONValue] = []
        for start in stride(from: 0, to: conditions, by: 64) {
            let matches = (start..<min(start + 64, conditions)).map { number -> JSONValue in
                .fields(["uri": ["exact": .string("/\(number)")], "port": port.map { .integer(Int64($0)) }])
            }
            http.append(["match": .array(matches), "route": [["destination": ["host": .string(host)]]]])
        }
        return ["hosts": [.string(host)], "http": .array(http)]
    }

    private static func service(ports: Int) -> JSONValue {
        let list = (0..<ports).map { number -> JSONValue in
            ["name": .string("p\(number)"), "port": .integer(Int64(8_000 + number))]
        }
        return ["spec": ["ports": .array(list + [["name": "tcp", "port": 1, "protocol": "TCP"]])]]
    }

    private static func state(_ reviews: JSONValue, ports: Int) throws -> MeshState {
        try MeshDocument.read(
            [
                "services": ["shop/reviews": service(ports: ports), "shop/ratings": service(ports: 1)],
                "virtualServices": [
                    "shop/reviews": ["spec": reviews], "shop/ratings": ["spec": rules("ratings", conditions: 3)],
                ],
            ])
    }

    @Test("A condition counts once for each HTTP port that it is about")
    func costs() throws {
        let service: ServiceSpec = try MeshDocument.spec(Self.service(ports: 3)["spec"])
        func cost(_ document: JSONValue) throws -> RouteCost {
            try (MeshDocument.spec(document) as VirtualServiceSpec).cost(for: service)
        }
        #expect(try cost(Self.reviews) == RouteCost(routes: 3))
        #expect(try cost(Self.rules("reviews", conditions: 130)) == RouteCost(routes: 390))
        #expect(try cost(Self.rules("reviews", conditions: 130, port: 8_001)) == RouteCost(routes: 130))
        #expect(try cost(Self.rules("reviews", conditions: 130, port: 1)) == RouteCost())
        let regex = try cost([
            "hosts": ["reviews"],
            "http": [
                [
                    "match": [["headers": ["a": ["regex": "abc"], "b": ["regex": "de|f"]]]],
                    "rewrite": ["uriRegexRewrite": ["match": "abc", "rewrite": "x"]],
                    "route": [["destination": ["host": "reviews"]]],
                ]
            ],
        ])
        #expect(regex.routes == 3 && regex.regexSize > 3 * 8 && regex.regexSize < 3 * 30)
    }

    @Test("Rules that are too much for a service are left out, with a pointer; the rest of the mesh goes on")
    func tooManyForService() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let ratings = try MeshDocument.namespaced("shop/ratings")
        let conditions = Limits.routesPerService.value / 4
        var compiler = Compiler(try Self.state(Self.rules("reviews", conditions: conditions), ports: 4))
        #expect(compiler.diagnostics.isEmpty)
        #expect(
            compiler.virtualHosts(of: .service(reviews)).map(\.routes.count) == Array(repeating: conditions, count: 4))

        // Whichever of the two grows.
        let more = try Self.state(Self.rules("reviews", conditions: conditions), ports: 5)
        var change = MeshChange()
        change.services = [reviews]
        _ = compiler.update(more, change)
        let diagnostic = try #require(compiler.diagnostics.first)
        #expect(compiler.diagnostics.count == 1 && diagnostic.code == .tooMany)
        #expect(diagnostic.pointer.description == "/spec/http" && diagnostic.object.kind == .virtualService)
        #expect(
            diagnostic.detail.contains(
                "come to \(conditions * 5) routes; allowed are at most 5000 routes (limit routesPerService)"))
        #expect(compiler.virtualHosts(of: .service(reviews)).map(\.routes.count) == [1, 1, 1, 1, 1])
        #expect(compiler.virtualHosts(of: .service(ratings)).map(\.routes.count) == [3])
        #expect(CompiledMesh(compiler) == CompiledMesh(Compiler(more)))

        var back = MeshChange()
        back.virtualServices = [reviews]
        let less = try Self.state(Self.rules("reviews", conditions: 7), ports: 5)
        _ = compiler.update(less, back)
        #expect(compiler.diagnostics.isEmpty)
        #expect(compiler.virtualHosts(of: .service(reviews)).map(\.routes.count) == [7, 7, 7, 7, 7])
    }

    private static func name(_ number: Int) throws -> Host { .service(try MeshDocument.namespaced("shop/s\(number)")) }

    @Test("When rules are too much for the mesh, the largest are left out, and who has few is not hurt")
    func tooManyForMesh() throws {
        var budget = RouteBudget()
        let small = try (0..<50).map { (name: try Self.name($0), cost: RouteCost(routes: 10)) }
        let large = try (50..<71).map { (name: try Self.name($0), cost: RouteCost(routes: 4_900)) }
        #expect(budget.update(small).isEmpty)
        #expect(budget.update(Array(large.dropLast())).isEmpty, "98 500 routes")
        let out = budget.update([large[20]])
        #expect(out.count == 1 && large.contains { $0.name == out[0] })
        #expect(budget.leftOut[out[0]]?.contains("limit routesPerMesh") == true)
        #expect(Set(budget.update([(large[3].name, RouteCost())])) == Set(out))
        #expect(budget.leftOut.isEmpty)
        // The same for regexes.
        let heavy = try (0..<11).map { (name: try Self.name(100 + $0), cost: RouteCost(routes: 1, regexSize: 390_000)) }
        _ = budget.update(heavy)
        #expect(budget.leftOut.count == 1 && heavy.contains { budget.leftOut[$0.name] != nil })
    }

    @Test("What is left out depends on what there is, whatever the way to it", arguments: 0..<20)
    func determinism(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var budget = RouteBudget()
        var costs: [Host: RouteCost] = [:]
        for _ in 0..<80 {
            var changed: [Host: RouteCost] = [:]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let routes = [0, 1, 3_000, 4_999, 5_001, 20_000].randomElement(using: &random) ?? 0
                let size = routes == 0 ? 0 : [0, 10, 390_000, 500_000].randomElement(using: &random) ?? 0
                changed[try Self.name(Int.random(in: 0..<40, using: &random))] = RouteCost(
                    routes: routes, regexSize: size)
            }
            costs.merge(changed) { _, new in new }
            let before = budget.leftOut
            let turned = budget.update(changed.map { (name: $0.key, cost: $0.value) })
            var fresh = RouteBudget()
            _ = fresh.update(costs.map { (name: $0.key, cost: $0.value) })
            try #require(budget.leftOut == fresh.leftOut)
            let different = Set(before.keys).union(budget.leftOut.keys).filter { before[$0] != budget.leftOut[$0] }
            try #require(Set(turned) == different)
            let rest = costs.filter { budget.leftOut[$0.key] == nil }.values.reduce(RouteCost(), +)
            try #require(rest.excessOfMesh == nil)
        }
    }
}

@Suite("What a simulation may cost")
struct SimulationBudgetTests {
    /// The attack: conditions whose regexes take 12 million steps each for a long path. As many as the compiler lets in.
    private static func compiler() throws -> Compiler {
        let attack: JSONValue = ["uri": ["regex": "(?i)/?(?:[/a-z]*){990}!"]]
        let http: JSONValue = [
            "match": .array(Array(repeating: attack, count: 11)), "route": [["destination": ["host": "reviews"]]],
        ]
        return Compiler(
            try MeshDocument.read(
                [
                    "services": ["shop/reviews": ["spec": ["ports": [["name": "http", "port": 80]]]]],
                    "virtualServices": ["shop/reviews": ["spec": ["hosts": ["reviews"], "http": [http]]]],
                ]))
    }

    @Test("All routes and all their regexes have one budget; beyond it the answer is that there is none")
    func budget() throws {
        let compiler = try Self.compiler()
        #expect(compiler.diagnostics.isEmpty)
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let request = Simulation.Request(path: "/" + String(repeating: "aaa/", count: 1_000))
        // A tenth of what there is in earnest, for the test's sake: the first regex alone would take more than all.
        let answer = try #require(compiler.simulate(request, to: reviews, budget: StepBudget(500_000)))
        #expect(answer.outcome == .undecided && answer.origin == nil)
        #expect(answer.undecided.count == 1, "where it stopped")
        let plain = Simulation.Request(path: "/")
        #expect(try #require(compiler.simulate(plain, to: reviews)).outcome == .answered(status: 404))
    }

    @Test("A simulation for which nobody waits any more ends")
    func cancellation() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let request = Simulation.Request(path: "/" + String(repeating: "aaa/", count: 1_000))
        let budget = StepBudget(.max, isCancelled: { true })
        #expect(try Self.compiler().simulate(request, to: reviews, budget: budget)?.outcome == .undecided)
    }
}
