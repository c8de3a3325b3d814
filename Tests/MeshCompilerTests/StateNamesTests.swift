import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("What texts mean in a mesh that nobody compiles")
struct StateNamesTests {
    private static func entry(_ host: String, _ created: Int64, exportTo: JSONValue = ["*"]) -> JSONValue {
        [
            "spec": [
                "hosts": [.string(host)], "resolution": "STATIC", "ports": [["name": "http", "number": 80]],
                "endpoints": [["address": "192.0.2.1"]], "exportTo": exportTo,
            ], "createTime": .integer(created),
        ]
    }

    private static let service: JSONValue = [
        "spec": [
            "ports": [["name": "http", "port": 80]],
            "versions": [["name": "v1", "labels": ["track": "slow"]], ["name": "v2"]],
        ]
    ]

    private static func rule(_ host: String, _ created: Int64, subset: String? = nil) -> JSONValue {
        var spec: [String: JSONValue] = ["host": .string(host)]
        spec["subsets"] = subset.map { [["name": .string($0), "labels": ["track": "slow"]]] }
        return ["spec": .object(spec), "createTime": .integer(created)]
    }

    @Test("a namespace's own host, or a service's, or one that others define for it; what is nobody's is a service's")
    func hosts() throws {
        var names = StateNames(
            try MeshDocument.read([
                "services": ["shop/reviews": Self.service],
                "serviceEntries": [
                    "shop/a": Self.entry("api.example.com", 1), "ops/b": Self.entry("api.example.com", 2),
                    "ops/squat": Self.entry("reviews.shop", 1),
                    "pay/private": Self.entry("db.example.com", 1, exportTo: ["."]),
                    "ops/free": Self.entry("cart.shop", 1),
                ],
            ]))
        let rows: [(text: String, from: String, host: String?)] = [
            ("reviews", "shop", "service shop/reviews"), ("reviews", "ops", "service ops/reviews"),
            ("reviews.shop", "shop", "service shop/reviews"), ("reviews.shop.", "web", "service shop/reviews"),
            ("reviews.shop", "ops", "ops reviews.shop"), ("reviews.shop.svc", "ops", "service shop/reviews"),
            ("api.example.com", "shop", "shop api.example.com"), ("api.example.com", "ops", "ops api.example.com"),
            ("api.example.com.", "web", "shop api.example.com"),
            ("db.example.com", "pay", "pay db.example.com"), ("db.example.com", "shop", "shop db.example.com"),
            ("cart.shop", "web", "ops cart.shop"), ("cart.shop.svc", "web", "service shop/cart"),
            ("none.example.com", "shop", "shop none.example.com"), ("A", "shop", nil), ("10.0.0.1", "shop", nil),
            ("", "shop", nil),
        ]
        for row in rows {
            let host = names.host(row.text, from: try MeshDocument.name(row.from))
            let found =
                switch host {
                case .service(let name)?: "service \(name)"
                case .external(let text, let namespace)?: "\(namespace) \(text)"
                case nil: String?.none
                }
            #expect(found == row.host, "\(row.text) from \(row.from)")
        }
        let known = names.service(.external("api.example.com", of: try MeshDocument.name("ops")))
        let unknown = names.service(.external("api.example.com", of: try MeshDocument.name("web")))
        #expect(known?.spec.ports.map(\.number) == [80] && unknown == nil)
        let service = names.definition(of: .service(try MeshDocument.namespaced("shop/reviews")))
        #expect(service == nil, "it defines its host itself")
    }

    @Test("the oldest DestinationRule of the host's own namespace holds for it, with its subsets")
    func destinationRules() throws {
        let reviews = try MeshDocument.namespaced("shop/reviews")
        let state = try MeshDocument.read([
            "services": ["shop/reviews": Self.service, "shop/ratings": Self.service],
            "destinationRules": [
                "shop/late": Self.rule("reviews", 5, subset: "late"),
                "shop/first": Self.rule("reviews.shop", 2, subset: "calm"),
                "shop/b": Self.rule("reviews", 2, subset: "b"),
                "ops/foreign": Self.rule("reviews.shop", 1, subset: "foreign"),
                "ops/own": Self.rule("reviews", 1), "shop/other": Self.rule("ratings", 1),
            ],
        ])
        var names = StateNames(state)
        let holding = names.destinationRule(for: .service(reviews))
        #expect(holding?.name.text == "b", "of those created together the first by name")
        let subsets = names.subsets(of: .service(reviews)).map(\.name.text)
        #expect(subsets == ["b"])
        let about = names.destinationRules(about: .service(reviews)).map(\.name.name.text).sorted()
        #expect(about == ["b", "first", "late"])
        let none = names.destinationRule(for: .service(try MeshDocument.namespaced("shop/none")))
        #expect(none == nil)
        let (v1, v2) = (try MeshDocument.name("v1"), try MeshDocument.name("v2"))
        #expect(state.subsets(of: reviews) == [v1: v1, v2: v2, try MeshDocument.name("b"): v1])
        #expect(state.subsets(of: try MeshDocument.namespaced("shop/none")) == [:])
        #expect(
            state.subsetDeclarations(of: reviews).map { "\($0.rule.name) \($0.version) \($0.pointer)" } == [
                "b v1 /spec/subsets/0", "first v1 /spec/subsets/0", "late v1 /spec/subsets/0",
            ])
        #expect(state.subsetDeclarations(of: try MeshDocument.namespaced("shop/none")).isEmpty)
    }

    @Test("who asks is told of its own services, of hosts that are there for it, and of fifty at most")
    func choices() throws {
        let (shop, ops) = (try MeshDocument.name("shop"), try MeshDocument.name("ops"))
        func names(services: Int, hosts: Int) throws -> StateNames {
            StateNames(
                try MeshDocument.read([
                    "services": .object(
                        Dictionary(uniqueKeysWithValues: (0..<services).map { ("shop/s\(10 + $0)", Self.service) })
                            .merging(["ops/other": Self.service]) { $1 }),
                    "serviceEntries": .object(
                        Dictionary(
                            uniqueKeysWithValues: (0..<hosts).map {
                                ("ops/e\($0)", Self.entry("h\(10 + $0).example.com", 1))
                            }
                        )
                        .merging(["ops/private": Self.entry("private.example.com", 1, exportTo: ["."])]) { $1 }),
                ]))
        }
        let few = try names(services: 2, hosts: 1)
        #expect(few.hosts(in: shop, from: shop) == ["s10", "s11", "h10.example.com"])
        #expect(few.hosts(in: shop, from: ops) == ["h10.example.com", "private.example.com"])
        #expect(few.hosts(in: ops, from: ops).first == "other")
        let many = try names(services: 48, hosts: 5).hosts(in: shop, from: shop)
        #expect(many.count == 50 && many.last == "h11.example.com")
        #expect(try names(services: 60, hosts: 5).hosts(in: shop, from: shop).count == 50)
    }
}
