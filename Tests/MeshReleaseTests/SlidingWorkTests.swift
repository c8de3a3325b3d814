import Synchronization
import TestSupport
import Testing

@testable import MeshRelease

@Suite("Work that goes on some pieces at a time", .timeLimit(.minutes(1)))
struct SlidingWorkTests {
    private struct State {
        var next = 0
        var running = 0
        var most = 0
        var done: Set<Int> = []
        var isAskedForNothing = false
    }

    @Test("a slow piece keeps its own place only, and no more are taken than there are places")
    func slow() async throws {
        let state = Mutex(State())
        let (last, slow) = (Latch(), Latch())
        let work = SlidingWork<Int>(
            name: "count", places: 3, logger: quietLogger,
            take: { limit in
                state.withLock { state in
                    if limit < 1 { state.isAskedForNothing = true }
                    let pieces = Array(state.next..<min(20, state.next + limit))
                    state.next += pieces.count
                    return pieces
                }
            }, wait: { await last.wait() },
            carryOut: { piece in
                state.withLock { state in
                    state.running += 1
                    state.most = max(state.most, state.running)
                }
                if piece == 0 { await slow.wait() }
                let count = state.withLock { state in
                    state.running -= 1
                    state.done.insert(piece)
                    return state.done.count
                }
                // Everything but the slow one.
                if count == 19 { last.open() }
            }, forget: {})
        let task = Task { try await work.run() }
        await last.wait()
        state.withLock { state in
            #expect(state.done == Set(1..<20) && state.most <= 3 && !state.isAskedForNothing)
        }
        task.cancel()
        slow.open()
        _ = await task.result
    }
}
