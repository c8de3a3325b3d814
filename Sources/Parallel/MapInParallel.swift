internal import Dispatch
public import Synchronization

extension Array where Element: Sendable {
    /// Maps on all processors, if that is worth the hand-over. Returns when all is done; the calling thread takes its
    /// part.
    ///
    /// Inlinable, so that it is compiled for what is mapped: elements are large structures, and copying one of a type that is
    /// not known takes as long as what is done with some of them.
    ///
    /// - Parameters:
    ///   - share: how many elements a thread takes at a time: some milliseconds of work. No more than that are mapped by the
    ///     caller alone.
    ///   - transform: called on any thread, in any order.
    @inlinable package func mapInParallel<Result: Sendable>(
        sharesOf share: Int = 128, _ transform: @Sendable (Element) -> Result
    ) -> [Result] {
        guard count > share else { return map(transform) }
        let shares = (count + share - 1) / share
        let results = Mutex([[Result]](repeating: [], count: shares))
        inParallel(shares) { number in
            let start = number * share
            let mapped = self[start..<Swift.min(start + share, count)].map(transform)
            results.withLock { $0[number] = mapped }
        }
        return results.withLock { $0 }.flatMap(\.self)
    }
}

@usableFromInline func inParallel(_ count: Int, _ body: @Sendable (Int) -> Void) {
    DispatchQueue.concurrentPerform(iterations: count, execute: body)
}
