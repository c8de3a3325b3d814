internal import Documents
internal import HTTPTypes

/// An error answer: `application/problem+json` as of RFC 9457, with this API's members `code`, `requestId` and `errors`.
///
/// Whatever goes wrong becomes one of these; nothing else ever leaves the server with a status of 400 or more.
struct Problem: Error, Sendable {
    static let mediaType = "application/problem+json"

    var status: HTTPResponse.Status
    /// The code that scripts test for; part of the API's contract.
    var code: String
    /// A sentence for people about this occurrence.
    var detail: String
    /// Everything that is wrong with the request, each with its place.
    var errors: [Violation] = []
    /// More members, such as `allowedActions`.
    var members: [String: JSONValue] = [:]
    /// More header fields, such as `Retry-After`.
    var headers: HTTPFields = [:]

    init(
        _ status: HTTPResponse.Status, _ code: String, _ detail: String, errors: [Violation] = [],
        members: [String: JSONValue] = [:], headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.members = members
        self.headers = headers
    }

    /// The answer's body.
    ///
    /// - Parameters:
    ///   - instance: the request's path.
    ///   - requestId: as in the answer's `X-Request-Id` and in the log.
    func body(instance: String, requestId: String) -> [UInt8] {
        var document = members
        document["type"] = .string("urn:sluice:problem:\(code)")
        document["title"] = .string(status.reasonPhrase)
        document["status"] = .integer(Int64(status.code))
        document["detail"] = .string(detail)
        document["instance"] = .string(instance)
        document["code"] = .string(code)
        document["requestId"] = .string(requestId)
        document["errors"] = .list(errors, \.json)
        return JSONText.print(.object(document))
    }
}

extension Violation {
    /// One element of `errors[]` or `warnings[]`.
    var json: JSONValue {
        .fields([
            "pointer": .string(pointer.description),
            "code": .string(code.rawValue),
            "detail": .string(detail),
            "choices": .list(choices, JSONValue.string),
            "object": object,
        ])
    }
}
