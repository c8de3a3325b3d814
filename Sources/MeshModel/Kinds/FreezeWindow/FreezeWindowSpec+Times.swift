internal import Documents

/// The next times of a window that comes again and again, as far as they are stored ahead.
package struct FreezeTimes: Hashable, Sendable {
    /// When it begins, by the wall clock, in order; the last time before now among them, which may not be over.
    package var starts: [CronExpression.WallMinute]
    /// There are no others that begin before this.
    package var knownUntil: CronExpression.WallMinute
    /// When to ask for more.
    package var extendAt: CronExpression.WallMinute
}

extension CronExpression {
    private static let day: WallMinute = 1440
    /// Days between now and when more is asked for at the latest.
    private static let patience: WallMinute = 30

    /// The times around a moment.
    ///
    /// - Parameters:
    ///   - now: by the wall clock.
    ///   - duration: how long an occurrence is; what is over is left out, give or take the days on which clocks are changed.
    package func times(at now: WallMinute, lasting duration: Duration) -> FreezeTimes {
        let past = now - WallMinute(duration.components.seconds / 60) - 2 * Self.day
        let horizon = now + WallMinute(Limits.freezeHorizon.value) * Self.day
        // An hour that the clock shows twice may have been shown once before now.
        var starts = [last(before: now, from: past)].compactMap(\.self)
        var from = now
        while let next = first(from: from, before: horizon) {
            guard starts.count < Limits.freezeOccurrences.value else {
                return FreezeTimes(
                    starts: starts, knownUntil: next,
                    extendAt: min(starts[starts.count / 2], now + Self.patience * Self.day))
            }
            starts.append(next)
            from = next + 1
        }
        return FreezeTimes(starts: starts, knownUntil: horizon, extendAt: now + Self.patience * Self.day)
    }
}
