internal import UnixSignals

/// Runs `body` until it ends or SIGINT or SIGTERM comes, which cancels it; then it cleans up.
///
/// - Throws: what `body` throws; `CancellationError` after a signal.
package func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { throw CancellationError() }
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
