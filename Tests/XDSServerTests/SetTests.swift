import NIOCore
import TestSupport
import Testing

@testable import GRPCServer
@testable import XDSServer

@Suite("Resource sets and snapshots")
struct SetTests {
    private let base = set(.cluster, ["a": "1", "b": "1"])

    @Test("A resource hides the one of the same name below")
    func layering() {
        let layered = ResourceSet([resource(.cluster, "b", "2"), resource(.cluster, "c", "1")], over: base)
        #expect(layered.resources.map(\.name) == ["a", "b", "c"])
        #expect(layered["b"]?.version == resource(.cluster, "b", "2").version)
        #expect(layered["a"] === base["a"], "what lies below is shared")
        #expect(layered.names == ["a", "b", "c"])
        #expect(layered["d"] == nil)
    }

    @Test("Of two resources with one name the last counts")
    func duplicates() {
        let twice = ResourceSet([resource(.cluster, "a", "1"), resource(.cluster, "a", "2")])
        #expect(twice.resources.map(\.version) == [resource(.cluster, "a", "2").version])
    }

    @Test("The version depends on the content alone: not on order, layers or history")
    func version() {
        let flat = set(.cluster, ["a": "1", "b": "2", "c": "1"])
        let layered = ResourceSet([resource(.cluster, "b", "2"), resource(.cluster, "c", "1")], over: base)
        let derived = base.updating(
            set: [resource(.cluster, "c", "1"), resource(.cluster, "b", "2"), resource(.cluster, "x", "1")],
            removing: []
        )
        .updating(set: [], removing: ["x"])
        #expect(layered.version == flat.version && derived.version == flat.version)
        #expect(layered.hasSameContent(as: flat))
        #expect(!base.hasSameContent(as: flat))
        #expect(flat.version.count == 32)
    }

    @Test("Names and contents that are swapped make another version")
    func swapped() {
        #expect(set(.route, ["a": "1", "b": "2"]).version != set(.route, ["a": "2", "b": "1"]).version)
    }

    @Test("An update sets, removes, and leaves the set that it was made from alone")
    func updating() {
        let updated = base.updating(set: [resource(.cluster, "c", "1")], removing: ["a"])
        #expect(updated.names == ["b", "c"])
        #expect(base.names == ["a", "b"])
    }

    @Test("Removing from the top shows what lies below")
    func removalFromTop() {
        let top = ResourceSet([resource(.cluster, "a", "2")], over: base)
        #expect(top.updating(set: [], removing: ["a"])["a"]?.version == base["a"]?.version)
    }

    @Test("Everything in a set, and a large resource, is right after each update, and only what changed is compressed")
    func bodies() throws {
        let form = ResponseForm(.delta, hasTTL: false)
        var current = ResourceSet((0..<500).map { resource(.cluster, "cluster-\($0)", "1") })
        var large: EncodedResource?
        var (ofSet, ofLarge): (Set<ByteBuffer>, Set<ByteBuffer>) = ([], [])
        for round in 0..<20 {
            // In some rounds nobody asks.
            if let large, !round.isMultiple(of: 3) {
                let body = current.body(form)
                let fields = current.resources.map { $0.field(form).plain }
                #expect(body.map(\.plain) == [fields.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }])
                try expect(body[0], shares: &ofSet)
                try expect(large.field(form), shares: &ofLarge)
            }
            // At its beginning, and each time longer, so that what follows moves.
            var text = (0..<60_000).map { "\($0)" }
            text[round * 100] = String(repeating: "x", count: 10 + round * 7)
            let next = EncodedResource(
                .cluster, name: "large", body: Array(text.joined(separator: "\n").utf8), after: large)
            current = current.updating(
                set: [resource(.cluster, "cluster-\(round * 20)", "2"), next], removing: ["cluster-\(round * 20 + 7)"])
            large = next
        }
    }

    /// - Parameter blocks: of an earlier form; none of the first one. Changes are in the beginning, so the others stay.
    private func expect(_ bytes: SharedBytes, shares blocks: inout Set<ByteBuffer>) throws {
        #expect(try decompressed([bytes]) == bytes.plain)
        let now = Set(try #require(bytes.gzip.source).blocks.map(\.deflated))
        #expect(now.count > 8)
        #expect(blocks.isEmpty || now.subtracting(blocks).count <= 5)
        blocks = now
    }

    private func decompressed(_ bytes: [SharedBytes]) throws -> ByteBuffer {
        let member = GzipMember(bytes.map(\.gzip)).segments
        return try Gunzip().bytes(of: member.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }, limit: 4 << 20)
    }

    @Test("Changes since an ancestor are what was touched; since itself, nothing")
    func changesSinceAncestor() {
        let second = base.updating(set: [resource(.cluster, "c", "1")], removing: [])
        let third = second.updating(set: [], removing: ["a"])
        #expect(third.changes(since: third).isEmpty)
        #expect(third.changes(since: second) == ["a"])
        #expect(third.changes(since: base) == ["a", "c"])
    }

