import Documents
import MeshCore
import ReleaseFixtures
import Testing

@testable import GrayRelease

extension Scene {
    /// Lets time go on in which the release is looked at as often as it wants to be.
    mutating func skip(_ time: Duration) {
        now = now + time
        nextWakeupAt = nextWakeupAt.map { max($0, now) }
        settle()
    }

    /// Started, with four proxies, which acknowledge everything until a phase is entered and nothing after that.
    static func started(_ spec: ReleaseSpec, until phase: ReleaseStatus.Phase) throws -> Scene {
        var scene = Scene(spec)
        scene.observations.proxies = .connected(4)
        try scene.ask(.start)
        for _ in 0..<50 where scene.status.phase != phase { scene.drive() }
        scene.proxiesFollow = false
        scene.settle()
        #expect(scene.status.phase == phase)
        return scene
    }
}
