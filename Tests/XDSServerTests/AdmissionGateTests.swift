import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import XDSServer

@Suite("The gate for newcomers")
struct AdmissionGateTests {
    /// Takes a millisecond when its turn comes, on a clock that stands still otherwise.
    private final class Visitor: Newcomer {
        let name: String
        private let hall: Hall
        init(_ name: String, in hall: Hall) { (self.name, self.hall) = (name, hall) }
        func proceed() { hall.serve(name) }
    }

    private final class Hall {
        let loop = EmbeddedEventLoop()
        private(set) var served: [String] = []
        private var now = NIODeadline.uptimeNanoseconds(0)
        private(set) lazy var gate = AdmissionGate(
            on: loop, pace: .init(work: .milliseconds(3), pause: .milliseconds(1)), now: { [unowned self] in now })

        func serve(_ name: String) {
            served.append(name)
            now = now + .milliseconds(1)
        }

        func come(_ name: String, of tenant: String) {
            if gate.isOpen { gate.serve { serve(name) } } else { gate.wait(Visitor(name, in: self), of: tenant) }
        }

        /// Lets the pause pass.
        func pass() { loop.advanceTime(by: .milliseconds(1)) }
    }

    @Test("Newcomers are served at once until they have had their time; after a pause they have it again")
    func pace() {
        let hall = Hall()
        for index in 0..<8 { hall.come("\(index)", of: "acme") }
        #expect(hall.served == ["0", "1", "2"] && !hall.gate.isOpen)
        hall.pass()
        #expect(hall.served.count == 6)
        hall.pass()
        #expect(hall.served == (0..<8).map(String.init) && hall.gate.isOpen)
        hall.come("late", of: "acme")
        #expect(hall.served.last == "late")
    }

    @Test("Who comes while others wait does not pass them by")
    func order() {
        let hall = Hall()
        for index in 0..<5 { hall.come("\(index)", of: "acme") }
        hall.pass()
        // Two of the three milliseconds are used, so the gate is open again.
        #expect(hall.served.count == 5 && hall.gate.isOpen)
        for index in 5..<9 { hall.come("\(index)", of: "acme") }
        hall.pass()
        #expect(hall.served == (0..<9).map(String.init))
    }

    @Test("Tenants take turns, however many of one wait")
    func fairness() {
        let hall = Hall()
        for index in 0..<103 { hall.come("big \(index)", of: "big") }
        for index in 0..<2 { hall.come("small \(index)", of: "small") }
        hall.pass()
        hall.pass()
        #expect(hall.served[3...] == ["big 3", "small 0", "big 4", "small 1", "big 5", "big 6"])
    }

    @Test("Who leaves has no turn and keeps nobody's")
    func leaving() {
        let hall = Hall()
        for index in 0..<3 { hall.come("\(index)", of: "acme") }
        let visitors = (0..<3).map { Visitor("visitor \($0)", in: hall) }
        for visitor in visitors { hall.gate.wait(visitor, of: visitor === visitors[2] ? "other" : "acme") }
        hall.gate.leave(visitors[0], of: "acme")
        hall.gate.leave(visitors[2], of: "other")
        hall.pass()
        #expect(hall.served == ["0", "1", "2", "visitor 1"] && hall.gate.isOpen)
    }

    @Test("A queue of many parties loses and invents nothing", arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = FairQueue<Int>()
        var expected: [String: [Int]] = [:]
        for number in 0..<500 {
            let party = "\(Int.random(in: 0..<5, using: &random))"
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                queue.append(number, of: party)
                expected[party, default: []].append(number)
            case 1:
                let gone = expected[party]?.randomElement(using: &random)
                queue.remove(from: party) { $0 == gone }
                expected[party]?.removeAll { $0 == gone }
            default:
                let first = queue.popFirst()
                #expect((first == nil) == expected.values.allSatisfy(\.isEmpty))
                guard let first else { break }
                let owner = expected.first { $0.value.first == first }?.key
                #expect(owner != nil, "\(first) is nobody's first")
                if let owner { expected[owner]?.removeFirst() }
            }
            #expect(queue.isEmpty == expected.values.allSatisfy(\.isEmpty))
        }
    }
}

@Suite("Newcomers at a server's gate", .timeLimit(.minutes(2)))
struct WaitingClientTests {
    /// Hardly anybody is served at once.
    private static let pace = AdmissionGate.Pace(work: .nanoseconds(1), pause: .microseconds(100))

    @Test("All are served in the end, and what they said while they waited counts", arguments: bothVariants)
    func everybody(_ variant: Variant) async throws {
        try await Fixture.serving(pace: Self.pace) { fixture in
            var clients: [XDSClient] = []
            for _ in 0..<20 { clients.append(try await XDSClient(variant, to: fixture.address)) }
            for (index, client) in clients.enumerated() {
                try client.send(.cluster, node: "proxy \(index)")
                try client.send(.endpoint, ["a"])
            }
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"], .endpoint: ["a": "1"]]), to: ViewID("view"))
            for index in clients.indices {
                for type in [ResourceType.cluster, .endpoint] {
                    let message = try await clients[index].next()
                    #expect(message.type == type)
                    try clients[index].send(type, type == .endpoint ? ["a"] : [], answering: message)
                }
                #expect(await fixture.report(of: "proxy \(index)") { $0.ackedRevision == 1 } != nil)
                clients[index].disconnect()
            }
        }
    }

    @Test("Clients that leave while they wait, or must not come in, are in nobody's way", arguments: bothVariants)
    func leaving(_ variant: Variant) async throws {
        try await Fixture.serving(pace: Self.pace) { fixture in
            var last = try await XDSClient(variant, to: fixture.address)
            for index in 0..<50 {
                let client = try await last.sibling()
                // Of another view: the one that is published must be wanted until the last client comes.
                try client.send(.cluster, node: index % 2 == 0 ? "" : "passer-by", view: "elsewhere")
                client.cancel()
            }
            try last.send(.cluster, node: "stayer")
            await fixture.publish(snapshot(1, [.cluster: ["a": "1"]]), to: ViewID("view"))
            #expect(try await last.next().items.map(\.name) == ["a"])
            last.disconnect()
        }
    }
}
