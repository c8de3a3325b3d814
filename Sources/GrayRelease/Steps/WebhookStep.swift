package import Documents
package import MeshCore

/// A call to somebody outside who decides, or does something, before the plan goes on: `webhook` of a step.
///
/// The call is repeated with the same `webhook-id` until it has been answered, so whoever is called must know it again.
package struct WebhookStep: Document {
    /// Attempts to get an answer, and the time between them.
    package struct Retry: Hashable, Sendable {
        /// `1...10`, default 3.
        package var maxAttempts = 3
        /// `1s...10m`, default 10 s.
        package var backoff = Duration.seconds(10)

        package init() {}
    }

    /// With https, or http where the server may call such addresses; at most 2048 bytes.
    package var url = ""
    /// How long an answer may take; `1s...60s`, default 30 s.
    package var timeout = Duration.seconds(30)
    /// Statuses that let the plan go on; `100...599`, at most 16. Empty: 200 to 299.
    package var successCodes: [Int] = []
    package var retry = Retry()
    /// Signs the call (Standard Webhooks, HMAC-SHA256). `nil`: it is not signed.
    package var secret: SecretReference?
    /// Sent with the call, as they are; at most 32 of at most 512 bytes.
    package var args: [String: String] = [:]

    package init() {}

    package static let schemaName: String? = "WebhookStep"
    package static let fields: [Field<Self>] = [
        .required(
            "url", \.url, Shape<String>.string(atMost: 2048).examples("https://ci.example.com/load"),
            "POSTed to. With https; with http only where the server may call such addresses (--egress-allow)."),
        .defaulted(
            "timeout", \.timeout, .duration(.seconds(1)...(.seconds(60))), "How long an answer may take, in all."),
        .defaulted(
            "successCodes", \.successCodes, .list(of: .integer(100...599), 0...16, .ofElements("is given twice")),
            "Statuses that let the plan go on. Default: 200 to 299."),
        .group(
            "retry",
            [
                .defaulted("maxAttempts", \.retry.maxAttempts, .integer(1...10), "In all."),
                .defaulted(
                    "backoff", \.retry.backoff, .duration(.seconds(1)...(.seconds(600))), "Between two attempts."),
            ],
            """
            How often it is tried. Another status in the last attempt fails the step; no answer at all holds it \
            (failurePolicy.onError), and it is tried on.
            """),
        .optional(
            "secret", \.secret, .secretRef,
            "The key that signs the call, as the Standard Webhooks have it: webhook-id, webhook-timestamp, webhook-signature."
        ),
        .defaulted("args", \.args, arguments, isWritten: false, "Sent with the call."),
    ]

    private static let arguments = Shape<[String: String]>.strings.checked { values, place, log in
        let isTooLong = values.contains { $0.key.utf8.count > 100 || $0.value.utf8.count > 512 }
        guard values.count > 32 || isTooLong else { return }
        log.report(place.pointer, .tooMany, "must have at most 32 values of at most 512 bytes")
    }

    /// Whether an answer with this status lets the plan go on.
    package func accepts(_ code: Int) -> Bool {
        successCodes.isEmpty ? (200...299).contains(code) : successCodes.contains(code)
    }
}
