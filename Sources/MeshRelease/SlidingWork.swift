internal import Logging
internal import Synchronization

/// Work that is taken and carried out, some pieces at a time: a slow one takes one place and delays nothing else.
struct SlidingWork<Piece: Sendable>: Sendable {
    /// The work in a word for logs, for example `measure`.
    let name: String
    /// Pieces that are carried out at the same time.
    let places: Int
    let logger: Logger
    /// Takes at most so many pieces.
    let take: @Sendable (_ limit: Int) async throws -> [Piece]
    /// Returns when there may be something to take.
    let wait: @Sendable () async throws -> Void
    let carryOut: @Sendable (Piece) async -> Void
    /// Forgets what nobody needs any more; every hour.
    let forget: @Sendable () async throws -> Void

    /// How long something that cannot be taken is left alone.
    private static var retry: Duration { .seconds(2) }
    private static var forgetting: Duration { .seconds(3_600) }

    /// Works until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work() }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.forgetting)
                    try await attempt(forget)
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func work() async throws {
        let (running, room) = (Places(), ReleaseSignal())
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                try Task.checkCancellation()
                let free = places - running.count.load(ordering: .relaxed)
                guard free > 0 else {
                    try await room.wait(atMost: .seconds(60))
                    continue
                }
                try await attempt {
                    let pieces = try await take(free)
                    if pieces.isEmpty { return try await wait() }
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
    }

    /// - Throws: only when the task is cancelled; what else goes wrong is logged, and left alone for a while.
    private func attempt(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            try Task.checkCancellation()
            logger.warning("cannot \(name)", metadata: ["error": "\(error)"])
            try await Task.sleep(for: Self.retry)
        }
    }

    /// Counts the places that are taken.
    private final class Places: Sendable {
        let count = Atomic(0)
    }
}
