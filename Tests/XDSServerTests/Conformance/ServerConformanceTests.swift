import TestSupport
import Testing

@testable import XDSServer

/// The same model against a real server over the loopback: several clients, each with a stream, on one connection.
///
/// A client cannot see when the server learns of what it said, so only what holds of a response by itself is checked, and
/// that every client gets what it wants, each time: what is missing is waited for until the time limit.
@Suite("Conformance of the server", .timeLimit(.minutes(5)))
struct ServerConformanceTests {
    private static let rounds = 60

    @Test(
        "Whatever happens, every client gets what there is", arguments: bothVariants,
        [1, 2, 3] as [UInt64])
    func conforms(_ variant: Variant, seed: UInt64) async throws {
        try await Fixture.serving { fixture in
            var random = SeededGenerator(seed: seed)
            var world = ConformanceWorld(for: variant)
            // Wants the view all the time, so that it is not forgotten when the others come back all at once.
            let keeper = try await XDSClient(variant, to: fixture.address)
            try keeper.send(.runtime, ["none"], node: "keeper", view: ServerRun.view)
            await fixture.event(.wanted(ViewID(ServerRun.view)))
            var runs: [ServerRun] = []
            for index in 0..<3 { runs.append(try await ServerRun("proxy \(index)", beside: keeper)) }

            for round in 0...Self.rounds {
                let isLast = round == Self.rounds
                for index in runs.indices {
                    if random.chance(10) { try await runs[index].reconnect() }
                    for _ in 0..<Int.random(in: 0...2, using: &random) { try runs[index].change(&random) }
                }
                let isRenewed = isLast || runs.contains { $0.lacks }
                if isRenewed { world.renew(&random) } else { world.next(&random) }
                for index in runs.indices { runs[index].note(world, isRenewed: isRenewed) }
                await fixture.publish(world.snapshot, to: ViewID(ServerRun.view))
                // Who was not given what is renewed would still lack what it refused.
                for index in runs.indices.shuffled(using: &random) where isRenewed || random.chance(70) {
                    try await runs[index].catchUp(with: world, refuses: !isLast && random.chance(10))
                }
                for run in runs where !run.model.violations.isEmpty {
                    Issue.record("seed \(seed), \(run.name): \(run.model.violations.joined(separator: "; "))")
                }
                guard runs.allSatisfy({ $0.model.violations.isEmpty }) else { break }
            }
            keeper.disconnect()
        }
    }
}