    @Test("Sets of any history know what is in them, and what changed since others", arguments: 0..<20 as Range<UInt64>)
    func histories(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let below = [randomSet(&random), randomSet(&random)]
        var sets = below
        for _ in 0..<40 {
            let origin = sets[Int.random(in: 0..<sets.count, using: &random)]
            switch Int.random(in: 0..<4, using: &random) {
            case 0: sets.append(randomSet(&random))
            case 1:
                sets.append(
                    ResourceSet(randomSet(&random).resources, over: below[Int.random(in: 0...1, using: &random)]))
            default:
                let removed = randomSet(&random).names.prefix(2)
                sets.append(origin.updating(set: randomSet(&random).resources, removing: Array(removed)))
            }
        }
        for set in sets {
            #expect(set.count == set.names.count, "seed \(seed)")
            let lasting = set.resources.filter { $0.ttl != nil }
            #expect(set.lasting.names == lasting.map(\.name), "seed \(seed)")
            #expect(set.lasting.shortest == lasting.compactMap(\.ttl).min(), "seed \(seed)")
        }
        for old in sets {
            for new in sets {
                let differing = old.names.union(new.names).filter { old[$0]?.version != new[$0]?.version }
                #expect(new.changes(since: old).isSuperset(of: differing), "seed \(seed)")
                #expect(new.hasSameContent(as: old) == differing.isEmpty, "seed \(seed)")
                let parts = new.difference(from: old) { _ in false }
                let among = parts.old.names.union(parts.new.names)
                #expect(
                    differing == among.filter { parts.old[$0]?.version != parts.new[$0]?.version }, "seed \(seed)")
            }
        }
    }

    @Test("What differs for a workload is what differs in its mesh, unless its own resources differ or hide some")
    func differenceOfWorkloads() {
        let later = base.updating(set: [resource(.cluster, "c", "1")], removing: ["a"])
        func set(_ own: [EncodedResource], over base: ResourceSet) -> ResourceSet { ResourceSet(own, over: base) }
        for name in ["one", "two"] {
            let own = resource(.cluster, name, "1")
            let (old, new) = (set([own], over: base), set([own], over: later))
            let sets = new.difference(from: old) { _ in false }
            #expect(sets.old === base && sets.new === later)
            let named = new.difference(from: old) { $0 == name }
            #expect(named.old === old && named.new === new)
        }
        let own = [resource(.cluster, "own", "1"), resource(.cluster, "own", "2"), resource(.cluster, "c", "2")]
        for (before, after) in [(own[0], own[1]), (own[2], own[2])] {
            let (old, new) = (set([before], over: base), set([after], over: later))
            let sets = new.difference(from: old) { _ in false }
            #expect(sets.old === old && sets.new === new)
        }
        let unlike = set([], over: later).difference(from: base) { _ in false }
        #expect(unlike.old === base && unlike.new !== later)
    }

    @Test("The shared body of a set is each of its resources once, in both variants", arguments: bothVariants)
    func body(_ variant: Variant) {
        let hiding = ResourceSet([resource(.cluster, "b", "2")], over: base)
        let adding = ResourceSet([resource(.cluster, "c", "1")], over: base)
        for set in [base, hiding, adding, ResourceSet([], over: hiding), .empty] {
            let expected = set.resources.flatMap { Array($0.field(ResponseForm(variant)).plain.readableBytesView) }
            let body = set.body(ResponseForm(variant)).flatMap { Array($0.plain.readableBytesView) }
            #expect(body.count == expected.count && body.sorted() == expected.sorted())
        }
    }

    @Test("A snapshot has every type, and advances to a later revision with the same sets")
    func snapshots() {
        let first = Snapshot(revision: 1, [.cluster: base])
        #expect(first[.route].isEmpty && !first[.cluster].isEmpty)
        let later = first.advanced(to: 2)
        #expect(later.revision == 2 && later[.cluster] === base)
    }

    private func randomSet(_ random: inout SeededGenerator) -> ResourceSet {
        let names = ["a", "b", "c", "d", "e"].filter { _ in random.chance(50) }
        return ResourceSet(
            names.map { name in
                let times: [Duration?] = [nil, nil, .seconds(20), .seconds(30)]
                let body = String(Int.random(in: 0..<3, using: &random))
                return resource(.cluster, name, body, ttl: times[Int.random(in: 0..<4, using: &random)])
            })
    }
}

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
        let set = ResourceSet([EncodedResource(.endpoint, name: "own", body: [])], over: ResourceSet(resources))
        for _ in 0..<2 {
            #expect(set.isCovered(by: NameSet(many + ["own"])) && set.isCovered(by: NameSet(many + ["own", "more"])))
            #expect(!set.isCovered(by: NameSet(many)) && !set.isCovered(by: NameSet(many + ["other"])))
        }
        for index in 0..<40 { #expect(!set.isCovered(by: NameSet(many + ["extra \(index)"]))) }
        #expect(set.isCovered(by: NameSet(many + ["own"])))
    }
}
