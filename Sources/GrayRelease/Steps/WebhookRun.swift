package import Analysis
package import Documents
package import MeshCore

/// The call of a ``WebhookStep``, tried until there is an answer that decides: a run beside the engine, as those of analyses are.
///
/// A value without a clock or I/O: whoever drives it asks when it is due, calls, and has it take the outcome in.
package struct WebhookRun: Hashable, Sendable {
    /// The outcome of one attempt.
    package enum Outcome: Hashable, Sendable {
        /// A status, the beginning of the body, and how long it took.
        case answered(Int, body: String, after: Duration, retryAfter: Duration? = nil)
        /// The call may have arrived nevertheless. A sentence says why nothing is known.
        case noAnswer(String)
    }

    /// An attempt, as it is kept.
    package struct Attempt: Hashable, Sendable {
        package var at: Timestamp
        /// `nil`: there was no answer.
        package var code: Int?
        /// The beginning of the answer's body, or why there was none.
        package var text: String
        package var time: Duration
    }

    /// Unique in its release.
    package let id: String
    package let step: Int
    package let attempt: Int
    package let startedAt: Timestamp
    package let call: WebhookStep
    /// The message, the same in all attempts.
    package let body: JSONValue
    package private(set) var completedAt: Timestamp?
    package private(set) var phase = AnalysisPhase.pending
    /// One line for people; empty while nothing is wrong.
    package private(set) var message = ""
    /// Since when there has been no answer, once that was so in as many attempts in a row as there may be; `nil`: there are answers.
    package private(set) var errorSince: Timestamp?
    /// When it is to be tried; `nil`: it is over.
    package private(set) var due: Timestamp?
    /// The newest, at most ``kept``.
    package private(set) var attempts: [Attempt] = []
    /// Answers that did not let the plan go on.
    private var refusals = 0
    /// Attempts without an answer since the last answer, and when the first of them was.
    private var silences = 0
    private var silentSince: Timestamp?

    package static let kept = 10

    package init(id: String, _ call: WebhookStep, body: JSONValue, step: Int, attempt: Int, startedAt: Timestamp) {
        self.id = id
        self.call = call
        self.body = body
        self.step = step
        self.attempt = attempt
        self.startedAt = startedAt
        due = startedAt
    }

    /// Takes the outcome of an attempt in. What comes after the end counts for nothing.
    package mutating func take(_ outcome: Outcome, now: Timestamp) {
        guard due != nil, !phase.isFinal else { return }
        switch outcome {
        case .answered(let code, let body, let time, let retryAfter):
            keep(Attempt(at: now, code: code, text: body, time: time))
            (silences, silentSince, errorSince, message) = (0, nil, nil, "")
            guard !call.accepts(code) else { return end(.successful, "", now) }
            refusals += 1
            phase = .running
            guard refusals < call.retry.maxAttempts else {
                return end(.failed, "webhook \(call.url) answered \(code) (attempt \(refusals))", now)
            }
            due = now + max(call.retry.backoff, retryAfter ?? .zero)
        case .noAnswer(let reason):
            keep(Attempt(at: now, code: nil, text: reason, time: .zero))
            silences = min(silences + 1, Int(Int32.max))
            silentSince = silentSince ?? now
            phase = .running
            if silences >= call.retry.maxAttempts {
                phase = .error
                errorSince = silentSince
                message = "webhook \(call.url) does not answer: \(reason)"
            }
            due = now + call.retry.backoff
        }
    }

    /// Ends a run whose step is over.
    package mutating func cancel(now: Timestamp) {
        if !phase.isFinal { end(.canceled, "", now) }
    }

    private mutating func end(_ phase: AnalysisPhase, _ message: String, _ now: Timestamp) {
        (self.phase, self.message, completedAt, due) = (phase, message, now, nil)
    }

    private mutating func keep(_ attempt: Attempt) { attempts = Array((attempts + [attempt]).suffix(Self.kept)) }
}

// MARK: - Its form in the database and in the API

extension WebhookRun {
    package static let kind = AnalysisRun.Kind.webhook

    /// Reads what ``json`` wrote.
    ///
    /// - Returns: `nil` for anything else.
    package init?(_ document: JSONValue) {
        let time = { (name: String) in document[name]?.stringValue.flatMap(Timestamp.init(text:)) }
        let count = { (name: String) in Int(max(0, min(document[name]?.integerValue ?? 0, Int64(Int32.max)))) }
        guard let id = document["id"]?.stringValue, document["kind"]?.stringValue == Self.kind.rawValue,
            let startedAt = time("startedAt"), let body = document["body"],
            let call = document["webhook"].flatMap({
                WebhookStep.read($0, at: .root, log: ViolationLog(ofStored: true))
            })
        else { return nil }
        self.init(id: id, call, body: body, step: count("step"), attempt: count("attempt"), startedAt: startedAt)
        completedAt = time("completedAt")
        phase = document["phase"]?.stringValue.flatMap(AnalysisPhase.init) ?? .pending
        message = document["message"]?.stringValue ?? ""
        errorSince = time("errorSince")
        due = time("due")
        refusals = count("refusals")
        silences = count("silences")
        silentSince = time("silentSince")
        attempts = (document["attempts"]?.arrayValue ?? []).compactMap(Attempt.init)
    }

    /// Everything, as it is stored.
    package var json: JSONValue {
        guard case .object(var members) = shown else { return .null }
        members["body"] = body
        members["due"] = due.map { .string($0.text) }
        // For whoever claims the run without reading it.
        members["callSeconds"] = .integer(call.timeout.components.seconds)
        members["refusals"] = .integer(Int64(refusals))
        members["silences"] = .integer(Int64(silences))
        members["silentSince"] = silentSince.map { .string($0.text) }
        return .object(members)
    }

    /// The document that people are shown: without what only the server needs.
    package var shown: JSONValue {
        .fields([
            "id": .string(id), "kind": .string(Self.kind.rawValue), "step": .integer(Int64(step)),
            "attempt": .integer(Int64(attempt)), "phase": .string(phase.rawValue), "message": .string(message),
            "startedAt": .string(startedAt.text), "completedAt": completedAt.map { .string($0.text) },
            "errorSince": errorSince.map { .string($0.text) }, "metrics": [], "webhook": call.json,
            "attempts": .array(attempts.map(\.json)),
        ])
    }
}

extension WebhookRun.Attempt {
    fileprivate init?(_ document: JSONValue) {
        guard let at = document["at"]?.stringValue.flatMap(Timestamp.init(text:)) else { return nil }
        let code = document["code"]?.integerValue.flatMap { Int(exactly: $0) }
        let time = document["time"]?.stringValue.flatMap(Duration.init(iso8601:)) ?? .zero
        self.init(at: at, code: code, text: document["text"]?.stringValue ?? "", time: time)
    }

    fileprivate var json: JSONValue {
        .fields([
            "at": .string(at.text), "code": code.map { .integer(Int64($0)) }, "text": .string(text),
            "time": .string(time.iso8601),
        ])
    }
}
