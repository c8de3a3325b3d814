import GrayRelease
import ReleaseFixtures
import Synchronization

/// A stored release with optimistic concurrency.
final class Row: Sendable {
    private let state: Mutex<(scene: Scene, version: Int)>

    init(_ scene: Scene) { state = Mutex((scene, 0)) }

    var scene: Scene { state.withLock(\.scene) }

    /// Asks until the verb is committed or refused.
    func ask(_ verb: ReleaseVerb) {
        while true {
            let (read, version) = state.withLock { ($0.scene, $0.version) }
            guard
                let decision = try? ReleaseMachine.apply(
                    verb, by: Fixture.engineer, spec: read.spec, status: read.status, observations: read.view,
                    now: read.now)
            else { return }
            let isCommitted = state.withLock { state in
                guard state.version == version else { return false }
                state.version += 1
                state.scene.commit(decision)
                return true
            }
            if isCommitted { return }
        }
    }
}
