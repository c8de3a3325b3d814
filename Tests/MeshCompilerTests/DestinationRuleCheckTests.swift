import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A DestinationRule is checked against the service that it is about")
struct DestinationRuleCheckTests {
    private static let mesh: JSONValue = [
        "services": [
            "shop/reviews": [
                "spec": [
                    "ports": [["name": "http", "port": 80]],
                    "versions": [
                        ["name": "v1", "labels": ["tier": "gold"]], ["name": "v2", "labels": ["tier": "gold"]],
                    ],
                ]
            ]
        ]
    ]

    private static func port(_ number: Int64) -> JSONValue {
        ["portLevelSettings": [["port": ["number": .integer(number)]]]]
    }

    @Test(
        "its host, its subsets and its ports are there",
        arguments: [
            (["host": "reviews"], []), (["host": "reviews.shop.svc.cluster.local"], []),
            (["host": "reviews.ops"], ["/spec/host invalidValue"]),
            (["host": "none"], ["/spec/host unknownReference reviews"]),
            (["host": "reviews", "subsets": [["name": "v1"], ["name": "v2"]]], []),
            (["host": "reviews", "subsets": [["name": "v9"]]], ["/spec/subsets/0/name unknownReference v1,v2"]),
            (
                ["host": "reviews", "subsets": [["name": "a", "labels": ["tier": "none"]]]],
                ["/spec/subsets/0/labels unknownReference v1,v2"]
            ),
            (
                ["host": "reviews", "subsets": [["name": "a", "labels": ["tier": "gold"]]]],
                ["/spec/subsets/0/labels unknownReference v1,v2"]
            ),
            (
                [
                    "host": "reviews",
                    "subsets": [["name": "a", "labels": ["version": "v1"]], ["name": "v1"], ["name": "v2"]],
                ],
                ["/spec/subsets/1/labels duplicate"]
            ),
            (["host": "reviews", "trafficPolicy": port(80)], []),
            (
                ["host": "reviews", "trafficPolicy": port(81)],
                ["/spec/trafficPolicy/portLevelSettings unknownReference 80"]
            ),
            (
                ["host": "reviews", "subsets": [["name": "v1", "trafficPolicy": port(81)]]],
                ["/spec/subsets/0/trafficPolicy/portLevelSettings unknownReference 80"]
            ),
        ] as [(JSONValue, [String])])
    func violations(document: JSONValue, expected: [String]) throws {
        var names = StateNames(try MeshDocument.read(Self.mesh))
        let spec: DestinationRuleSpec = try MeshDocument.spec(document)
        let found = spec.violations(named: try MeshDocument.namespaced("shop/x"), in: &names)
        #expect(
            found.map {
                "\($0.pointer) \($0.code)" + ($0.choices.isEmpty ? "" : " " + $0.choices.joined(separator: ","))
            }
                == expected)
    }

    @Test("why labels mean nothing is said")
    func details() throws {
        var names = StateNames(try MeshDocument.read(Self.mesh))
        func detail(_ tier: String) throws -> String? {
            let spec: DestinationRuleSpec = try MeshDocument.spec([
                "host": "reviews", "subsets": [["name": "a", "labels": ["tier": .string(tier)]]],
            ])
            return spec.violations(named: try MeshDocument.namespaced("shop/x"), in: &names).first?.detail
        }
        #expect(try detail("none") == "no version of service shop/reviews has these labels")
        #expect(try detail("gold") == "the labels select several versions of service shop/reviews: v1, v2")
    }
}
