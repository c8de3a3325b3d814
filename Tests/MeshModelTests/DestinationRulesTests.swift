import Documents
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Destination rules")
struct DestinationRulesTests {
    private func read(_ policy: JSONValue, subsets: JSONValue = []) throws -> DestinationRuleSpec {
        let log = ViolationLog()
        let document: JSONValue = ["host": "reviews", "trafficPolicy": policy, "subsets": subsets]
        let spec = DestinationRuleSpec.read(document, at: .root, log: log)
        return try #require(spec, "\(log.violations)")
    }

    @Test("What is written is read back as it was")
    func roundTrip() throws {
        let spec = try read(
            [
                "loadBalancer": ["consistentHash": ["httpCookie": ["name": "cart", "path": "/", "ttl": "1h"]]],
                "connectionPool": [
                    "tcp": ["maxConnections": 1, "connectTimeout": "1s", "tcpKeepalive": ["time": "10s"]],
                    "http": ["maxRequestsPerConnection": 0, "maxConcurrentStreams": 7],
                ],
                "outlierDetection": ["consecutive5xxErrors": 0, "minHealthPercent": 50],
                "portLevelSettings": [["port": ["number": 80], "loadBalancer": ["simple": "RANDOM"]]],
            ],
            subsets: [["name": "v1", "labels": ["version": "v1"], "trafficPolicy": ["outlierDetection": [:]]]])
        #expect(DestinationRuleSpec.read(spec.json, at: .root, log: ViolationLog()) == spec)
        let policy: JSONValue = spec.json["trafficPolicy"] ?? .null
        #expect(policy["loadBalancer"]?["consistentHash"]?["ringHash"] == ["minimumRingSize": 1024])
        #expect(policy["connectionPool"]?["http"]?["maxRequestsPerConnection"] == 0)
    }

    @Test("A subset replaces blocks, a port replaces everything")
    func precedence() throws {
        let v1 = try #require(Name("v1"))
        let v2 = try #require(Name("v2"))
        let service: ServiceSpec = try MeshDocument.spec([
            "ports": [["name": "http", "port": 80]], "versions": [["name": "v1"], ["name": "v2"]],
        ])
        let spec = try read(
            [
                "loadBalancer": ["simple": "ROUND_ROBIN"], "outlierDetection": ["consecutive5xxErrors": 9],
                "portLevelSettings": [["port": ["number": 81], "connectionPool": ["tcp": ["maxConnections": 5]]]],
            ],
            subsets: [
                [
                    "name": "v1",
                    "trafficPolicy": [
                        "outlierDetection": ["consecutive5xxErrors": 1],
                        "portLevelSettings": [["port": ["number": 82], "loadBalancer": ["simple": "RANDOM"]]],
                    ],
                ],
                ["name": "v2"],
            ])
        let common = spec.policy(port: 80, version: nil, of: service)
        #expect(common.loadBalancer == .simple(.roundRobin) && common.outlierDetection?.consecutive5xxErrors == 9)
        #expect(spec.policy(port: 80, version: v2, of: service) == common)
        let port = spec.policy(port: 81, version: nil, of: service)
        #expect(port.loadBalancer == nil && port.outlierDetection == nil && port.connectionPool?.maxConnections == 5)
        let version = spec.policy(port: 80, version: v1, of: service)
        #expect(version.loadBalancer == .simple(.roundRobin) && version.outlierDetection?.consecutive5xxErrors == 1)
        let both = spec.policy(port: 81, version: v1, of: service)
        #expect(both.connectionPool?.maxConnections == 5 && both.outlierDetection?.consecutive5xxErrors == 1)
        let own = spec.policy(port: 82, version: v1, of: service)
        #expect(own.loadBalancer == .simple(.random) && own.outlierDetection == nil)
    }

    @Test(
        "Hashing needs one source and a table of prime size",
        arguments: [
            ([:], "required"), (["useSourceIp": false], "required"),
            (["useSourceIp": true, "httpHeaderName": "x"], "conflict"),
            (["useSourceIp": false, "httpHeaderName": "x", "maglev": ["tableSize": 4]], "invalidValue"),
            (["httpHeaderName": "x", "maglev": ["tableSize": 65_536]], "invalidValue"),
            (["httpHeaderName": "x", "maglev": [:], "ringHash": [:]], "conflict"),
            (["httpCookie": ["ttl": "1s"]], "required"),
        ] as [(JSONValue, String)])
    func hashing(_ hash: JSONValue, _ code: String) {
        let log = ViolationLog()
        let document: JSONValue = ["host": "r", "trafficPolicy": ["loadBalancer": ["consistentHash": hash]]]
        #expect(DestinationRuleSpec.read(document, at: .root, log: log) == nil)
        #expect(log.violations.map(\.code.rawValue) == [code])
    }
}
