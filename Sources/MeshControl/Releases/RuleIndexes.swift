internal import MeshCompiler
internal import MeshCore
internal import MeshModel
internal import Synchronization

/// The rules of the meshes that were asked about last, indexed: a release that waits is looked at several times a second, and
/// most of the time no rule has changed since.
final class RuleIndexes: Sendable {
    /// The most meshes whose index is kept; the next one takes the place of any.
    private static let capacity = 64

    private let indexes = Mutex<[MeshKey: RuleIndex]>([:])

    /// The index of a state.
    func index(of state: MeshState) -> RuleIndex {
        // Taken out, so that it is changed in place, and not under the lock: other meshes' callers need not wait.
        var index = indexes.withLock { $0.removeValue(forKey: state.mesh) } ?? RuleIndex(MeshState(mesh: state.mesh))
        index.update(to: state)
        let followed = index
        indexes.withLock { indexes in
            if indexes.count >= Self.capacity, let other = indexes.keys.first { indexes[other] = nil }
            indexes[state.mesh] = followed
        }
        return index
    }
}
