import TestSupport
import Testing

@testable import XDSServer

/// A simulated client and a machine, through hundreds of random steps each.
@Suite("Random clients and random snapshots")
struct RandomClientTests {
    @Test(
        "A client ends with what it wants of the last snapshot, and its routes always have their clusters",
        arguments: bothVariants, 0..<60 as Range<UInt64>)
    func converges(_ variant: Variant, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var world = RandomWorld(for: variant)
        var client = SimulatedClient(variant)
        client.publish(world.next(&random))
        client.reconnect()
        var log: [String] = []

        for _ in 0..<150 {
            log.append(step(&client, &world, &random))
            guard client.violations.isEmpty else { break }
        }
        settle(&client)

        let context: Comment = "seed \(seed): \(client.violations.joined(separator: "; ")) after \(log.suffix(12))"
        #expect(client.violations.isEmpty, context)
        expectCurrent(client, world.snapshot, context)
    }

    @Test(
        "Nothing is sent when nothing changed, or only what the client does not want",
        arguments: bothVariants, 0..<20 as Range<UInt64>)
    func silence(_ variant: Variant, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var world = RandomWorld(for: variant)
        var client = SimulatedClient(variant)
        client.publish(world.next(&random))
        client.reconnect()
        client.want(.endpoint, ["c1", "c2"])
        client.want(.route, ["r1"])
        settle(&client)
        for revision in 100..<110 {
            // Equal contents in new sets, and endpoints that nobody asked for.
            var contents = world.contents
            contents[.endpoint, default: [:]]["other"] = "\(revision)"
            client.publish(snapshot(Int64(revision), contents))
            #expect(client.machine.next() == nil, "seed \(seed)")
            #expect(client.machine.ackedRevision == Int64(revision), "seed \(seed)")
        }
    }

    @Test(
        "A client that refuses at random ends with the last snapshot when it stops refusing",
        arguments: bothVariants, 0..<30 as Range<UInt64>)
    func recovers(_ variant: Variant, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var world = RandomWorld(for: variant)
        var client = SimulatedClient(variant)
        client.publish(world.next(&random))
        client.reconnect()
        for _ in 0..<100 {
            _ = step(&client, &world, &random, refusals: 30)
            guard client.violations.isEmpty else { break }
        }
        // Without refusals from now on; each resource changes once more, so that what was refused is tried again.
        settle(&client)
        client.publish(world.renewed())
        settle(&client)
        let context: Comment = "seed \(seed): \(client.violations.joined(separator: "; "))"
        #expect(client.violations.isEmpty, context)
        expectCurrent(client, world.snapshot, context)
    }

    // MARK: Steps

    private func step(
        _ client: inout SimulatedClient, _ world: inout RandomWorld, _ random: inout SeededGenerator, refusals: Int = 0
    ) -> String {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20:
            client.publish(world.next(&random))
            return "snapshot \(world.contents[.cluster]?.keys.sorted() ?? []) \(world.contents[.route] ?? [:])"
        case 20..<24:
            client.reconnect()
            return "reconnect"
        case 24..<36:
            let type: ResourceType = random.chance(50) ? .endpoint : .route
            let names = (type == .endpoint ? world.clusterNames : world.routeNames).filter { _ in random.chance(60) }
            client.want(type, Set(names))
            return "want \(type) \(names)"
        case 36..<55:
            let type = ResourceType.allCases[Int.random(in: 0..<4, using: &random)]
            client.answer(type)
            return "answer \(type)"
        case 55..<80:
            let refuses = random.chance(refusals)
            client.read(refuses: refuses)
            return refuses ? "read and refuse" : "read"
        default:
            let count = Int.random(in: 1...4, using: &random)
            client.send(count)
            return "send \(count)"
        }
    }

    private func settle(_ client: inout SimulatedClient) {
        // Bounded: a server that never rests must fail the test, not hang it.
        for _ in 0..<200 {
            client.send(1)
            if !client.isBusy { return }
            client.read(refuses: false)
            for type in ResourceType.allCases { client.answer(type) }
        }
        client.violations.append("the server does not come to rest")
    }

    private func expectCurrent(_ client: SimulatedClient, _ snapshot: Snapshot, _ context: Comment) {
        for type in ResourceType.allCases {
            guard let shelf = client.shelves[type] else { continue }
            let expected = snapshot[type].resources.filter { shelf.wanted?.contains($0.name) ?? true }
            var has = shelf.has
            if client.variant == .stateOfTheWorld && !type.isFullState {
                // Deletion of these cannot be said in state of the world; the client drops them with what named them.
                has = has.filter { snapshot[type][$0.key] != nil }
            }
            #expect(
                has.mapValues(\.version) == Dictionary(uniqueKeysWithValues: expected.map { ($0.name, $0.version) }),
                "\(type), \(context.rawValue)")
        }
        #expect(client.machine.ackedRevision == snapshot.revision, context)
        #expect(client.machine.rejection == nil, context)
    }
}
