internal import Foundation

/// Runs `body` until it ends or SIGINT or SIGTERM comes, which cancels it; then it cleans up.
///
/// - Throws: what `body` throws; `CancellationError` after a signal.
package func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { continuation.yield() }
        source.resume()
        return source
    }
    defer { sources.forEach { $0.cancel() } }
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await body() }
        group.addTask {
            for await _ in signals { throw CancellationError() }
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
