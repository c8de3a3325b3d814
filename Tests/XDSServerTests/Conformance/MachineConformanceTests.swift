import Foundation
import Testing

@testable import XDSServer

/// The machine against the protocol: random clients, which are right themselves, and random snapshots.
@Suite("Conformance of the machine")
struct MachineConformanceTests {
    /// `SLUICE_CONFORMANCE_STEPS=1000000` for a thorough run.
    private static let steps =
        ProcessInfo.processInfo.environment["SLUICE_CONFORMANCE_STEPS"].flatMap(Int.init) ?? 20_000
    private static let stepsPerClient = 100

    @Test(
        "Whatever happens, the text allows what is sent, and a client ends with what there is", arguments: bothVariants)
    func conforms(_ variant: Variant) async {
        for seed in 0..<UInt64(max(1, Self.steps / Self.stepsPerClient)) {
            // Other tests wait for this thread.
            await Task.yield()
            var run = MachineRun(variant, seed: seed)
            for _ in 0..<Self.stepsPerClient {
                guard run.step() else { break }
            }
            if run.client.violations.isEmpty { run.rest() }
            guard run.client.violations.isEmpty else {
                let words = run.client.violations.joined(separator: "; ")
                Issue.record("seed \(seed): \(words) after\n\(run.log.suffix(100).joined(separator: "\n"))")
                return
            }
        }
    }
}
