import Documents
import Foundation
import MeshCompiler
import MeshFixtures
import MeshModel
import Testing

@Suite("A VirtualService is checked against what there is when it is written")
struct WriteCheckTests {
    private static func check(_ document: JSONValue) throws -> VirtualServiceCheck {
        let golden = try #require(Golden.meshes.first { $0.name == "ports-and-namespaces" })
        let state = try MeshDocument.read(golden.input("mesh.json"))
        return VirtualServiceCheck(
            try MeshDocument.spec(document), named: try MeshDocument.namespaced("shop/rules"), in: state)
    }

    private static func route(_ destination: JSONValue) -> JSONValue {
        ["hosts": ["reviews"], "http": [["route": [["destination": destination]]]]]
    }

    @Test(
        arguments: [
            (["hosts": ["nobody"], "http": [["route": [["destination": ["host": "reviews"]]]]]], "/spec/hosts/0"),
            (route(["host": "nobody"]), "/spec/http/0/route/0/destination/host"),
            (route(["host": "reviews.nowhere"]), "/spec/http/0/route/0/destination/host"),
            (route(["host": "reviews", "subset": "v9"]), "/spec/http/0/route/0/destination/subset"),
            (route(["host": "reviews", "port": ["number": 1]]), "/spec/http/0/route/0/destination/port/number"),
            (route(["host": "reviews", "port": ["number": 5432]]), "/spec/http/0/route/0/destination/port/number"),
            (
                [
                    "hosts": ["reviews"],
                    "http": [["match": [["port": 1]], "route": [["destination": ["host": "reviews"]]]]],
                ], "/spec/http/0/match/0/port"
            ),
            (
                [
                    "hosts": ["reviews"],
                    "http": [
                        [
                            "route": [["destination": ["host": "reviews"]]],
                            "mirror": ["host": "reviews", "subset": "v9"],
                        ]
                    ],
                ], "/spec/http/0/mirror/subset"
            ),
        ] as [(JSONValue, String)])
    func unknownReferencesArePointedAt(_ document: JSONValue, _ pointer: String) throws {
        let check = try Self.check(document)
        #expect(check.violations.map(\.pointer.description) == [pointer])
        #expect(check.violations.allSatisfy { $0.code == .unknownReference })
    }

    @Test func whatThereIsIsOffered() throws {
        let check = try Self.check(Self.route(["host": "reviews", "subset": "v9"]))
        #expect(check.violations.first?.choices == ["v1"])
        let unknown = try Self.check(Self.route(["host": "nobody"]))
        #expect(unknown.violations.first?.choices == ["ratings", "reviews"])
    }

    @Test func aVersionInPlaceOfAHostIsMadePlain() throws {
        let check = try Self.check(Self.route(["name": "v1"]))
        #expect(check.violations.isEmpty)
        #expect(check.warnings.map(\.pointer.description) == ["/spec/http/0/route/0/destination/host"])
        #expect(check.spec.json == Self.route(["host": "reviews", "subset": "v1"]))
    }

    @Test(arguments: ["reviews", "reviews.shop", "reviews.shop.svc", "reviews.shop.svc.cluster.local", "reviews.ops"])
    func everyFormOfAHostIsFound(_ host: String) throws {
        #expect(try Self.check(Self.route(["host": .string(host), "port": ["number": 80]])).violations.isEmpty)
    }
}
