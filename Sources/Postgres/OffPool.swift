internal import Dispatch
internal import Synchronization

/// Runs what may block on a thread of its own, so that the cooperative pool never does.
enum OffPool {
    /// A fresh serial queue gets a thread beyond the pool, however many others are blocked.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "postgres.blocking").async { continuation.resume(returning: body()) }
        }
    }

    /// Runs work as ``run(_:)`` does, but gives up waiting after `limit`; the work itself goes on.
    ///
    /// - Returns: whether the work ended in time.
    static func run(atMost limit: Duration, _ body: @escaping @Sendable () -> Void) async -> Bool {
        await withCheckedContinuation { continuation in
            let first = Once(continuation)
            DispatchQueue(label: "postgres.blocking").async {
                body()
                first.resume(true)
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + limit.dispatchInterval) { first.resume(false) }
        }
    }

    /// Resumes a continuation with the first of several answers.
    private final class Once: Sendable {
        private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

        init(_ continuation: CheckedContinuation<Bool, Never>) { self.continuation = Mutex(continuation) }

        func resume(_ answer: Bool) {
            continuation.withLock { $0.take() }?.resume(returning: answer)
        }
    }
}

extension Duration {
    /// Rounded to milliseconds, at most a day.
    var dispatchInterval: DispatchTimeInterval {
        .milliseconds(Int(max(0, min(self / .milliseconds(1), 86_400_000))))
    }
}
