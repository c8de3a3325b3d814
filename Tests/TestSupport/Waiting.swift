package import Testing

/// Stands for work that does not end by itself.
///
/// - Throws: `CancellationError` when the task is cancelled.
package func hangUntilCancelled() async throws {
    // Nobody writes to it; iterating ends with the task's cancellation.
    let (silence, continuation) = AsyncStream.makeStream(of: Never.self)
    for await _ in silence {}
    continuation.finish()
    throw CancellationError()
}

/// Waits until a condition holds, at most 60 s: for what happens in other tasks or in the database.
package func until(
    _ what: Comment, at location: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what, sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}
