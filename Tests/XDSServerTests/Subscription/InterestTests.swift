import Testing

@testable import XDSServer

@Suite("What a client wants of a type")
struct InterestTests {
    private let table = NameTable()

    private func replace(
        _ interest: inout Interest, _ names: [String], of type: ResourceType = .endpoint, isStale: Bool = false,
        isRepeated: Bool = false
    ) -> Interest.Demand {
        let demand = interest.replace(
            with: NameList(names), of: type, isStale: isStale, isRepeated: isRepeated, sharing: table)
        interest.isStated = true
        return demand
    }

    @Test("at first, no names mean everything of a type whose responses are full, and nothing of another")
    func noNames() {
        for type in [ResourceType.cluster, .listener] {
            var interest = Interest()
            #expect(replace(&interest, [], of: type) == .init(isForAll: true, isAwaited: true))
            #expect(interest.isWildcard && interest.wants("any"))
        }
        var interest = Interest()
        _ = replace(&interest, [], of: .endpoint)
        #expect(!interest.isWildcard && !interest.wants("any"))
    }

    @Test("after names were given, no names mean nothing")
    func noNamesLater() {
        var interest = Interest()
        _ = replace(&interest, ["a"], of: .cluster)
        #expect(interest.wants("a") && !interest.wants("b"))
        #expect(replace(&interest, [], of: .cluster) == .init(isForAll: true, isAwaited: true))
        #expect(!interest.isWildcard && !interest.wants("a"))
    }

    @Test("a wildcard is no name")
    func wildcard() {
        var interest = Interest()
        _ = replace(&interest, ["*", "a"])
        #expect(interest.isWildcard && interest.names.names == ["a"])
        interest = Interest()
        interest.addWildcard()
        interest.add(["b"], sharing: table)
        #expect(interest.wants("x") && interest.names.names == ["b"])
        interest.removeWildcard()
        #expect(!interest.wants("x") && interest.wants("b"))
    }

    @Test("a list with more names demands those, one with fewer nothing")
    func moreAndFewer() {
        var interest = Interest()
        _ = replace(&interest, ["a"])
        #expect(replace(&interest, ["a", "b"]) == .init(names: ["b"]))
        #expect(replace(&interest, ["b"]) == .init())
        #expect(replace(&interest, ["b", "*"]) == .init(isForAll: true))
    }

    @Test("the same list once more demands everything if nothing is on its way, else nothing")
    func repeated() {
        var interest = Interest()
        _ = replace(&interest, ["a"])
        #expect(replace(&interest, ["a"]) == .init())
        #expect(replace(&interest, ["a"], isRepeated: true) == .init(isForAll: true))
        _ = replace(&interest, ["a"], of: .cluster)
        #expect(replace(&interest, ["a"], of: .cluster, isRepeated: true) == .init(), "full responses repeat it anyway")
    }

    @Test("a stale request changes nothing, but what it leaves out is demanded when it is wanted still")
    func stale() {
        var interest = Interest()
        _ = replace(&interest, ["a", "b"])
        #expect(replace(&interest, ["b", "c"], isStale: true) == .init())
        #expect(interest.names.names == ["a", "b"])
        #expect(replace(&interest, ["a", "b"]) == .init(names: ["a"]))
        #expect(replace(&interest, ["a", "b"]) == .init(), "once")
        #expect(replace(&interest, ["a"], isStale: true) == .init())
        #expect(replace(&interest, ["a"]) == .init(), "b is not wanted any more")
    }

    @Test("a stale request that leaves out the wildcard has dropped everything")
    func staleWildcard() {
        for type in [ResourceType.endpoint, .cluster] {
            var interest = Interest()
            _ = replace(&interest, ["*"], of: type)
            #expect(replace(&interest, ["a"], of: type, isStale: true) == .init())
            #expect(interest.isWildcard)
            #expect(replace(&interest, ["*"], of: type).isForAll)
            #expect(replace(&interest, ["*"], of: type) == .init())
        }
    }

    @Test("clients that want the same share one set, also when they add to it one by one")
    func sharing() {
        let names = (0..<100).map { "service-\($0)" }
        var (one, other) = (Interest(), Interest())
        one.add(NameList(names), sharing: table)
        for name in names { other.add([name], sharing: table) }
        #expect(one.names == other.names)
        #expect(table.known(NameSet(names), adding: []) == one.names)
        #expect(one.remove("service-1") && !one.remove("service-1"))
        #expect(one.names.count == 99 && other.names.count == 100)
    }

    @Test("it is exactly a set if the client wants all of it and nothing else")
    func exactly() {
        let clusters = snapshot(1, [.cluster: ["a": "1", "b": "1"]])[.cluster]
        let cases: [(names: [String], wildcard: Bool, isExactly: Bool)] = [
            (["a", "b"], false, true), (["a"], false, false), (["a", "b", "c"], false, false),
            (["a", "c"], false, false),
            ([], true, true), (["a"], true, false), ([], false, false),
        ]
        for row in cases {
            var interest = Interest()
            if row.wildcard { interest.addWildcard() }
            interest.add(NameList(row.names), sharing: table)
            #expect(interest.isExactly(clusters) == row.isExactly, "\(row)")
        }
    }
}
