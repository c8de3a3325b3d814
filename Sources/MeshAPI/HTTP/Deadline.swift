internal import HTTPTypes

/// Runs `body` and gives it up, by cancelling it, after `limit`.
///
/// - Throws: ``Problem`` 503 when the time is over; else what `body` throws.
func withDeadline<T: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() ?? nil else {
            throw Problem(
                .serviceUnavailable, "deadlineExceeded", "the request took longer than \(limit)", headers: [.retryAfter: "1"])
        }
        return value
    }
}
