import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import MeshModel
import Testing

@Suite("Policies of connections")
struct TrafficPolicyTests {
    private static func rule(_ policy: JSONValue, subsets: JSONValue = []) -> JSONValue {
        ["host": "reviews", "trafficPolicy": policy, "subsets": subsets]
    }

    @Test("tables of Maglev have a prime size")
    func primes() {
        func isRefused(_ size: Int64) -> Bool {
            let hash: JSONValue = ["useSourceIp": true, "maglev": ["tableSize": .integer(size)]]
            return mistakes(in: Self.rule(["loadBalancer": ["consistentHash": hash]]), DestinationRuleSpec.self)
                == ["/trafficPolicy/loadBalancer/consistentHash/maglev/tableSize invalidValue"]
        }
        let primes: Set<Int64> = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]
        for number in Int64(2)..<50 { #expect(isRefused(number) == !primes.contains(number), "\(number)") }
        #expect(!isRefused(5_000_011) && isRefused(4_999_999 / 3 * 3) && isRefused(2003 * 2003))
    }

    @Test("the early size of a ring stands in the ring today, and beside Maglev for nothing")
    func rings() throws {
        func read(_ hash: JSONValue) -> (size: Int?, mistakes: [String]) {
            let log = ViolationLog()
            let spec = DestinationRuleSpec.read(
                Self.rule(["loadBalancer": ["consistentHash": JSONValue.object(["useSourceIp": true]).merged(hash)]]),
                at: .root, log: log)
            guard case .consistentHash(let hash)? = spec?.trafficPolicy?.common.loadBalancer,
                case .ringHash(let ring) = hash.algorithm
            else { return (nil, log.violations.map { "\($0.pointer.description.suffix(18)) \($0.code)" }) }
            return (ring.minimumRingSize, [])
        }
        #expect(read([:]).size == 1024)
        #expect(read(["minimumRingSize": 7]).size == 7)
        #expect(read(["ringHash": ["minimumRingSize": 8]]).size == 8)
        #expect(read(["minimumRingSize": 7, "ringHash": ["minimumRingSize": 8]]).size == 8)
        #expect(read(["minimumRingSize": 7, "ringHash": [:]]).size == 7)
        #expect(read(["minimumRingSize": 7, "maglev": [:]]).mistakes == ["sistentHash/maglev conflict"])
        #expect(read(["maglev": [:]]).mistakes == [])
    }

    @Test("whether requests are sent by their hash, to some port or some version")
    func hashing() throws {
        let hash: JSONValue = ["loadBalancer": ["consistentHash": ["useSourceIp": true]]]
        let plain: JSONValue = ["loadBalancer": ["simple": "RANDOM"]]
        func port(_ policy: JSONValue) -> JSONValue {
            ["portLevelSettings": [JSONValue.object(["port": ["number": 80]]).merged(policy)]]
        }
        let rows: [(document: JSONValue, hashes: Bool)] = [
            (["host": "reviews"], false), (Self.rule(plain), false), (Self.rule(hash), true),
            (Self.rule(port(plain)), false),
            (Self.rule(port(hash)), true), (Self.rule(plain, subsets: [["name": "v1", "trafficPolicy": hash]]), true),
            (Self.rule(plain, subsets: [["name": "v1", "trafficPolicy": plain], ["name": "v2"]]), false),
            (Self.rule(hash, subsets: [["name": "v1", "trafficPolicy": plain]]), true),
        ]
        for row in rows {
            let spec: DestinationRuleSpec = try MeshDocument.spec(row.document)
            #expect(spec.hashesRequests == row.hashes, "\(row.document)")
        }
    }
}
