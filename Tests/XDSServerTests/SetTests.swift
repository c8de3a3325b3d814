import NIOCore
import TestSupport
import Testing

@testable import GRPCServer
@testable import XDSServer

@Suite("Sets of resources")
struct SetTests {
    private let base = set(.cluster, ["a": "1", "b": "1"])

    @Test("Of two resources with one name the last counts")
    func duplicates() {
        let twice = ResourceSet([resource(.cluster, "a", "1"), resource(.cluster, "a", "2")])
        #expect(twice.resources.map(\.version) == [resource(.cluster, "a", "2").version])
    }

    @Test("The version depends on the content alone: not on order or history")
    func version() {
        let made = set(.cluster, ["a": "1", "b": "2", "c": "1"])
        let derived = base.updating(
            set: [resource(.cluster, "c", "1"), resource(.cluster, "b", "2"), resource(.cluster, "x", "1")],
            removing: []
        )
        .updating(set: [], removing: ["x"])
        #expect(derived.version == made.version && base.version != made.version)
        #expect(made.version.count == 32)
        #expect(ResourceSet.empty.version == String(repeating: "0", count: 32))
    }

    @Test("Names and contents that are swapped make another version")
    func swapped() {
        #expect(set(.route, ["a": "1", "b": "2"]).version != set(.route, ["a": "2", "b": "1"]).version)
    }

    @Test("An update sets, removes, and leaves the set that it was made from alone")
    func updating() {
        let updated = base.updating(set: [resource(.cluster, "c", "1")], removing: ["a"])
        #expect(Set(updated.names) == ["b", "c"])
        #expect(Set(base.names) == ["a", "b"])
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
                #expect(body.plain == fields.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) })
                try expect(body, shares: &ofSet)
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
        #expect(third.changedNames(since: third).isEmpty)
        #expect(third.changedNames(since: second) == ["a"])
        #expect(third.changedNames(since: base) == ["a", "c"])
        #expect(third.isDerived(from: base) && !base.isDerived(from: third))
    }

    @Test("Sets of any history know what is in them, and what changed since others", arguments: 0..<20 as Range<UInt64>)
    func histories(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var sets = [randomSet(&random)]
        for _ in 0..<40 {
            let origin = sets[Int.random(in: 0..<sets.count, using: &random)]
            guard random.chance(75) else {
                sets.append(randomSet(&random))
                continue
            }
            let removed = randomSet(&random).names.sorted().prefix(2)
            sets.append(origin.updating(set: randomSet(&random).resources, removing: Array(removed)))
        }
        for set in sets {
            let expiring = set.resources.filter { $0.ttl != nil }
            #expect(set.expiring.names == expiring.map(\.name), "seed \(seed)")
            #expect(set.expiring.shortestTTL == expiring.compactMap(\.ttl).min(), "seed \(seed)")
            #expect(set.digest == ResourceSet(set.resources).digest, "seed \(seed)")
        }
        for old in sets {
            for new in sets {
                let differing = Set(old.names).union(new.names).filter { old[$0]?.version != new[$0]?.version }
                #expect(new.changedNames(since: old).isSuperset(of: differing), "seed \(seed)")
            }
        }
    }
}

/// At most five clusters, of a few contents, some of which last only for a while.
func randomSet(_ random: inout SeededGenerator) -> ResourceSet {
    let names = ["a", "b", "c", "d", "e"].filter { _ in random.chance(50) }
    return ResourceSet(
        names.map { name in
            let times: [Duration?] = [nil, nil, .seconds(20), .seconds(30)]
            let body = String(Int.random(in: 0..<3, using: &random))
            return resource(.cluster, name, body, ttl: times[Int.random(in: 0..<4, using: &random)])
        })
}
