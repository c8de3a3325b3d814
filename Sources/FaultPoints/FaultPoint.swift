#if DEBUG
internal import Glibc
#endif

/// A place in the engine where a replica may die, for tests that kill it exactly there.
///
/// `SLUICE_FAULT_POINT=<name>` has a debug build kill itself (SIGKILL) the first time that it gets to the place, or with
/// `<name>:<n>` the n-th time. Release builds have none of this: `make build` looks for ``marker`` in the binary.
package struct FaultPoint: Sendable {
    #if DEBUG
    private let name: String
    /// Stands in every name, by which a binary that has fault points can be told.
    private static let marker = "fault-point/"
    #endif

    private init(_ name: @autoclosure () -> String) {
        #if DEBUG
        self.name = Self.marker + name()
        #endif
    }

    /// Ends the process here if it was asked to.
    package func reach() {
        #if DEBUG
        guard let asked = Self.asked, Self.marker + asked.name == name else { return }
        if Self.arrivals.count() >= asked.times { kill(getpid(), SIGKILL) }
        #endif
    }
}

// The engine's: what is done before it dies and what after it comes again.
extension FaultPoint {
    package static let releaseClaimed = FaultPoint("release-claimed")
    package static let releaseDecided = FaultPoint("release-decided")
    package static let releaseCommitted = FaultPoint("release-committed")
    package static let verbDecided = FaultPoint("verb-decided")
    package static let verbCommitted = FaultPoint("verb-committed")
    package static let runClaimed = FaultPoint("run-claimed")
    package static let runMeasured = FaultPoint("run-measured")
    package static let runCommitted = FaultPoint("run-committed")
    package static let webhookSent = FaultPoint("webhook-sent")
    package static let deliveryClaimed = FaultPoint("delivery-claimed")
    package static let deliverySent = FaultPoint("delivery-sent")
    package static let deliveryCommitted = FaultPoint("delivery-committed")
}

#if DEBUG
internal import Synchronization

extension FaultPoint {
    /// `nil`: none is asked for.
    private static let asked: (name: String, times: Int)? = {
        guard let text = unsafe getenv("SLUICE_FAULT_POINT").map({ unsafe String(cString: $0) }) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1)
        guard let name = parts.first else { return nil }
        return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()

    /// How often the process has come to the place that was asked for.
    private final class Arrivals: Sendable {
        private let number = Mutex(0)

        func count() -> Int {
            number.withLock { number in
                number += 1
                return number
            }
        }
    }

    private static let arrivals = Arrivals()
}
#endif
