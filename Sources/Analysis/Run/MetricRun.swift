internal import Documents
package import MeshCore

/// The traffic that measurements are about, as it is in force.
package struct MeasuredTraffic: Hashable, Sendable {
    /// When the sidecars had acknowledged it. Whatever they report from ``settling`` later on is about it alone.
    package var since: Timestamp
    /// Whether the canary gets requests, or copies of them, by the plan.
    package var hasCanary: Bool
    /// Whether stable gets requests by the plan.
    package var hasStable: Bool

    /// How long after ``since`` reports may still be about the traffic before: sidecars report every ten seconds.
    package static let settling = Duration.seconds(10)

    package init(since: Timestamp, hasCanary: Bool, hasStable: Bool) {
        self.since = since
        self.hasCanary = hasCanary
        self.hasStable = hasStable
    }
}

/// The answer of whoever measures, about one window.
package struct MetricReading: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// `nil`: there is no data.
        case value(Double?, baseline: Double?)
        /// Points of both versions, for a judge.
        case points(experiment: [Double], control: [Double])
        /// Requests, or points of a judge, of the side that has fewer.
        case tooFew(Int)
        /// Too few of the sidecars have reported.
        case uncovered
        /// Nothing could be measured, and why: no verdict.
        case failure(String)
    }

    package var content: Content
    package var samples: Int?
    /// The share of the sidecars whose reports are known, `0...1`.
    package var coverage: Double
    /// The numbers that the value was computed of.
    package var inputs: [String: Double]

    /// Under this share of reports a measurement is no verdict.
    package static let coverageNeeded = 0.9

    package init(
        _ content: Content, samples: Int? = nil, coverage: Double = 1, inputs: [String: Double] = [:]
    ) {
        self.content = content
        self.samples = samples
        self.coverage = coverage
        self.inputs = inputs
    }
}

