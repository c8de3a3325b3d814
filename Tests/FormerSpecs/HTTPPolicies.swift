import MeshCore
import Documents

/// How often a request is tried again, and when.
package struct HTTPRetries: Hashable, Sendable {
    /// Besides the first try; `0...100`, 0 means never.
    package var attempts: Int
    /// For each try. `nil`: no limit but the rule's timeout.
    package var perTryTimeout: Duration?
    /// Envoy's conditions (`x-envoy-retry-on`, `x-envoy-retry-grpc-on`). Empty: ``standard``'s.
    package var conditions: [String]
    /// Answers with these codes are tried again too; `100...599`.
    package var statusCodes: [Int]

    package init(attempts: Int, perTryTimeout: Duration? = nil, conditions: [String] = [], statusCodes: [Int] = []) {
        self.attempts = attempts
        self.perTryTimeout = perTryTimeout
        self.conditions = conditions
        self.statusCodes = statusCodes
    }

    /// What holds where a rule says nothing, as in Istio: two more tries of what certainly did not reach the workload, or
    /// what it refused before doing anything.
    package static let standard = HTTPRetries(
        attempts: 2,
        conditions: ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"])

    private static let knownConditions = [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited",
        "retriable-4xx",
        "refused-stream", "retriable-status-codes", "retriable-headers", "http3-post-connect-failure", "cancelled",
        "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ]
    private static let unsupported = ["backoff", "retryRemoteLocalities", "retryIgnorePreviousHosts"]

    init?(reading reader: FieldReader) {
        var fields = reader
        let attempts = fields.integer("attempts", in: 0...100)
        perTryTimeout = fields.duration("perTryTimeout")
        conditions = []
        statusCodes = []
        for token in (fields.string("retryOn") ?? "").split(separator: ",") {
            let token = String(token.filter { $0 != " " })
            if let code = Int(token), (100...599).contains(code) {
                statusCodes.append(code)
            } else if Self.knownConditions.contains(token) {
                conditions.append(token)
            } else {
                fields.log.report(
                    fields.pointer.appending("retryOn"), .invalidValue,
                    "\"\(token)\" is neither a condition nor a status code",
                    choices: Self.knownConditions)
            }
        }
        fields.refuse(Self.unsupported)
        fields.finish()
        // As in Istio: retries that do not say how often are the standard number of them.
        self.attempts = attempts.map { Int($0) } ?? Self.standard.attempts
    }

    var json: JSONValue {
        let tokens = conditions + statusCodes.map { String($0) }
        return .fields([
            "attempts": .integer(Int64(attempts)), "perTryTimeout": perTryTimeout.map { .string($0.text) },
            "retryOn": tokens.isEmpty ? nil : .string(tokens.joined(separator: ",")),
        ])
    }
}

/// Errors on purpose, to see how callers take them.
package struct HTTPFault: Hashable, Sendable {
    package struct Delay: Hashable, Sendable {
        /// Which part of requests waits.
        package var percentage: Percentage
        package var fixedDelay: Duration
    }

    package struct Abort: Hashable, Sendable {
        package var percentage: Percentage
        /// `200...599`, as Envoy's fault filter takes it.
        package var httpStatus: Int
    }

    package var delay: Delay?
    package var abort: Abort?

    init(reading reader: FieldReader) {
        var fields = reader
        delay = fields.object("delay").flatMap { Self.delay($0) }
        abort = fields.object("abort").flatMap { Self.abort($0) }
        if delay == nil && abort == nil && !fields.has("delay") && !fields.has("abort") {
            fields.log.report(fields.pointer, .required, "must have a delay or an abort")
        }
        fields.finish()
    }

    private static func delay(_ reader: FieldReader) -> Delay? {
        var fields = reader
        let percentage = Percentage.read("percentage", early: "percent", from: &fields)
        let delay = fields.duration("fixedDelay", in: .milliseconds(1)...(.seconds(3600)))
        if !fields.has("fixedDelay") { fields.require("fixedDelay") }
        fields.refuse(["exponentialDelay"])
        fields.finish()
        return delay.map { Delay(percentage: percentage ?? .all, fixedDelay: $0) }
    }

    private static func abort(_ reader: FieldReader) -> Abort? {
        var fields = reader
        let percentage = Percentage.read("percentage", early: "percent", from: &fields)
        fields.refuse(["grpcStatus", "http2Error"])
        let status = fields.integer("httpStatus", in: 200...599, required: true)
        fields.finish()
        return status.map { Abort(percentage: percentage ?? .all, httpStatus: Int($0)) }
    }

    package var json: JSONValue {
        .fields([
            "delay": delay.map {
                ["percentage": $0.percentage.json, "fixedDelay": .string($0.fixedDelay.text)]
            },
            "abort": abort.map {
                ["percentage": $0.percentage.json, "httpStatus": .integer(Int64($0.httpStatus))]
            },
        ])
    }
}
