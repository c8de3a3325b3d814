internal import Synchronization

/// Work that is taken and carried out, some pieces at a time: a slow one takes one place and delays nothing else.
struct SlidingWork<Piece: Sendable>: Sendable {
    /// Pieces that are carried out at the same time.
    let places: Int
    /// Takes at most so many pieces.
    let take: @Sendable (_ limit: Int) async throws -> [Piece]
    /// Returns when there may be something to take.
    let wait: @Sendable () async throws -> Void
    let carryOut: @Sendable (Piece) async -> Void

    /// Works until the task is cancelled, or something cannot be taken.
    func run() async throws {
        let (running, room) = (Places(), ReleaseSignal())
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                try Task.checkCancellation()
                let free = places - running.count.load(ordering: .relaxed)
                guard free > 0 else {
                    try await room.wait(atMost: .seconds(60))
                    continue
                }
                let pieces = try await take(free)
                if pieces.isEmpty { try await wait() }
                running.count.add(pieces.count, ordering: .relaxed)
                for piece in pieces {
                    group.addTask {
                        await carryOut(piece)
                        running.count.subtract(1, ordering: .relaxed)
                        room.notify()
                    }
                }
            }
        }
    }

    /// Counts the places that are taken.
    private final class Places: Sendable {
        let count = Atomic(0)
    }
}
