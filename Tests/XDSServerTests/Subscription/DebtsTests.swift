import Testing

@testable import XDSServer

@Suite("What a client has yet to be told")
struct DebtsTests {
    @Test("a client waits if it is owed a response, everything, or names")
    func awaited() {
        var debts = Debts()
        #expect(!debts.isAwaited)
        debts.add(.init())
        #expect(!debts.isAwaited)
        for demand in [Interest.Demand(isForAll: true), .init(isAwaited: true), .init(names: ["a"])] {
            debts = Debts()
            debts.add(demand)
            #expect(debts.isAwaited)
            debts.add(.init())
            #expect(debts.isAwaited, "a request that demands nothing takes nothing back")
            debts.clear()
            #expect(!debts.isAwaited)
        }
        debts.resends.add(shared: NameSet(["a"])) { _ in true }
        #expect(debts.isAwaited)
    }

    @Test("what is left after a response are removals, and what was claimed of them")
    func cleared() {
        var debts = Debts()
        debts.initialVersions = InitialVersions(["a": "1", "b": "1"])
        debts.pendingRemovals = ["a": .claimed]
        debts.dueHeartbeats = ["c"]
        debts.clear()
        #expect(debts.initialVersions.expand() == ["a": "1"])
        #expect(debts.pendingRemovals.keys.sorted() == ["a"] && debts.dueHeartbeats == ["c"])
        debts.pendingRemovals = [:]
        debts.clear()
        #expect(debts.initialVersions.isEmpty)
    }

    @Test("a name that is asked for anew is sent, whatever was claimed of it")
    func renewed() {
        var debts = Debts()
        debts.initialVersions = InitialVersions(["a": "1", "b": "1"])
        debts.renew("a")
        #expect(debts.resends.names == ["a"] && debts.initialVersions.expand() == ["b": "1"])
    }

    @Test("what a client drops it need not be told of")
    func dropped() {
        var debts = Debts()
        debts.initialVersions = InitialVersions(["a": "1", "b": "1"])
        debts.pendingRemovals = ["a": .claimed, "b": .claimed]
        debts.resends.add(["a", "b"])
        debts.drop { $0 == "a" }
        #expect(debts.resends.names == ["a"] && debts.initialVersions.expand() == ["a": "1"])
        #expect(debts.pendingRemovals.keys.sorted() == ["a"])
    }

    @Test("names that are resent to many clients stay one set until a single name counts")
    func sharedResends() {
        var resends = Resends()
        resends.add(shared: NameSet(["a", "b"])) { _ in false }
        #expect(resends.shared?.names == ["a", "b"] && resends.names.isEmpty && !resends.isEmpty)
        resends.keep { $0 == "a" }
        #expect(resends.shared == nil && resends.names == ["a"])
        resends.add(shared: NameSet(["c", "d"])) { $0 == "c" }
        #expect(resends.shared == nil && resends.names == ["a", "c"], "beside others only what this client wants")
        #expect(resends.expand { _ in true } == ["a", "c"])
    }

    @Test("a claimed list stays what the client sent until a single version counts")
    func initialVersions() {
        var versions = InitialVersions(["a": "1", "b": "2", "c": "1"])
        #expect(versions.list?.count == 3 && !versions.isExpanded && !versions.isEmpty)
        versions.set("", of: "none")
        versions.set("", of: "a")
        #expect(versions.list == nil && versions.isExpanded)
        #expect(versions.expand() == ["a": "", "b": "2", "c": "1"])
        versions.remove("2")
        #expect(versions.expand().keys.sorted() == ["a", "c"])
        versions.set(nil, of: "a")
        versions.keep { $0 == "x" }
        #expect(versions.isEmpty)
        #expect(InitialVersions([:]).isEmpty)
    }
}
