internal import Dispatch  // lint:allow: threads; no I/O and no clock
internal import Synchronization

extension Array where Element: Sendable {
    /// As `map`, on all processors if that is worth the hand-over. Returns when all is done; the calling thread takes its part.
    ///
    /// - Parameters:
    ///   - share: how many elements a thread takes at a time: some milliseconds of work. No more than that are mapped by the
    ///     caller alone.
    ///   - transform: called on any thread, in any order.
    package func mapInParallel<Result: Sendable>(
        sharesOf share: Int = 128, _ transform: @Sendable (Element) -> Result
    ) -> [Result] {
        guard count > share else { return map(transform) }
        let shares = stride(from: 0, to: count, by: share).map { self[$0..<Swift.min($0 + share, count)] }
        let results = Mutex([[Result]](repeating: [], count: shares.count))
        DispatchQueue.concurrentPerform(iterations: shares.count) { number in
            let mapped = shares[number].map(transform)
            results.withLock { $0[number] = mapped }
        }
        return results.withLock { $0 }.flatMap(\.self)
    }
}
