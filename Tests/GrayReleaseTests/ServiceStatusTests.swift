import Documents
import GrayRelease
import MeshCore
import MeshFixtures
import Testing

@Suite("A service's status: its stable version and those that retired")
struct ServiceStatusTests {
    private static let time = Timestamp(microseconds: 1_795_400_000_000_000)

    private static func name(_ text: String) throws -> Name { try MeshDocument.name(text) }

    private static func promote(_ from: String, _ to: String, rules: [String] = []) throws -> ServiceStatus.Change {
        .promote(from: try name(from), to: try name(to), at: time, rules: rules)
    }

    @Test("after a chain of promotions every retired version means the stable one; one that comes back means itself")
    func chain() throws {
        var status = ServiceStatus()
        let release = try Self.name("r")
        status.apply(.setStable(try Self.name("v1")), by: release)
        status.apply(.setStable(try Self.name("v2")), by: release)
        #expect(status.stableVersion?.text == "v1", "a pointer that is set is not set again")
        for (from, to) in [("v1", "v2"), ("v2", "v3")] { status.apply(try Self.promote(from, to), by: release) }
        #expect(status.stableVersion?.text == "v3")
        #expect(status.promotions.map(\.from.text) == ["v1", "v2"])
        #expect(status.promotion(from: try Self.name("v1")) != nil)
        #expect(status.promotion(from: try Self.name("v2"))?.from.text == "v2", "each has its own")
        #expect(status.promotion(from: try Self.name("v3")) == nil)
        status.apply(try Self.promote("v3", "v1", rules: ["pin"]), by: release)
        #expect(status.promotions.map(\.from.text) == ["v2", "v3"])
        #expect(status.promotions.last?.rules == ["pin"])
        #expect(status.promotions.last?.release == release)
        #expect(status.promotions.last?.at == Self.time)
    }

    @Test("no number of promotions makes the first one forgotten")
    func many() throws {
        var status = ServiceStatus(stableVersion: try Self.name("v0"))
        for number in 0..<64 {
            status.apply(try Self.promote("v\(number)", "v\(number + 1)"), by: try Self.name("r"))
        }
        #expect(status.promotions.count == 64)
        #expect(status.promotion(from: try Self.name("v0")) != nil)
        #expect(ServiceStatus(status.json) == status)
    }

    @Test("a promotion that is taken back leaves the pointer and the set as they were")
    func restore() throws {
        let before = ServiceStatus(
            stableVersion: try Self.name("v1"), promotions: [.init(from: try Self.name("v2"), at: Self.time)])
        var status = before
        status.apply(try Self.promote("v1", "v2"), by: try Self.name("r"))
        #expect(status.promotions.map(\.from.text) == ["v1"])
        status.apply(.restore(before), by: try Self.name("r"))
        #expect(status == before)
    }

    @Test(
        "the history that servers of before kept is read as the set of what is not stable",
        arguments: [
            (["stableVersion": "v2", "promotions": [["from": "v1", "to": "v2", "revision": 5]]], ["v1"]),
            (
                [
                    "stableVersion": "v3",
                    "promotions": [
                        ["from": "v1", "to": "v2", "revision": 5], ["from": "v2", "to": "v3", "revision": 9],
                    ],
                ], ["v1", "v2"]
            ),
            (
                [
                    "stableVersion": "v1",
                    "promotions": [
                        ["from": "v1", "to": "v2", "revision": 5], ["from": "v2", "to": "v1", "revision": 9],
                        ["from": "v2", "to": "v1", "revision": 11],
                    ],
                ], ["v2"]
            ),
            (["promotions": [["from": "v1", "to": "v2", "revision": 5]]], []),
            (["stableVersion": "v2", "promotions": [["from": 7], ["to": "v2"], 3, ["from": "V!"]]], []),
        ] as [(JSONValue, [String])])
    func upgrade(_ document: JSONValue, _ retired: [String]) {
        let status = ServiceStatus(document)
        #expect(status.promotions.map(\.from.text) == retired)
        #expect(ServiceStatus(status.json) == status)
    }

    @Test("promotions are cleared one by one or all together")
    func clear() throws {
        let all = ServiceStatus(
            stableVersion: try Self.name("v3"),
            promotions: [.init(from: try Self.name("v1")), .init(from: try Self.name("v2"))])
        var status = all
        status.clearPromotions(from: try Self.name("v1"))
        #expect(status.promotions.map(\.from.text) == ["v2"])
        status = all
        status.clearPromotions()
        #expect(status == ServiceStatus(stableVersion: try Self.name("v3")))
    }
}
