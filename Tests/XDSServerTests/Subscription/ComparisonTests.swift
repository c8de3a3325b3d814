import Testing

@testable import XDSServer

@Suite("What a client lacks, name by name")
struct ComparisonTests {
    private func comparison(
        of contents: [String: String], with known: [String: String]? = nil, wants names: [String] = [],
        wildcard: Bool = true, resends: Swift.Set<String> = [], resendsAll: Bool = false,
        initialVersions: [String: String] = [:], nacked: Swift.Set<String> = [], hasPendingRemovals: Bool = false
    ) -> Comparison {
        var interest = Interest()
        if wildcard { interest.addWildcard() }
        interest.add(NameList(names), sharing: NameTable())
        return Comparison(
            interest: interest, known: known.map { snapshot(1, [.cluster: $0])[.cluster] },
            set: snapshot(2, [.cluster: contents])[.cluster], resends: resends, resendsAll: resendsAll,
            initialVersions: initialVersions.mapValues { $0 }, nacked: nacked, hasPendingRemovals: hasPendingRemovals)
    }

    @Test("at first everything is looked at that the client wants, there or not")
    func first() {
        #expect(comparison(of: ["b": "1", "a": "1"]).names == ["a", "b"])
        #expect(comparison(of: ["a": "1", "b": "1"], wants: ["b", "x"], wildcard: false).names == ["b", "x"])
    }

    @Test("then what changed, came or went of what the client wants, and what is sent again")
    func later() {
        let before = ["a": "1", "b": "1", "c": "1"]
        let after = ["a": "1", "b": "2", "d": "1"]
        #expect(comparison(of: after, with: before).names == ["b", "c", "d"])
        #expect(comparison(of: after, with: before, wants: ["c"], wildcard: false).names == ["c"])
        #expect(comparison(of: after, with: before, resends: ["a"]).names == ["a", "b", "c", "d"])
        #expect(comparison(of: after, with: before, resendsAll: true).names == ["a", "b", "c", "d"])
    }

    @Test("what a client rightly claims is left out, unless something has yet to be removed")
    func claimed() throws {
        let set = snapshot(1, [.cluster: ["a": "1", "b": "1"]])[.cluster]
        let version = try #require(set["a"]?.version)
        let initialVersions = ["a": version, "b": "old", "gone": "1"]
        #expect(comparison(of: ["a": "1", "b": "1"], initialVersions: initialVersions).names == ["b", "gone"])
        #expect(
            comparison(of: ["a": "1", "b": "1"], initialVersions: initialVersions, hasPendingRemovals: true).names
                == ["a", "b", "gone"])
    }

    @Test("what was refused together is tried again together when some of it has changed, and not before")
    func nacked() {
        let before = ["a": "1", "b": "1", "c": "1"]
        let nacked: Swift.Set = ["a", "b"]
        #expect(comparison(of: ["a": "1", "b": "1", "c": "2"], with: before, nacked: nacked).names == ["c"])
        #expect(comparison(of: ["a": "1", "b": "2", "c": "1"], with: before, nacked: nacked).names == ["a", "b"])
        #expect(comparison(of: before, with: before, resends: ["a"], nacked: nacked).names == ["a", "b"])
        #expect(comparison(of: before, with: before, resendsAll: true, nacked: nacked).names == ["a", "b", "c"])
    }

    @Test("a resource is sent although the client has it when it is to be sent again or was refused")
    func resend() {
        let all = ["a": "1", "b": "1"]
        let some = comparison(of: all, with: all, resends: ["a"], nacked: ["b"])
        #expect(some.isSentAnyway("a") && some.isSentAnyway("b") && !some.isSentAnyway("c"))
        let everything = comparison(of: all, with: all, wants: ["a"], wildcard: false, resendsAll: true)
        #expect(everything.isSentAnyway("a") && !everything.isSentAnyway("b"))
        #expect(some.has("a") && !some.has("c") && comparison(of: all, initialVersions: ["x": "1"]).has("x"))
        #expect(!some.hasChanged("a") && comparison(of: all, with: ["a": "0"]).hasChanged("a"))
    }
}
