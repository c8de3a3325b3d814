import NIOCore
import TestSupport
import Testing

@testable import XDSServer

@Suite("What lists of layers have in them")
struct LayeredSetTests {
    private let base = set(.cluster, ["a": "1", "b": "1"])
    private let more = set(.cluster, ["c": "1", "d": "1"])

    @Test("Of two resources with one name that of the first layer counts, and that there are two is known")
    func contested() {
        let layered = LayeredSet([set(.cluster, ["b": "2", "c": "1"]), base])
        #expect(layered.resources.map(\.name) == ["a", "b", "c"] && layered.count == 3)
        #expect(layered["b"]?.version == resource(.cluster, "b", "2").version)
        #expect(layered["a"] === base["a"], "it is shared")
        #expect(layered.names == ["a", "b", "c"] && layered["d"] == nil)
        #expect(layered.duplicateNames == ["b"] && LayeredSet([base, more]).duplicateNames.isEmpty)
        let snapshot = Snapshot(revision: 1, layers: [Layer([.cluster: base]), Layer([.cluster: base, .route: more])])
        #expect(snapshot.duplicateNames == [.cluster: ["a", "b"]])
    }

    @Test("The version depends on what is visible: not on the layers that it is in, or their order")
    func version() {
        let whole = LayeredSet([set(.cluster, ["a": "1", "b": "1", "c": "1", "d": "1"])])
        for layers in [[base, more], [more, base], [base, .empty, more], [base, set(.cluster, ["a": "2"]), more]] {
            let layered = LayeredSet(layers)
            #expect(layered.version == whole.version && layered.hasSameContent(as: whole))
        }
        #expect(!LayeredSet([base]).hasSameContent(as: whole))
        #expect(LayeredSet([base]).version == base.version, "as if there were no list")
        #expect(LayeredSet.empty.version == ResourceSet.empty.version)
    }

    /// Lists of up to three layers, in which names move, come, go, and now and then are twice.
    private static func lists(_ random: inout SeededGenerator) -> [LayeredSet] {
        var layers = [randomSet(&random), randomSet(&random)]
        for _ in 0..<12 {
            if random.chance(50) {
                layers.append(randomSet(&random))
            } else {
                let origin = layers[Int.random(in: 0..<layers.count, using: &random)]
                let removed = randomSet(&random).names.sorted().prefix(2)
                layers.append(origin.updating(set: randomSet(&random).resources, removing: Array(removed)))
            }
        }
        // Of a whole set, parts that have no name in common.
        for whole in [randomSet(&random), randomSet(&random)] {
            let parts = Dictionary(grouping: whole.resources) { _ in random.chance(50) }
            layers += parts.values.map { ResourceSet($0) }
        }
        return (0..<20).map { _ in
            LayeredSet((0..<3).compactMap { _ in random.chance(70) ? layers.randomElement(using: &random) : nil })
        }
    }

    @Test("Any two lists know what differs between them, by name", arguments: 0..<20 as Range<UInt64>)
    func differences(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let lists = Self.lists(&random)
        for list in lists {
            #expect(list.count == list.names.count && list.resources.map(\.name) == list.names.sorted())
            #expect(Set(list.names { _ in true }) == list.names && list.names { _ in true }.count == list.count)
            let expiring = list.resources.filter { $0.ttl != nil }
            #expect(list.expiring.names == expiring.map(\.name), "seed \(seed)")
            #expect(list.expiring.shortestTTL == expiring.compactMap(\.ttl).min(), "seed \(seed)")
            let body = list.body(ResponseForm(.delta)).reduce(0) { $0 + $1.plain.readableBytes }
            let fields = list.resources.reduce(0) { $0 + $1.field(ResponseForm(.delta)).plain.readableBytes }
            #expect(body == fields, "seed \(seed)")
        }
        for old in lists {
            for new in lists {
                let differing = old.names.union(new.names).filter { old[$0]?.version != new[$0]?.version }
                #expect(new.changedNames(since: old).isSuperset(of: differing), "seed \(seed)")
                #expect(new.hasSameContent(as: old) == differing.isEmpty, "seed \(seed)")
                #expect(!new.isIdentical(to: old) || new.changedNames(since: old).isEmpty)
            }
        }
    }

