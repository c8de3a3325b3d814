package import Documents
package import MeshCore

/// A run of the metrics of some templates: measured again and again until they have said enough, or for as long as the release goes
/// on.
///
/// A value without a clock or I/O: whoever drives it brings it up to date with the traffic (``plan(_:now:)``), asks which windows
/// are due, measures them, and has it take the readings in.
package struct AnalysisRun: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// A step waits for it.
        case step
        /// Beside the steps, until the promotion.
        case background
        /// Between the promotion and the end.
        case postPromotion
        /// A step waits for the answer to a call; it has no metrics.
        case webhook
    }

    /// Unique in its release.
    package let id: String
    package let kind: Kind
    /// The step that waits for it, or in which it began.
    package let step: Int
    package let attempt: Int
    package let startedAt: Timestamp
    package private(set) var completedAt: Timestamp?
    package private(set) var phase = AnalysisPhase.pending
    /// One line for people; empty while nothing is wrong.
    package private(set) var message = ""
    package private(set) var metrics: [MetricRun]
    /// By templates' names, how the judgements of their metrics become one score.
    private let scorings: [String: Scoring]
    /// Since when measurements of a metric have had no answer, one after the other; `nil`: they have.
    package private(set) var errorSince: Timestamp?
    /// Whether undecided measurements are gone past, so that they must not keep the others from being taken. By the release's
    /// `onInconclusive` of the moment, so it is not stored.
    package var acceptsUndecided = false

    /// - Parameter templates: with arguments in their places, by name, in the order in which they are given.
    package init(
        id: String, _ kind: Kind, step: Int, attempt: Int, startedAt: Timestamp,
        templates: [(name: String, spec: AnalysisTemplateSpec)]
    ) {
        self.id = id
        self.kind = kind
        self.step = step
        self.attempt = attempt
        self.startedAt = startedAt
        metrics = templates.flatMap { template in template.spec.metrics.map { MetricRun($0, of: template.name) } }
        scorings = Dictionary(templates.map { ($0.name, $0.spec.scoring) }, uniquingKeysWith: { first, _ in first })
    }

    /// Brings the windows up to date with the traffic.
    ///
    /// - Parameter traffic: `nil`: what is decided is not in force.
    /// - Returns: by the index of its metric, each measurement that was not taken.
    package mutating func plan(_ traffic: MeasuredTraffic?, now: Timestamp) -> [(metric: Int, Measurement)] {
        guard !phase.isFinal else { return [] }
        var skipped: [(Int, Measurement)] = []
        for index in metrics.indices {
            let measurements = metrics[index].plan(traffic, start: startedAt, isOfStep: kind == .step, now: now)
            skipped += measurements.map { (index, $0) }
        }
        conclude(now)
        return skipped
    }

    /// The metrics whose windows can be measured.
    package func due(at now: Timestamp) -> [Int] {
        phase.isFinal ? [] : metrics.indices.filter { metrics[$0].due.map { $0 <= now } ?? false }
    }

    /// When to look again; `nil`: not before the traffic changes.
    package var nextDue: Timestamp? { phase.isFinal ? nil : metrics.compactMap(\.due).min() }

    /// Takes the answer about a metric's window in.
    ///
    /// - Returns: `nil`: the window has become longer.
    package mutating func take(_ reading: MetricReading, of metric: Int, now: Timestamp) -> Measurement? {
        guard metrics.indices.contains(metric), !phase.isFinal else { return nil }
        var noise = RunNoise(id, metrics[metric].metric.name.text, metrics[metric].next)
        let measurement = metrics[metric].take(
            reading, now: now, isInBackground: kind == .background, acceptsUndecided: acceptsUndecided, noise: &noise)
        if measurement?.phase == .error {
            errorSince = errorSince ?? now
        } else if metrics.allSatisfy({ $0.counters.consecutiveError == 0 }) {
            errorSince = nil
        }
        conclude(now)
        return measurement
    }

    /// Ends a run whose plan has ended.
    package mutating func cancel(now: Timestamp) {
        guard !phase.isFinal else { return }
        phase = .canceled
        completedAt = now
    }

    // MARK: What comes of it

    /// The worst metric decides, those of dry runs left aside; the judgements of a template count as one.
    private mutating func conclude(_ now: Timestamp) {
        guard !phase.isFinal else { return }
        guard !metrics.isEmpty else {
            // Nothing was looked at, so nothing can be said of it.
            (phase, message) = (.error, "the analysis has no metrics that this server can read")
            errorSince = errorSince ?? now
            return
        }
        let deciding = metrics.filter { !$0.metric.isDryRun }
        let judged = Set(deciding.filter { $0.metric.judge != nil }.map(\.template)).sorted()
        var phases = deciding.filter { $0.metric.judge == nil }.map { ($0.phase, false) }
        var scores: [String: JudgeScore] = [:]
        for template in judged {
            let score = score(of: template, deciding)
            scores[template] = score
            phases.append((score?.phase ?? .running, false))
        }
        if deciding.isEmpty { phases = metrics.map { ($0.phase, true) } }
        phase = AnalysisPhase.ofRun(phases.map { (phase: $0.0, isDryRun: $0.1) })
        // Another metric may still fail.
        if acceptsUndecided && phase == .inconclusive && !phases.allSatisfy(\.0.isFinal) { phase = .running }
        // A step whose metrics all have nothing to measure is done.
        if phase == .skipped { phase = .successful }
        message = explanation(deciding, scores)
        if phase.isFinal { completedAt = now }
    }

    /// The score of a template's judgements; `nil` before all of them have one.
    private func score(of template: String, _ deciding: [MetricRun]) -> JudgeScore? {
        let runs = deciding.filter { $0.template == template && $0.metric.judge != nil }
        if let error = runs.first(where: { $0.phase == .error }), let last = error.measurements.last {
            return JudgeScore(score: 0, groups: [:], phase: .error, message: last.message)
        }
        let isAlone = runs.count == 1 && runs[0].metric.groups.isEmpty
        // No score gets better by waiting for the others once a critical one has failed.
        let isLost = runs.contains { $0.phase == .failed && $0.measurements.last?.math?.isCritical == true }
        guard runs.allSatisfy({ $0.phase.isFinal }) || isLost else { return nil }
        let judged = runs.compactMap { run in
            run.measurements.last { $0.math != nil }.flatMap { $0.math }.flatMap { JudgedMetric(run.metric, $0) }
        }
        // One without points that could be judged is what its own counters say.
        guard !isAlone, judged.count == runs.count, let scoring = scorings[template] else {
            let worst = runs.reduce(AnalysisPhase.skipped) { $0.worse($1.phase) }
            return JudgeScore(score: 0, groups: [:], phase: worst, message: "")
        }
        return scoring.score(judged)
    }

    private func explanation(_ deciding: [MetricRun], _ scores: [String: JudgeScore]) -> String {
        switch phase {
        case .failed, .inconclusive, .error: break
        default: return ""
        }
        if let run = deciding.first(where: { $0.phase == phase }),
            let last = run.measurements.last(where: { $0.phase == phase }) ?? run.measurements.last
        {
            return "analysis \"\(run.template)\": \(last.summary(of: run.metric.name))"
        }
        guard let (template, score) = scores.first(where: { $0.value.phase == phase }) else { return "" }
        return "analysis \"\(template)\": \(score.message)"
    }

    /// For people, the windows that wait for requests.
    package var shortages: [String] {
        phase.isFinal
            ? []
            : metrics.compactMap { run in
                run.shortage.map { "metric \"\(run.metric.name)\" has \($0.have) of \($0.need) requests" }
            }
    }

    /// Since when every metric that has a say has been measured, by the windows' beginnings; `nil`: one has not been.
    package var measuredSince: Timestamp? {
        guard !metrics.isEmpty else { return nil }
        let counting = metrics.filter { !$0.metric.isDryRun }
        guard !counting.isEmpty else { return Timestamp(microseconds: .max) }
        var since = Timestamp(microseconds: .max)
        for run in counting {
            // One that has nothing to measure in some traffic has been looked at in that, and in no other.
            guard let from = run.notApplicableSince ?? run.answeredFrom else { return nil }
            since = min(since, from)
        }
        return since
    }
}

