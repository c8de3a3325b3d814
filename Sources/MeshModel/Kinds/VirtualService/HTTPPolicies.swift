package import Documents

/// How often a request is tried again, and when.
package struct HTTPRetries: Document {
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

    /// The default of rules that give no retries, as in Istio: two more tries of a request that certainly did not reach
    /// the workload, or that the workload refused before doing anything.
    package static let standard = HTTPRetries(
        attempts: 2,
        conditions: ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"])

    package init() { self.init(attempts: Self.standard.attempts) }

    package static let fields: [Field<Self>] = [
        // As in Istio: retries that do not say how often are the standard number of them.
        .defaulted("attempts", \.attempts, .integer(0...100), "Besides the first try; 0: never."),
        .optional("perTryTimeout", \.perTryTimeout, .duration(), "For each try. Default: only the rule's timeout."),
        .defaulted(
            "retryOn", \.retryOn, RetryOn.shape,
            """
            Envoy's conditions (x-envoy-retry-on, x-envoy-retry-grpc-on) and status codes from 100 to 599, with commas. Default: \
            connect-failure, refused-stream, unavailable and cancelled.
            """),
        .refused("backoff", "the time between tries cannot be chosen"),
        .refused("retryRemoteLocalities", "endpoints of all localities are used alike"),
        .refused("retryIgnorePreviousHosts", "another endpoint is tried where there is one"),
    ]

    private var retryOn: RetryOn {
        get { RetryOn(conditions: conditions, statusCodes: statusCodes) }
        set { (conditions, statusCodes) = (newValue.conditions, newValue.statusCodes) }
    }
}

/// `retryOn` as it is written: `5xx,reset,503`.
private struct RetryOn: Hashable, Sendable {
    var conditions: [String]
    var statusCodes: [Int]

    private static let knownConditions = [
        "5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "envoy-ratelimited",
        "retriable-4xx", "refused-stream", "retriable-status-codes", "retriable-headers",
        "http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
    ]

    static let shape = Shape<RetryOn>(
        schema: text.schema,
        read: { json, place, log in text.read(json, place, log).map { RetryOn($0, at: place, log) } },
        write: { retryOn in
            let tokens = retryOn.conditions + retryOn.statusCodes.map { String($0) }
            return tokens.isEmpty ? nil : .string(tokens.joined(separator: ","))
        })
    private static let text = Shape<String>.string().examples("5xx,reset,503")
}

extension RetryOn {
    fileprivate init(_ text: String, at place: Place, _ log: ViolationLog) {
        (conditions, statusCodes) = ([], [])
        for token in text.split(separator: ",") {
            let token = String(token.filter { $0 != " " })
            if let code = Int(token), (100...599).contains(code) {
                statusCodes.append(code)
            } else if Self.knownConditions.contains(token) {
                conditions.append(token)
            } else {
                log.report(
                    place.pointer, .invalidValue, "\"\(token)\" is neither a condition nor a status code",
                    choices: Self.knownConditions)
            }
        }
    }
}

/// Errors on purpose, to see how callers take them.
package struct HTTPFault: Document {
    package struct Delay: Document {
        /// Which part of requests waits.
        package var percentage = Percentage.all
        package var fixedDelay = Duration.zero

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .defaulted(
                "percentage", \.percentage, .document, early: ("percent", .wholePercent),
                "Which part of requests waits."),
            .required(
                "fixedDelay", \.fixedDelay, .duration(.milliseconds(1)...(.seconds(3600))), "How long."),
            .refused("exponentialDelay", "a delay is always the same"),
        ]
    }

    package struct Abort: Document {
        package var percentage = Percentage.all
        /// `200...599`, as Envoy's fault filter takes it.
        package var httpStatus = 0

        package init() {}

        package static let schemaName: String? = nil
        package static let fields: [Field<Self>] = [
            .defaulted(
                "percentage", \.percentage, .document, early: ("percent", .wholePercent),
                "Which part of requests is answered so."),
            .required("httpStatus", \.httpStatus, .integer(200...599), "The answer's status."),
            .refused("grpcStatus", "write httpStatus"),
            .refused("http2Error", "write httpStatus"),
        ]
    }

    package var delay: Delay?
    package var abort: Abort?

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional("delay", \.delay, .document, "Requests wait before they are sent."),
        .optional("abort", \.abort, .document, "Requests are answered with an error instead."),
    ]
    package static let summary: String? = "At least one of delay and abort."

    package func finish(_ reading: Members) {
        if !reading.has("delay") && !reading.has("abort") {
            reading.log.report(reading.pointer, .required, "must have a delay or an abort")
        }
    }
}