    @Test("What differs for many is in the layers that they have in common, whatever each has beside them")
    func differenceOfMany() {
        let later = base.updating(set: [resource(.cluster, "x", "1")], removing: ["a"])
        for name in ["one", "two"] {
            let own = set(.cluster, [name: "1"])
            let (old, new) = (LayeredSet([base, own]), LayeredSet([later, own]))
            #expect(new.difference(from: old, and: nil) == ([base.id], [later.id]))
            #expect(new.difference(from: old, and: NameSet(["other"])) == ([base.id], [later.id]))
            // What is said of a name of its own nobody else is told.
            #expect(new.difference(from: old, and: NameSet([name])) == ([base.id, own.id], [later.id, own.id]))
        }
        let (before, after) = (set(.cluster, ["own": "1"]), set(.cluster, ["own": "2"]))
        #expect(
            LayeredSet([later, after]).difference(from: LayeredSet([base, before]), and: nil)
                == ([base.id, before.id], [later.id, after.id]))
        // Who hides something is told by itself.
        let hiding = set(.cluster, ["x": "3"])
        #expect(
            LayeredSet([later, hiding]).difference(from: LayeredSet([base, hiding]), and: nil)
                == ([base.id, hiding.id], [later.id, hiding.id]))
        // A large layer is not gone through for each of those who have it.
        let large = ResourceSet((0..<100).map { resource(.cluster, "c\($0)") })
        #expect(
            LayeredSet([large, later]).difference(from: LayeredSet([large, base]), and: NameSet(["other"]))
                == ([large.id, base.id], [large.id, later.id]))
    }

    @Test("Whether somebody has all there is, is known by what is said, in any order")
    func all() {
        let list = LayeredSet([base, more])
        let has = Dictionary(uniqueKeysWithValues: list.resources.map { ($0.name, $0.version) })
        #expect(list.isExactly(VersionList(has)))
        var changed = has
        changed["a"] = "other"
        #expect(!list.isExactly(VersionList(changed)))
        #expect(!list.isExactly(VersionList(has.merging(["e": "1"]) { $1 })))
        #expect(!list.isExactly(VersionList(has.filter { $0.key != "a" })))
        #expect(LayeredSet.empty.isExactly([:]))
    }

    @Test("Who comes back is told what others are told who have the same of what they share")
    func remainder() {
        let large = ResourceSet((0..<100).map { resource(.cluster, "c\($0)") })
        func offer(_ sets: [ResourceSet], _ more: [String: String] = [:]) -> VersionList {
            let pairs = sets.flatMap(\.resources).map { ($0.name, $0.version) }
            return VersionList(Dictionary(pairs) { $1 }.merging(more) { $1 })
        }
        let owns = ["one", "two"].map { set(.cluster, [$0: "1"]) }
        let rests = owns.map {
            LayeredSet([large, $0]).remainder(of: offer([large, $0], ["c7": "old"]), and: NameSet())
        }
        #expect(rests[0] == rests[1] && rests[0].layers == [large.id])
        // Who has something else of its own, or asks for it by name, is told by itself.
        let list = LayeredSet([large, owns[0]])
        for more in [["one": "other"], ["gone": "1"]] {
            #expect(list.remainder(of: offer([large, owns[0]], more), and: NameSet()).has != rests[0].has)
        }
        #expect(list.remainder(of: offer([large]), and: NameSet()).has != rests[0].has)
        let named = list.remainder(of: offer([large, owns[0]], ["c7": "old"]), and: NameSet(["one"]))
        #expect(named.layers == [large.id, owns[0].id] && named.has != rests[0].has)
    }

    @Test("The shared body of a list is each visible resource once, in both variants", arguments: bothVariants)
    func body(_ variant: Variant) {
        let hiding = [set(.cluster, ["b": "2"]), base]
        for layers in [[base], hiding, [base, more], [base, hiding[0], more], []] {
            let list = LayeredSet(layers)
            let expected = list.resources.flatMap { Array($0.field(ResponseForm(variant)).plain.readableBytesView) }
            let body = list.body(ResponseForm(variant)).flatMap { Array($0.plain.readableBytesView) }
            #expect(body.count == expected.count && body.sorted() == expected.sorted())
        }
    }

    @Test("A snapshot has every type, and takes over what is the same")
    func snapshots() {
        let layers = [Layer([.cluster: base, .listener: .empty]), Layer([.cluster: more, .route: more])]
        let first = Snapshot(revision: 1, layers: layers)
        #expect(first[.listener].isEmpty && first[.cluster].count == 4)
        #expect(layers[0].sets[.listener] == nil && Layer([.listener: .empty]).isEmpty)
        let later = Snapshot(revision: 2, layers: [Layer([.cluster: base]), layers[1]], after: first)
        #expect(later.revision == 2)
        for type in ResourceType.allCases { #expect(later[type].isIdentical(to: first[type])) }
    }
}