extension AnalysisRun {
    /// The part of a run's state that decisions can go by; a number of requests that grows is no part of it.
    package struct Standing: Hashable, Sendable {
        var phase: AnalysisPhase
        var errorSince: Timestamp?
        var measuredSince: Timestamp?
        /// The places of the metrics that wait for requests.
        var waiting: [Int]
    }

    package var standing: Standing {
        Standing(
            phase: phase, errorSince: errorSince, measuredSince: measuredSince,
            waiting: phase.isFinal ? [] : metrics.indices.filter { metrics[$0].shortage != nil })
    }

    /// The run in the place of one that cannot be read, maybe because a later server has written it: without metrics it says nothing,
    /// and is an error.
    package static func unreadable(id: String, startedAt: Timestamp) -> AnalysisRun {
        var run = AnalysisRun(id: id, .step, step: 0, attempt: 0, startedAt: startedAt, templates: [])
        run.conclude(startedAt)
        return run
    }
}

/// Random numbers that are the same for the same measurement, so that a judgement can be repeated (FNV-1a, then SplitMix64).
private struct RunNoise: RandomNumberGenerator {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ run: String, _ metric: String, _ k: Int) {
        for byte in "\(run)/\(metric)/\(k)".utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

// MARK: - Its form in the database and in the API

extension AnalysisRun {
    /// Reads what ``json`` wrote.
    ///
    /// - Returns: `nil` for anything else.
    package init?(_ document: JSONValue) {
        guard let id = document["id"]?.stringValue, let kind = document["kind"]?.stringValue.flatMap(Kind.init),
            let startedAt = document["startedAt"]?.stringValue.flatMap(Timestamp.init(text:))
        else { return nil }
        self.id = id
        self.kind = kind
        self.startedAt = startedAt
        step = Int(clamping: document["step"]?.integerValue ?? 0)
        attempt = Int(clamping: document["attempt"]?.integerValue ?? 0)
        completedAt = document["completedAt"]?.stringValue.flatMap(Timestamp.init(text:))
        phase = document["phase"]?.stringValue.flatMap(AnalysisPhase.init) ?? .pending
        message = document["message"]?.stringValue ?? ""
        errorSince = document["errorSince"]?.stringValue.flatMap(Timestamp.init(text:))
        metrics = (document["metrics"]?.arrayValue ?? []).compactMap(MetricRun.init)
        guard metrics.count == document["metrics"]?.arrayValue?.count ?? 0 else { return nil }
        scorings = (document["scorings"]?.objectValue ?? [:]).compactMapValues {
            Scoring.read($0, at: .root, log: ViolationLog(ofStored: true))
        }
    }

