package import Documents
internal import Foundation

/// A chat whose channels take messages by webhook. Each has a form of its own, and its own way to say that it took one.
package enum ChatService: String, CaseIterable, Sendable {
    case slack, feishu, dingtalk

    /// The call that sends a text.
    ///
    /// - Parameters:
    ///   - url: the channel's, with what authorises to it.
    ///   - id: as in ``WebhookCall/id``.
    ///   - secret: to sign with; ignored by those that do not.
    ///   - seconds: the time, since 1970.
    package func call(
        _ text: String, to url: String, id: String, signedWith secret: String?, at seconds: Int64, timeout: Duration,
        bounds: [EgressBound]
    ) -> WebhookCall {
        let body: JSONValue
        var url = url
        switch self {
        case .slack: body = ["text": .string(Self.escaped(text))]
        case .feishu:
            body = .fields([
                "timestamp": secret == nil ? nil : .string(String(seconds)),
                "sign": secret.map { .string(Self.feishuSign($0, at: seconds)) }, "msg_type": "text",
                "content": ["text": .string(text)],
            ])
        case .dingtalk:
            body = ["msgtype": "text", "text": ["content": .string(text)]]
            if let secret { url += Self.dingtalkQuery(secret, at: seconds, isFirst: !url.contains("?")) }
        }
        return WebhookCall(url: url, body: WebhookCall.text(of: body), id: id, timeout: timeout, bounds: bounds)
    }

    /// The reason for which an answer does not mean that the message was taken; `nil`: it was.
    package func refusal(in answer: WebhookAnswer) -> String? {
        if let refusal = answer.refusal { return refusal }
        let member: String
        switch self {
        case .slack: return nil
        case .feishu: member = "code"
        case .dingtalk: member = "errcode"
        }
        let document = try? JSONValue(json: Data(answer.body))
        // Older bots of Feishu say StatusCode.
        guard let code = (document?[member] ?? document?["StatusCode"])?.integerValue else {
            return "the answer does not say that the message was taken\(answer.excerpt)"
        }
        return code == 0 ? nil : "the answer says \(member) \(code)\(answer.excerpt)"
    }

    /// Slack takes three characters for its own.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// HMAC-SHA256 of nothing, by the time, a line end and the secret as key.
    static func feishuSign(_ secret: String, at seconds: Int64) -> String {
        WebhookSecret.base64(of: [], key: Array("\(seconds)\n\(secret)".utf8))
    }

    /// HMAC-SHA256 of the time in milliseconds, a line end and the secret, by the secret; at the end of the URL.
    static func dingtalkQuery(_ secret: String, at seconds: Int64, isFirst: Bool) -> String {
        let time = "\(seconds)000"
        let sign = WebhookSecret.base64(of: Array("\(time)\n\(secret)".utf8), key: Array(secret.utf8))
        return "\(isFirst ? "?" : "&")timestamp=\(time)&sign=\(ProviderAddress.percentEncoded(sign))"
    }
}

extension WebhookAnswer {
    /// The reason for which the code does not mean success, with the beginning of what was said; `nil`: it does.
    package var refusal: String? { isSuccess ? nil : "the answer is \(code)\(excerpt)" }

    fileprivate var excerpt: String { body.isEmpty ? "" : ": \(NumberOutcome.excerpt(text))" }
}

extension WebhookCall {
    /// A body, members sorted by name, so that a message that is sent again has the same bytes.
    package static func text(of document: JSONValue) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return Array(try encoder.encode(document))
        } catch {
            preconditionFailure("every value has a text: \(error)")
        }
    }
}
