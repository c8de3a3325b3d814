import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("An endpoint, a cluster and a mesh are well-formed")
struct PlaceSpecTests {
    @Test(
        "an endpoint is at an IP address, and its sidecar hands something on",
        arguments: [
            ([:], []), (["address": "fd00::1"], []), (["address": "localhost"], ["/address invalidFormat"]),
            (["address": ""], ["/address invalidFormat"]), (["locality": "eu/a/1"], []),
            (["locality": "eu/a/1/x"], ["/locality invalidFormat"]),
            (["locality": "eu/a/1/"], ["/locality invalidFormat"]),
            (["weight": 0], ["/weight outOfRange"]), (["weight": 1000], []),
            (["health": "dead"], ["/health invalidValue"]),
            (["sidecar": ["proxy": "p", "workloadPorts": ["http": 80]]], []),
            (["sidecar": ["proxy": "p", "workloadPorts": [:]]], ["/sidecar/workloadPorts required"]),
            (["sidecar": ["proxy": "p"]], ["/sidecar/workloadPorts required"]),
        ] as [(JSONValue, [String])])
    func endpoints(change: JSONValue, expected: [String]) {
        let endpoint: JSONValue = ["cluster": "dev", "address": "10.0.0.1"]
        #expect(mistakes(in: endpoint.merged(change), EndpointSpec.self) == expected)
    }

    @Test("namespaces whose workloads get sidecars are warned of: nobody gives them any")
    func injection() {
        for (namespaces, warned) in [(["shop"], 1), ([], 0)] as [(JSONValue, Int)] {
            let log = ViolationLog()
            let spec: JSONValue = ["kind": "universal", "mesh": ["injection": ["namespaces": namespaces]]]
            #expect(ClusterSpec.read(spec, at: .root, log: log) != nil)
            #expect(log.warnings.count == warned)
        }
    }

    @Test("a cluster is part of the mesh that is enabled on it")
    func clusters() throws {
        let acme = try MeshDocument.name("acme")
        let rows: [(mesh: JSONValue?, isPart: Bool)] = [
            (nil, false), (["enabled": false], false), (["enabled": true], true),
            (["enabled": true, "mesh": "blue"], false),
        ]
        for row in rows {
            var document: [String: JSONValue] = ["kind": "universal"]
            document["mesh"] = row.mesh
            let spec: ClusterSpec = try MeshDocument.spec(.object(document))
            let object = StoredObject(
                key: .cluster(acme, of: acme), uid: "", generation: 1, revision: 1, metadata: ObjectLabels(),
                createTime: Timestamp(microseconds: 0), updateTime: Timestamp(microseconds: 0), spec: spec.json,
                status: [:])
            let input = ClusterSpec.input(spec, of: object, in: MeshKey(tenant: acme, mesh: .defaultMesh))
            #expect((input != nil) == row.isPart)
        }
    }
}
