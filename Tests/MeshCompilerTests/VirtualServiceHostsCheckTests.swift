import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@testable import MeshCompiler

@Suite("A VirtualService of several hosts is checked for each of them")
struct VirtualServiceHostsCheckTests {
    private static let mesh: JSONValue = {
        func service(_ port: Int64, _ versions: [JSONValue] = ["v1"], tcp: Bool = false) -> JSONValue {
            [
                "spec": [
                    "ports": [
                        ["name": "http", "port": .integer(port)], ["name": "raw", "port": 7, "protocol": "TCP"],
                    ],
                    "versions": .array(versions.map { ["name": $0] }),
                ]
            ]
        }
        return [
            "services": [
                "shop/a": service(80, ["v1", "v2"]), "shop/b": service(81, ["v1"]), "ops/c": service(82, ["v1"]),
            ]
        ]
    }()

    private static func check(_ spec: JSONValue) throws -> VirtualServiceCheck {
        VirtualServiceCheck(
            try MeshDocument.spec(spec), named: try MeshDocument.namespaced("shop/rules"),
            in: try MeshDocument.read(mesh))
    }

    private static func errors(_ spec: JSONValue) throws -> [String] {
        try check(spec).violations.map { "\($0.pointer) \($0.code)" }
    }

    private static func rules(_ hosts: [JSONValue], _ destination: JSONValue, match: JSONValue = [:]) -> JSONValue {
        ["hosts": .array(hosts), "http": [["match": [match], "route": [["destination": destination]]]]]
    }

    @Test("a condition's port is one of some host's HTTP ports")
    func ports() throws {
        let rows: [(hosts: [JSONValue], port: Int64, errors: [String])] = [
            (["a", "b"], 80, []), (["a", "b"], 81, []),
            (["a", "b"], 82, ["/spec/http/0/match/0/port unknownReference"]),
            (["a"], 7, ["/spec/http/0/match/0/port unknownReference"]),
            (["none"], 80, ["/spec/hosts/0 unknownReference"]),
            (["none", "a"], 80, ["/spec/hosts/0 unknownReference"]),
        ]
        for row in rows {
            #expect(
                try Self.errors(Self.rules(row.hosts, ["host": "a"], match: ["port": .integer(row.port)])) == row.errors
            )
        }
        let wrong = try Self.check(Self.rules(["a", "b"], ["host": "a"], match: ["port": 82]))
        #expect(wrong.violations.first?.choices == ["80", "81"])
    }

    @Test("what a VirtualService lets others decide about is its own, and of its namespace")
    func delegations() throws {
        func delegating(_ host: String) -> JSONValue {
            [
                "hosts": ["a", "c.ops"], "delegateHosts": [["host": .string(host), "namespaces": ["ops"]]],
                "http": [["route": [["destination": ["host": "a"]]]]],
            ]
        }
        let rows: [(host: String, errors: [String])] = [
            ("a", []), ("a.shop.svc.cluster.local", []), ("b", ["/spec/delegateHosts/0/host invalidValue"]),
            ("c.ops", ["/spec/delegateHosts/0/host invalidValue"]),
        ]
        for row in rows { #expect(try Self.errors(delegating(row.host)) == row.errors, "\(row.host)") }
        #expect(try Self.check(delegating("b")).violations.first?.choices == ["a"])
    }

    @Test("a version in a host's place is made plain for one host, and left to each of several")
    func earlySpellings() throws {
        let one = try Self.check(Self.rules(["a"], ["host": "v2", "port": ["number": 80]]))
        #expect(one.violations.isEmpty && one.warnings.count == 1)
        #expect(
            one.spec.places.map(\.destination) == [
                Destination(host: "a", subset: try MeshDocument.name("v2"), port: 80)
            ])
        let two = try Self.check(Self.rules(["a", "b"], ["host": "v1"]))
        #expect(two.violations.isEmpty && two.warnings.count == 2)
        #expect(two.spec.places.map(\.destination) == [Destination(host: "v1")])
        #expect(
            try Self.errors(Self.rules(["a", "b"], ["host": "v2"])) == [
                "/spec/http/0/route/0/destination/host unknownReference"
            ])
        let plain = try Self.check(Self.rules(["a"], ["host": "a", "subset": "v1"]))
        #expect(plain.warnings.isEmpty && plain.spec.places.map(\.destination.host) == ["a"])
        let whole = try Self.check(Self.rules(["a"], ["host": "b"]))
        #expect(whole.warnings.isEmpty && whole.spec.places.map(\.destination) == [Destination(host: "b")])
        // Without any host a destination is looked at all the same.
        #expect(try Self.errors(Self.rules(["a"], ["host": "a", "subset": "v9"])).count == 1)
    }

    @Test("mirrors alike")
    func mirrors() throws {
        let spec: JSONValue = [
            "hosts": ["a"], "http": [["route": [["destination": ["host": "a"]]], "mirror": ["host": "v2"]]],
        ]
        let check = try Self.check(spec)
        #expect(check.spec.http[0].mirror?.destination == Destination(host: "a", subset: try MeshDocument.name("v2")))
    }
}
