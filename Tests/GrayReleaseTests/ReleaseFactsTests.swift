import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

@Suite("What a release is, by its phase and its traffic")
struct ReleaseFactsTests {
    @Test("phases are active until they are terminal, and advance before the decision")
    func phases() {
        let facts = ReleaseStatus.Phase.allCases.map { phase in
            (phase.isActive ? "active " : "") + (phase.isTerminal ? "terminal " : "")
                + (phase.isAdvancing ? "advancing " : "")
                + phase.rawValue
        }
        #expect(
            facts == [
                "Draft", "active advancing Pending", "active advancing Progressing", "active advancing Paused",
                "active advancing WaitingApproval", "active Promoting",
                "active Finalizing", "terminal Succeeded", "active RollingBack", "terminal RolledBack",
                "terminal Aborted", "terminal Superseded",
                "terminal Failed",
            ])
    }

    @Test("traffic is about the port and the ports that it names, and is effective if the canary gets anything")
    func traffic() {
        func traffic(_ change: (inout ReleaseTraffic) -> Void) -> ReleaseTraffic {
            var traffic = ReleaseTraffic(
                service: NamespacedName(namespace: Fixture.shop, name: Fixture.reviews), stable: Fixture.v1,
                canary: Fixture.v2)
            change(&traffic)
            return traffic
        }
        let ports: [(change: (inout ReleaseTraffic) -> Void, covered: [Int])] = [
            ({ _ in }, [80, 81]), ({ $0.port = 80 }, [80]), ({ $0.ports = [81] }, [81]),
            (
                {
                    $0.port = 80
                    $0.ports = [81]
                }, []
            ),
        ]
        for row in ports { #expect([80, 81].filter(traffic(row.change).covers) == row.covered) }
        let effects: [(change: (inout ReleaseTraffic) -> Void, isEffective: Bool)] = [
            ({ _ in }, false), ({ $0.canaryShare = Fixture.share(1) }, true), ({ $0.matches = [ContentMatch()] }, true),
            ({ $0.mirror = .init(share: .all, methods: []) }, true),
        ]
        for row in effects { #expect(traffic(row.change).isEffective == row.isEffective) }
    }

    @Test("selectors of versions are as long as Kubernetes' may be")
    func selectors() throws {
        func isRefused(_ labels: [String: JSONValue]) throws -> Bool {
            let log = ViolationLog()
            let document: JSONValue = [
                "service": "reviews", "stable": ["version": "v1", "selector": .object(labels)],
                "canary": ["version": "v2"],
                "strategy": ["type": "canary"],
            ]
            _ = ReleaseSpec.read(document, at: .root, log: log)
            return log.violations.map { "\($0.pointer) \($0.code)" } == ["/stable/selector tooMany"]
        }
        func text(_ count: Int) -> String { String(repeating: "a", count: count) }
        func labels(_ count: Int) -> [String: JSONValue] {
            Dictionary(uniqueKeysWithValues: (0..<count).map { ("l\($0)", "v") })
        }
        #expect(try !isRefused([:]) && !isRefused(labels(32)) && isRefused(labels(33)))
        #expect(try !isRefused([text(317): "v"]) && isRefused([text(318): "v"]))
        #expect(try !isRefused(["l": .string(text(63))]) && isRefused(["l": .string(text(64))]))
    }

    @Test("what a started release keeps is said field by field")
    func changes() throws {
        var (old, new) = (Fixture.spec(), Fixture.spec())
        old.retainStable = .seconds(10)
        new.strategy.applyTimeout = .seconds(61)
        var status = ReleaseStatus()
        status.phase = .progressing
        let log = ViolationLog()
        new.check(replacing: old, at: status, .root, log: log)
        #expect(
            log.violations.map { "\($0.pointer) \($0.detail)" } == [
                "/retainStable a started release keeps it",
                "/strategy of a started release only steps behind the current one may be changed",
            ])
    }
}
