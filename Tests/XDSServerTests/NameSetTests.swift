import TestSupport
import Testing

@testable import XDSServer

@Suite("Sets of names")
struct NameSetTests {
    private let many = (0..<100).map { "name \($0)" }

    @Test("Sets with the same names are equal, whatever became of them before")
    func equality() {
        var changed = NameSet(many.reversed() + ["name 7", "extra"])
        #expect(changed != NameSet(many) && changed.count == 101)
        #expect(changed.remove("extra") && !changed.remove("extra"))
        #expect(changed == NameSet(many))
        changed.insert("name 3")
        #expect(changed == NameSet(many), "a name that is there already changes nothing")
        _ = changed.remove("name 3")
        changed.insert("name x")
        #expect(changed != NameSet(many) && changed.count == many.count, "as many names, but others")
        #expect(NameSet() == NameSet([]) && NameSet() != NameSet([""]))
    }

    @Test("A table gives back equal sets, in any order, with duplicates or not, and mixes nothing in")
    func sharing() {
        let table = NameTable()
        let other = ["other"] + many.dropFirst()
        for list in [many, many.reversed(), many + many, other, many, Array(other.reversed()), [], ["a"]] {
            #expect(table.set(of: NameList(list)).names == Set(list))
            #expect(table.shared(NameSet(list)).names == Set(list))
        }
    }

    @Test("More sets than the table keeps are no harm")
    func eviction() {
        let table = NameTable()
        for index in 0..<200 {
            #expect(table.set(of: NameList(many + ["extra \(index)"])).names.contains("extra \(index)"))
        }
        #expect(table.set(of: NameList(many)).names == Set(many))
    }

    @Test("Whether a set is covered by names is right, asked once or often")
    func coverage() {
        let resources = many.map { EncodedResource(.endpoint, name: $0, body: []) }
        let set = LayeredSet([ResourceSet(resources), ResourceSet([EncodedResource(.endpoint, name: "own", body: [])])])
        for _ in 0..<2 {
            #expect(set.isCovered(by: NameSet(many + ["own"])) && set.isCovered(by: NameSet(many + ["own", "more"])))
            #expect(!set.isCovered(by: NameSet(many)) && !set.isCovered(by: NameSet(many + ["other"])))
        }
        for index in 0..<40 { #expect(!set.isCovered(by: NameSet(many + ["extra \(index)"]))) }
        #expect(set.isCovered(by: NameSet(many + ["own"])))
    }
}
