internal import Documents
internal import HTTPTypes

/// An answer of a handler; the responder adds what every answer has.
struct APIAnswer: Sendable {
    static let json = "application/json"

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: [UInt8]
    /// Stands for the body, if there is one: then it goes on for as long as both sides want.
    var events: EventStream?

    init(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: [UInt8] = [], type: String? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        if let type { self.headers[.contentType] = type }
    }

    /// An answer with a JSON document.
    static func document(
        _ document: JSONValue, _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> APIAnswer {
        APIAnswer(status, headers: headers, body: JSONText.print(document), type: json)
    }

    /// An event stream. The connection ends with it: what the client sent meanwhile is lost.
    static func events(_ events: EventStream) -> APIAnswer {
        var answer = APIAnswer(headers: [.connection: "close"], type: EventText.mediaType)
        answer.events = events
        return answer
    }

    static func text(_ text: String, type: String) -> APIAnswer { APIAnswer(body: Array(text.utf8), type: type) }
}

extension HTTPField.Name {
    /// Has no constant among HTTPTypes' own.
    static let requestId = HTTPField.Name.literal("X-Request-Id")
    static let serverTiming = HTTPField.Name.literal("Server-Timing")
    static let idempotencyKey = HTTPField.Name.literal("Idempotency-Key")
    static let idempotencyReplayed = HTTPField.Name.literal("Idempotency-Replayed")
    static let acceptPatch = HTTPField.Name.literal("Accept-Patch")

    static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no token") }
        return name
    }
}
