/// The pace of pushes: what may be pushed after the last ones, so that the loops get to what clients say, and the API to the processor
/// (``DutyCycle/pushes``).
///
/// One for all meshes, because the event loops are: of two meshes that change all the time each waits for the other's pushes,
/// not for its compiler.
struct PushPace {
    private enum Phase {
        case free
        /// Something is being written; streams would only take what is newer in its place. Everything waits.
        case writing
        /// Writing is over, and the loops are left alone for as long as it took. Only what is urgent goes on (``MeshChange/isUrgent``).
        case resting
    }

    private var phase = Phase.free
    /// Pushes so far.
    private(set) var count = 0

    var isFree: Bool { phase == .free }
    var isResting: Bool { phase == .resting }

    mutating func pushed() {
        phase = .writing
        count += 1
    }

    mutating func written() { phase = .resting }

    mutating func rested() {
        // Unless something urgent has been pushed meanwhile.
        if phase == .resting { phase = .free }
    }
}