    /// Everything, as it is stored.
    package var json: JSONValue {
        guard case .object(var members) = shown else { return .null }
        members["metrics"] = .array(metrics.map(\.json))
        members["scorings"] = .object(scorings.mapValues(\.json))
        return .object(members)
    }

    /// The document that people are shown: without what only the server needs.
    package var shown: JSONValue {
        .fields([
            "id": .string(id), "kind": .string(kind.rawValue), "step": .integer(Int64(step)),
            "attempt": .integer(Int64(attempt)), "phase": .string(phase.rawValue), "message": .string(message),
            "startedAt": .string(startedAt.text), "completedAt": completedAt.map { .string($0.text) },
            "errorSince": errorSince.map { .string($0.text) }, "metrics": .array(metrics.map(\.shown)),
        ])
    }
}

extension MetricRun {
    fileprivate init?(_ document: JSONValue) {
        guard let template = document["template"]?.stringValue, let spec = document["spec"],
            let metric = AnalysisMetric.read(spec, at: .root, log: ViolationLog(ofStored: true))
        else { return nil }
        self.init(metric, of: template)
        phase = document["phase"]?.stringValue.flatMap(AnalysisPhase.init) ?? .pending
        counters = document["counters"].map(MetricCounters.init) ?? MetricCounters()
        next = Int(clamping: max(0, min(document["next"]?.integerValue ?? 0, Int64(Int32.max))))
        let time = { (name: String) in document[name]?.stringValue.flatMap(Timestamp.init(text:)) }
        answeredFrom = time("answeredFrom")
        notApplicableSince = time("notApplicableSince")
        if let since = time("trafficSince"), let from = time("from"), let to = time("to") {
            window = Window(trafficSince: since, from: from, to: to)
        }
        if let have = document["have"]?.integerValue {
            shortage = Shortage(have: Int(clamping: have), need: metric.samplesNeeded)
        }
        measurements = (document["measurements"]?.arrayValue ?? []).compactMap(Measurement.init)
    }

    fileprivate var json: JSONValue {
        guard case .object(var members) = shown else { return .null }
        members["spec"] = metric.json
        members["next"] = .integer(Int64(next))
        members["answeredFrom"] = answeredFrom.map { .string($0.text) }
        members["notApplicableSince"] = notApplicableSince.map { .string($0.text) }
        members["trafficSince"] = window.map { .string($0.trafficSince.text) }
        members["from"] = window.map { .string($0.from.text) }
        members["to"] = window.map { .string($0.to.text) }
        members["have"] = shortage.map { .integer(Int64($0.have)) }
        return .object(members)
    }

    fileprivate var shown: JSONValue {
        .fields([
            "name": .string(metric.name.text), "template": .string(template), "phase": .string(phase.rawValue),
            "dryRun": .bool(metric.isDryRun), "counters": counters.json,
            "window": window.map { ["from": .string($0.from.text), "to": .string($0.to.text)] },
            "measurements": .array(measurements.map(\.json)),
        ])
    }
}
