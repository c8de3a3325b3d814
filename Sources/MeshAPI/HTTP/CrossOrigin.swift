internal import HTTPTypes

/// Cross-origin requests from browsers (Fetch standard, "CORS protocol"): tokens travel in `Authorization`, never in
/// cookies, so credentials mode is not needed and `*` is safe.
///
/// Not Hummingbird's `CORSMiddleware`: it answers each preflight before there is a route, with one list of methods for all
/// paths, and several origins are a variadic list that no setting can give it.
struct CrossOrigin {
    let allowedOrigins: [String]

    /// Adds what lets the page read the answer; for a preflight, what it may send.
    func decorate(_ answer: inout APIAnswer, for head: HTTPRequest) {
        guard !allowedOrigins.isEmpty else { return }
        answer.headers[.vary] = answer.headers[.vary].map { "\($0), Origin" } ?? "Origin"
        guard let origin = head.headerFields[.origin], allowedOrigins.contains("*") || allowedOrigins.contains(origin)
        else { return }
        answer.headers[.accessControlAllowOrigin] = origin
        answer.headers[.accessControlExposeHeaders] =
            "ETag, Location, Retry-After, X-Request-Id, Server-Timing, Idempotency-Replayed"
        if head.method == .options, let allow = answer.headers[.allow] {
            answer.headers[.accessControlAllowMethods] = allow
            answer.headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, X-Request-Id"
            answer.headers[.accessControlMaxAge] = "600"
        }
    }
}
