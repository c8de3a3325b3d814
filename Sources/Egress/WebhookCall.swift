/// One POST of a JSON document to somebody who waits for it, signed as the Standard Webhooks say, 1.0.0.
///
/// It may arrive more than once, always under the same id.
package struct WebhookCall: Sendable {
    package var url: String
    /// JSON.
    package var body: [UInt8]
    /// Tells this message from others, also when it is sent again: `webhook-id` and `Idempotency-Key`. Visible ASCII characters.
    package var id: String
    /// `nil`: it is not signed.
    package var secret: WebhookSecret?
    /// The time for everything from waiting for its turn to the last byte.
    package var timeout: Duration
    /// Codes of a response that mean success.
    package var successCodes: [ClosedRange<Int>]
    package var bounds: [EgressBound]

    package init(
        url: String, body: [UInt8], id: String, secret: WebhookSecret? = nil, timeout: Duration = .seconds(10),
        successCodes: [ClosedRange<Int>] = [200...299], bounds: [EgressBound] = []
    ) {
        self.url = url
        self.body = body
        self.id = id
        self.secret = secret
        self.timeout = timeout
        self.successCodes = successCodes
        self.bounds = bounds
    }

    /// How much is kept of a response's body.
    package static let keptBytes = 4 << 10

    /// The value of `webhook-signature`; `nil` without a secret.
    ///
    /// - Parameter seconds: the time of sending, since 1970.
    package func signature(at seconds: Int64) -> String? { secret?.signature(id: id, at: seconds, body) }

    /// - Parameter seconds: the time of sending, since 1970.
    func request(at seconds: Int64) -> EgressRequest {
        var headers = [
            (name: "Content-Type", value: "application/json"), (name: "webhook-id", value: id),
            (name: "Idempotency-Key", value: id), (name: "webhook-timestamp", value: String(seconds)),
        ]
        if let signature = signature(at: seconds) { headers.append((name: "webhook-signature", value: signature)) }
        return EgressRequest(
            method: "POST", url: url, headers: headers, body: body, timeout: timeout, responseLimit: Self.keptBytes,
            cutsResponse: true, bounds: bounds)
    }
}

/// The answer to a ``WebhookCall``, whatever it says.
package struct WebhookAnswer: Hashable, Sendable {
    package var code: Int
    /// Whether the code is one of those that mean success.
    package var isSuccess: Bool
    /// The first ``WebhookCall/keptBytes`` of the body.
    package var body: [UInt8]
    package var time: Duration
    /// How long the peer asks to be left alone, at most an hour; only where it says so in seconds.
    package var retryAfter: Duration?

    /// ``body`` as text; what is no UTF-8 is replaced.
    package var text: String { String(decoding: body, as: UTF8.self) }
}

package enum WebhookOutcome: Hashable, Sendable {
    case answered(WebhookAnswer)
    /// There is no response; a sentence says why. It may have arrived nevertheless.
    case noAnswer(String)
}

extension EgressClient {
    /// Sends a message once.
    ///
    /// - Parameter seconds: the time, since 1970, which the receiver compares with its own.
    package func post(_ call: WebhookCall, at seconds: Int64) async -> WebhookOutcome {
        let start = ContinuousClock.now
        do throws(EgressFailure) {
            let response = try await self.call(call.request(at: seconds))
            let retryAfter = response.headers.first { $0.name.lowercased() == "retry-after" }
                .flatMap { Int(decimal: Substring($0.value).utf8) }
            return .answered(
                WebhookAnswer(
                    code: response.status, isSuccess: call.successCodes.contains { $0.contains(response.status) },
                    body: response.body, time: ContinuousClock.now - start,
                    retryAfter: retryAfter.map { .seconds(min($0, 3_600)) }))
        } catch {
            return .noAnswer(error.description)
        }
    }
}
