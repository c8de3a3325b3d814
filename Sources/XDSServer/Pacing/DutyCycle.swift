/// How much of the time some work may take: after each piece of it, its thread is left to others for a pause. What is put off
/// becomes more work of one piece, which mostly costs less than the pieces.
///
/// All that the server does in this way stands in the table below. They add up to more than the whole time on purpose: they are
/// bounds for when each has more to do than there is time, and others are idle then.
package struct DutyCycle: Sendable {
    /// The work takes one of so many parts of the time.
    package let parts: Int
    package let leastPause: Duration
    /// So that work that took very long once does not stop for very long.
    package let longestPause: Duration

    /// - Returns: for how long the work is to rest after a piece of it.
    package func pause(after work: Duration) -> Duration {
        min(max(work * (parts - 1), leastPause), longestPause)
    }

    /// Pushing to streams: half of the time at most. The rest is for what clients say, and for the API.
    package static let pushes = DutyCycle(parts: 2, leastPause: .zero, longestPause: .milliseconds(100))
    /// Telling the registry, on an event loop, what is known of streams: who waits for it can wait a little longer.
    package static let streamReports = DutyCycle(
        parts: 10, leastPause: .milliseconds(20), longestPause: .milliseconds(250))
    /// Writing what is known of proxies to the database, so that a thousand that come at once are not written a dozen times.
    /// Acknowledgements of one push arrive within milliseconds of each other; one statement takes them all.
    package static let proxyRows = DutyCycle(
        parts: 5, leastPause: .milliseconds(10), longestPause: .milliseconds(500))
}
