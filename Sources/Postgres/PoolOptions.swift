/// How many connections a pool keeps and how long callers wait for them.
package struct PoolOptions: Sendable {
    package var connection: ConnectionOptions
    /// Kept open even if idle. Default 1.
    package var minimumConnections = 1
    /// Default 16.
    package var maximumConnections = 16
    /// Callers that may wait at the same time; the next one is refused at once. Default 1000.
    package var maximumWaiters = 1000
    /// How long a caller waits for a connection. Default 5 s.
    package var waitTimeout: Duration = .seconds(5)
    /// A connection above the minimum is closed after being idle this long. Default 60 s.
    package var idleTimeout: Duration = .seconds(60)
    /// How often idle connections are looked at. Default 5 s.
    package var maintenanceInterval: Duration = .seconds(5)
    /// Pauses between attempts to connect: from 100 ms, doubling, to 3 s.
    package var backoff: ClosedRange<Duration> = .milliseconds(100)...(.seconds(3))

    package init(_ connection: ConnectionOptions) { self.connection = connection }

    /// - Parameter conninfo: see ``ConnectionOptions/conninfo``.
    package init(_ conninfo: String) { self.init(ConnectionOptions(conninfo)) }
}

/// Growing pauses with jitter, so that many clients do not come back at the same moment.
struct Backoff {
    private let range: ClosedRange<Duration>
    private var current: Duration

    init(_ range: ClosedRange<Duration>) {
        self.range = range
        current = range.lowerBound
    }

    /// Between half of the current pause and all of it; the pause then doubles, up to the limit.
    mutating func next() -> Duration {
        let pause = current * Double.random(in: 0.5...1)
        current = min(current * 2, range.upperBound)
        return pause
    }
}
