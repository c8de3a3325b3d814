import Documents
import MeshCore
import MeshFixtures
import Testing

@testable import MeshDataPlane

@Suite("Statistics count for what their sidecar is sent")
struct KnownMeshTests {
    private static func entry(_ host: String, exportTo: [JSONValue]) -> JSONValue {
        [
            "spec": [
                "hosts": [.string(host)], "ports": [["number": 443, "name": "http", "protocol": "HTTP"]],
                "resolution": "DNS", "exportTo": .array(exportTo),
            ]
        ]
    }

    @Test("services and their versions for everybody, other hosts for who sees them")
    func clusters() throws {
        let state = try MeshDocument.read([
            "services": [
                "shop/reviews": ["spec": ["ports": [["name": "http", "port": 9080]], "versions": [["name": "v1"]]]]
            ],
            "serviceEntries": [
                "shop/own": Self.entry("own.example.com", exportTo: ["."]),
                "shop/all": Self.entry("all.example.com", exportTo: ["*"]),
            ],
        ])
        let mesh = KnownMesh(state, looked: .now)
        func isCounted(_ cluster: String, from namespace: String) throws -> Bool {
            mesh.cluster(cluster, sentTo: try MeshDocument.name(namespace)) != nil
        }
        for namespace in ["shop", "ops"] {
            #expect(try isCounted("outbound|9080|v1|reviews.shop.svc.cluster.local", from: namespace))
            #expect(try isCounted("outbound|9080||reviews.shop.svc.cluster.local", from: namespace))
            #expect(try !isCounted("outbound|9080|v2|reviews.shop.svc.cluster.local", from: namespace))
            #expect(try !isCounted("outbound|80||reviews.shop.svc.cluster.local", from: namespace))
            #expect(try isCounted("outbound|443||shop/all.example.com", from: namespace))
            #expect(try !isCounted("outbound|443||ops/all.example.com", from: namespace))
        }
        #expect(try isCounted("outbound|443||shop/own.example.com", from: "shop"))
        #expect(try !isCounted("outbound|443||shop/own.example.com", from: "ops"))
    }
}
