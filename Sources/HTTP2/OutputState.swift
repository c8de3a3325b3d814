/// The moments at which a connection writes what its session has to say. No I/O.
///
/// Output is gathered while requests are read, or while someone makes messages for many connections, and leaves in one write at the
/// end. Output that appears otherwise leaves at the end of the turn of the event loop in which it did.
struct OutputState {
    private enum Phase: Equatable {
        case idle, writing
        case gathering(whileWriting: Bool)
    }

    private var phase = Phase.idle
    /// There is output that is to be written at the end of gathering.
    private var isDirty = false
    /// The end of this turn of the event loop writes what there is.
    private var isScheduled = false

    /// There is output.
    ///
    /// - Returns: whether a write is to be scheduled for the end of this turn.
    mutating func appeared() -> Bool {
        if case .gathering = phase {
            isDirty = true
            return false
        }
        defer { isScheduled = true }
        return !isScheduled
    }

    /// The turn that was scheduled has ended.
    mutating func turnEnded() { isScheduled = false }

    /// - Returns: `false` if output is gathered already, so that its end is someone else's.
    mutating func beginGathering() -> Bool {
        if case .gathering = phase { return false }
        phase = .gathering(whileWriting: phase == .writing)
        return true
    }

    /// - Parameter isDirty: there is output, whether it appeared or not.
    mutating func endGathering(isDirty: Bool = false) {
        phase = phase == .gathering(whileWriting: true) ? .writing : .idle
        self.isDirty = self.isDirty || isDirty
    }

    /// Whether there is output that was gathered, which the caller writes now.
    mutating func takeGathered() -> Bool {
        defer { isDirty = false }
        return isDirty
    }

    /// - Returns: `false` if this is no time to write, because output is gathered or being written.
    mutating func beginWriting() -> Bool {
        guard phase == .idle else { return false }
        phase = .writing
        return true
    }

    mutating func endWriting() { phase = .idle }
}
