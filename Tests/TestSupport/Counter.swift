internal import Synchronization

/// Counts across tasks.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    package var value: Int { count.load(ordering: .relaxed) }

    package init() {}

    package func increment() { count.add(1, ordering: .relaxed) }
}
