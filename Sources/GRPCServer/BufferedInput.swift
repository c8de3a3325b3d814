internal import Synchronization

/// Bytes of half-received messages, over all connections of a server.
package final class BufferedInput: Sendable {
    private let bytes = Atomic<Int>(0)

    package var total: Int { bytes.load(ordering: .relaxed) }

    package init() {}

    /// - Returns: the new total.
    @discardableResult
    func change(by delta: Int) -> Int { bytes.add(delta, ordering: .relaxed).newValue }
}