/// One metric of a run: its window, and what came of those before.
///
/// A value without a clock: windows, and when they are due, follow from the traffic's time. What a change of traffic cuts is
/// dropped, and measuring begins anew with reports that are about the new traffic alone.
package struct MetricRun: Hashable, Sendable {
    package struct Window: Hashable, Sendable {
        /// ``MeasuredTraffic/since`` of what it is about.
        package var trafficSince: Timestamp
        package var from: Timestamp
        /// The first instant after it. Grows while there are too few requests.
        package var to: Timestamp
    }

    /// The requests that the window waits for.
    package struct Shortage: Hashable, Sendable {
        package var have: Int
        package var need: Int
    }

    package let metric: AnalysisMetric
    /// The name of the template that it is of.
    package let template: String
    package internal(set) var phase = AnalysisPhase.pending
    package internal(set) var counters = MetricCounters()
    /// The number of the next measurement.
    package internal(set) var next = 0
    package internal(set) var window: Window?
    package internal(set) var shortage: Shortage?
    /// The beginning of the newest window that had an answer; `nil`: none had.
    package internal(set) var answeredFrom: Timestamp?
    /// The traffic for which it was said that there is nothing to measure.
    var notApplicableSince: Timestamp?
    /// The newest, at most ``kept``.
    package internal(set) var measurements: [Measurement] = []

    package static let kept = 10
    /// How long after its end a window of the server's own figures is known: a slot is closed and written by then.
    static let reportDelay = Duration.seconds(8)

    package init(_ metric: AnalysisMetric, of template: String) {
        self.metric = metric
        self.template = template
    }

    /// When its window can be measured; `nil`: there is none.
    package var due: Timestamp? {
        phase.isFinal ? nil : window.map { metric.builtin == nil ? $0.to : $0.to + Self.reportDelay }
    }

    /// Whether the plan gives it something to measure.
    private func applies(to traffic: MeasuredTraffic) -> Bool {
        traffic.hasCanary && (traffic.hasStable || !metric.isComparing)
    }

    /// Brings the window up to date with the traffic.
    ///
    /// - Parameters:
    ///   - traffic: `nil`: what is decided is not in force, so nothing can be measured.
    ///   - start: the run's.
    ///   - isOfStep: whether a step waits for the run; a metric that does not apply is over then.
    /// - Returns: measurements that were not taken.
    mutating func plan(
        _ traffic: MeasuredTraffic?, start: Timestamp, isOfStep: Bool, now: Timestamp
    ) -> [Measurement] {
        guard !phase.isFinal else { return [] }
        guard let traffic else {
            (window, shortage) = (nil, nil)
            return []
        }
        guard applies(to: traffic) else {
            (window, shortage) = (nil, nil)
            guard notApplicableSince != traffic.since else { return [] }
            notApplicableSince = traffic.since
            let measurement = skip(
                from: traffic.since, to: max(now, traffic.since), .notApplicable,
                traffic.hasCanary ? "stable has no traffic to compare with" : "the canary has no traffic", now)
            if isOfStep { phase = .skipped }
            return [measurement]
        }
        notApplicableSince = nil
        if window?.trafficSince != traffic.since {
            let from = Self.slot(atOrAfter: max(traffic.since + MeasuredTraffic.settling, start + metric.initialDelay))
            window = Window(trafficSince: traffic.since, from: from, to: from + metric.interval)
            shortage = nil
        }
        return skipMissed(now)
    }

    /// Skips windows whose time came and went while nobody measured; only the newest is measured late.
    private mutating func skipMissed(_ now: Timestamp) -> [Measurement] {
        guard let due, let window else { return [] }
        let interval = metric.interval.microseconds
        let missed = interval > 0 ? (now - due).microseconds / interval : 0
        guard missed > 0 else { return [] }
        let end = window.to + metric.interval * Int(missed - 1)
        let measurement = skip(from: window.from, to: end, .missed, "nobody measured in that time", now)
        advance(from: end)
        return [measurement]
    }

    /// Takes the answer about the window in.
    ///
    /// - Returns: `nil`: there were too few requests, and the window has become longer.
    mutating func take(
        _ reading: MetricReading, now: Timestamp, isInBackground: Bool, acceptsUndecided: Bool = false,
        noise: inout some RandomNumberGenerator
    ) -> Measurement? {
        guard let window else { return nil }
        let isShort: Bool
        switch reading.content {
        case .tooFew(let have):
            shortage = Shortage(have: have, need: metric.samplesNeeded)
            isShort = true
        case .uncovered: isShort = true
        default: isShort = false
        }
        if isShort, window.to - window.from + metric.interval <= metric.longestWindow {
            self.window?.to = window.to + metric.interval
            return nil
        }
        let measurement = measurement(of: reading, window, now, &noise)
        counters.record(measurement.phase)
        phase = counters.assess(metric, inBackground: isInBackground, acceptsUndecided: acceptsUndecided)
        if measurement.phase != .error { answeredFrom = window.from }
        keep(measurement)
        advance(from: window.to)
        return measurement
    }

    private func measurement(
        of reading: MetricReading, _ window: Window, _ now: Timestamp, _ noise: inout some RandomNumberGenerator
    ) -> Measurement {
        var (outcome, reason): (MeasurementOutcome, Measurement.Reason?)
        var (value, baseline, math): (Double?, Double?, JudgeResult?)
        switch reading.content {
        case .value(let result, let other):
            (value, baseline) = (result, other)
            (outcome, reason) = (metric.outcome(of: result, baseline: other), nil)
        case .points(let experiment, let control):
            let result = Judge(metric.judge ?? JudgeOptions()).compare(
                experiment: experiment, control: control, noise: &noise)
            math = result
            (outcome, reason) = (metric.outcome(of: result), nil)
        case .tooFew(let have):
            let text = "\(have) \(metric.judge == nil ? "requests" : "points"), needs \(metric.samplesNeeded)"
            (outcome, reason) = (MeasurementOutcome(.inconclusive, text), .insufficientData)
        case .uncovered:
            let share = "\(Int((reading.coverage * 100).rounded(.down))) % of the sidecars have reported"
            (outcome, reason) = (MeasurementOutcome(.inconclusive, share), .coverage)
        case .failure(let text): (outcome, reason) = (MeasurementOutcome(.error, text), nil)
        }
        return Measurement(
            k: next, from: window.from, to: window.to, outcome, reason: reason, value: value, samples: reading.samples,
            baselineValue: baseline, coverage: reading.coverage,
            inputs: .object(reading.inputs.mapValues { .number($0) }), math: math, at: now)
    }

    private mutating func skip(
        from: Timestamp, to: Timestamp, _ reason: Measurement.Reason, _ message: String, _ now: Timestamp
    ) -> Measurement {
        let measurement = Measurement(
            k: next, from: from, to: to, MeasurementOutcome(.skipped, message), reason: reason, at: now)
        counters.record(.skipped)
        keep(measurement)
        return measurement
    }

    private mutating func keep(_ measurement: Measurement) {
        next += 1
        measurements = Array((measurements + [measurement]).suffix(Self.kept))
    }

    private mutating func advance(from start: Timestamp) {
        shortage = nil
        window?.from = start
        window?.to = start + metric.interval
    }

    /// The first border of slots of ten seconds that is not before a time.
    private static func slot(atOrAfter time: Timestamp) -> Timestamp {
        let slot = BuiltinMetric.slot.microseconds
        return Timestamp(microseconds: (time.microseconds + slot - 1) / slot * slot)
    }
}
