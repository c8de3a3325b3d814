import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("A service has ports, and versions that selectors mean")
struct ServiceSpecTests {
    private static let service: JSONValue = [
        "ports": [["name": "http", "port": 80], ["name": "raw", "port": 81, "protocol": "TCP"]],
        "versions": [
            ["name": "v1", "labels": ["tier": "gold", "track": "slow"]], ["name": "v2", "labels": ["tier": "gold"]],
            ["name": "v3", "labels": ["version": "three"]],
        ],
    ]

    @Test(
        "with names and numbers of their own",
        arguments: [
            (["ports": [["name": "a", "port": 1]]], []),
            (["ports": []], ["/ports required"]),
            (["ports": [["name": "a", "port": 1], ["name": "a", "port": 2]]], ["/ports/1/name duplicate"]),
            (["ports": [["name": "a", "port": 1], ["name": "b", "port": 1]]], ["/ports/1/port duplicate"]),
            (["ports": [["name": "a", "port": 0]]], ["/ports/0/port outOfRange"]),
            (["ports": [["name": "a", "port": 1, "protocol": "HTTPS"]]], ["/ports/0/protocol invalidValue"]),
            (
                ["ports": [["name": "a", "port": 1]], "versions": [["name": "v1"], ["name": "v1"]]],
                ["/versions/1/name duplicate"]
            ),
        ] as [(JSONValue, [String])])
    func documents(document: JSONValue, expected: [String]) {
        #expect(mistakes(in: document, ServiceSpec.self) == expected)
    }

    @Test(
        "a selector means the versions that have all of its labels; a version's name is its label version unless it says so"
    )
    func selectors() throws {
        let spec: ServiceSpec = try MeshDocument.spec(Self.service)
        let rows: [(selector: [String: String], versions: [String])] = [
            ([:], ["v1", "v2", "v3"]), (["tier": "gold"], ["v1", "v2"]), (["tier": "gold", "track": "slow"], ["v1"]),
            (["version": "v2"], ["v2"]), (["version": "v3"], []), (["version": "three"], ["v3"]),
            (["tier": "v2"], []), (["tier": "gold", "version": "v1"], ["v1"]),
        ]
        for row in rows {
            #expect(spec.versions(selectedBy: row.selector).map(\.text) == row.versions, "\(row.selector)")
        }
        #expect(spec.port(81)?.name.text == "raw" && spec.port(82) == nil)
        let (v1, v9) = (try MeshDocument.name("v1"), try MeshDocument.name("v9"))
        #expect(spec.hasVersion(v1) && !spec.hasVersion(v9))
        #expect(ServiceSpec.AppProtocol.allCases.filter(\.isHTTP) == [.http, .http2, .grpc])
        #expect(ServiceSpec.AppProtocol.allCases.filter(\.isHTTP2) == [.http2, .grpc])
    }

    @Test("a subset means the version that its labels select alone, and without labels the one of its name")
    func subsets() throws {
        let spec: ServiceSpec = try MeshDocument.spec(Self.service)
        let rows: [(name: String, labels: [String: String], version: String?)] = [
            ("v1", [:], "v1"), ("v9", [:], nil), ("best", ["track": "slow"], "v1"), ("best", ["tier": "gold"], nil),
            ("v1", ["tier": "none"], nil), ("v1", ["version": "three"], "v3"),
        ]
        for row in rows {
            let subset = DestinationRuleSpec.Subset(name: try MeshDocument.name(row.name), labels: row.labels)
            #expect(subset.version(in: spec)?.text == row.version, "\(row)")
        }
    }
}
