import Testing

/// Waits for a condition, at most 30 s.
func until(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
        try await Task.sleep(for: .milliseconds(5))
    }
}
