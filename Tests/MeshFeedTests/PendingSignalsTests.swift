import MeshCore
import MeshStore
import Testing

@testable import MeshFeed

@Suite("Signals that wait for the reader")
struct PendingSignalsTests {
    private static func mesh(_ text: String) -> MeshKey {
        MeshKey(tenant: Fixture.name(text), mesh: .defaultMesh)
    }

    private static func drain(_ signals: PendingSignals) -> [ChangeSignals.Signal] {
        var taken: [ChangeSignals.Signal] = []
        while let signal = signals.take() { taken.append(signal) }
        return taken
    }

    @Test("each waits once, in the order in which they came first, until it is taken")
    func once() {
        let (noisy, quiet) = (Self.mesh("noisy"), Self.mesh("quiet"))
        let signals = PendingSignals()
        for _ in 0..<100 { signals.put(.changed(noisy)) }
        signals.put(.changed(quiet))
        for _ in 0..<100 { signals.put(.changed(noisy)) }
        signals.put(.conditions(noisy))
        signals.put(.anything)
        #expect(Self.drain(signals) == [.changed(noisy), .changed(quiet), .conditions(noisy), .anything])
        signals.put(.changed(noisy))
        #expect(Self.drain(signals) == [.changed(noisy)], "what comes after it was taken is not in what it found")
    }
}
