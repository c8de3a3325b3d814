package import Documents
package import MeshCore

/// One rule of a ``VirtualServiceSpec``: which requests, and what becomes of them.
package struct HTTPRule: Document {
    package enum Action: Hashable, Sendable {
        /// At least one; weights add up to 100.
        case route([RouteDestination])
        case redirect(HTTPRedirect)
        case directResponse(HTTPDirectResponse)
    }

    /// For people and for names of routes; at most 200 characters.
    package var name: String?
    /// Any of them must hold; empty: all requests.
    package var match: [HTTPMatch] = []
    package var action = Action.route([])
    package var rewrite: HTTPRewrite?
    /// For the whole request with its retries. `nil` and zero: none.
    package var timeout: Duration?
    /// `nil`: ``HTTPRetries/standard``.
    package var retries: HTTPRetries?
    package var fault: HTTPFault?
    package var mirror: HTTPMirror?
    package var headers = HeaderOperations()
    /// An estimate of the instructions of the regexes that are not in ``match``.
    package private(set) var regexSize = 0

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional("name", \.name, .string(atMost: 200), "For people, and what releases call it in scope.rules."),
        .defaulted("match", \.match, .list(of: .document, 0...64), "Any of them must hold; left out: all requests."),
        .oneOf(
            \.action,
            [
                Case(
                    "route", RouteDestination.list, "Where requests go; weights are per cent and add up to 100.",
                    make: Action.route, get: { if case .route(let list) = $0 { list } else { nil } }),
                Case(
                    "redirect", .document, "An answer that sends the client elsewhere.", make: Action.redirect,
                    get: { if case .redirect(let redirect) = $0 { redirect } else { nil } }),
                Case(
                    "directResponse", .document, "An answer that the sidecar gives by itself.",
                    make: Action.directResponse,
                    get: { if case .directResponse(let response) = $0 { response } else { nil } }),
            ]),
        .optional("rewrite", \.rewrite, .document, "What is changed of a request's path and host."),
        .optional(
            "timeout", \.timeout, .duration(), "For the whole request with its retries. Default, and zero: none."),
        .optional(
            "retries", \.retries, .document,
            "Default: two more tries of what certainly did not reach the workload, or what it refused before doing anything."
        ),
        .optional("fault", \.fault, .document, "Errors on purpose."),
        .optional(
            "mirror", \.mirrorDestination, .document, "Where a copy of requests goes; its answers are thrown away."),
        .optional(
            "mirrorPercentage", \.mirrorPercentage, .document, early: ("mirrorPercent", .wholePercent),
            "Which part of requests is copied. Default: all."),
        .defaulted("headers", \.headers, .documentUnlessEmpty, "What is changed of requests, and of answers."),
        .refused("delegate", "write the rules in one VirtualService; delegateHosts lets others decide about a host"),
        .refused("corsPolicy", "answers to preflight requests are the workload's"),
        .refused("mirrors", "a rule has one mirror"),
    ]
    package static let summary: String? = "Exactly one of route, redirect and directResponse."

    private var mirrorDestination: Destination? {
        get { mirror?.destination }
        set { mirror = newValue.map { HTTPMirror(destination: $0) } }
    }

    private var mirrorPercentage: Percentage? {
        get { mirror?.percentage }
        set { mirror?.percentage = newValue }
    }

    package mutating func finish(_ reading: Members) {
        regexSize = reading.regexSize - match.reduce(0) { $0 + $1.regexSize }
        if reading.isRead("mirrorPercentage") && !reading.has("mirror") {
            reading.report("mirrorPercentage", .conflict, "needs \"mirror\"")
        }
        guard !reading.has("route"), reading.has("redirect") || reading.has("directResponse") else { return }
        for name in ["rewrite", "retries", "mirror", "timeout"] where reading.has(name) {
            reading.report(name, .conflict, "does nothing without \"route\"; leave it out")
        }
    }
}

/// A condition on a request: all parts that are given must hold.
package struct HTTPMatch: Document {
    package var name: String?
    package var uri: StringMatch?
    package var ignoreUriCase = false
    /// By lower-case name.
    package var headers: [String: StringMatch] = [:]
    /// By lower-case name: none of these may hold.
    package var withoutHeaders: [String: StringMatch] = [:]
    package var method: StringMatch?
    package var authority: StringMatch?
    package var scheme: StringMatch?
    package var queryParams: [String: StringMatch] = [:]
    /// The service's port that was called.
    package var port: Int?
    /// An estimate of the instructions of all its regexes.
    package private(set) var regexSize = 0

    package init() {}

    package static let fields: [Field<Self>] = [
        .optional("name", \.name, .string(atMost: 200), "For people."),
        .optional("uri", \.uri, path, "The path without its query."),
        .defaulted(
            "ignoreUriCase", \.ignoreUriCase, .bool, isWritten: false,
            "Whether exact and prefix take capital and small letters of uri for the same."),
        .defaulted("headers", \.headers, .headerMatches, "By name."),
        .defaulted(
            "withoutHeaders", \.withoutHeaders, absences,
            """
            None of these may hold. Requests without the header fit, so a condition must not fit an empty value, unless any \
            value fits it (`{}`).
            """),
        .optional("method", \.method, .document, "The HTTP method."),
        .optional("authority", \.authority, .document, "The host that was called, with its port if that was named."),
        .optional("scheme", \.scheme, .document, "http or https."),
        .defaulted("queryParams", \.queryParams, .queryMatches, "By name of a query parameter."),
        .optional("port", \.port, .port, "The service's port that was called."),
        .refused("sourceLabels", "rules hold for all callers"),
        .refused("sourceNamespace", "rules hold for all callers"),
        .refused("gateways", "there are no gateways yet"),
        .refused("statPrefix", "statistics are not kept by rule"),
    ]
    package static let summary: String? = "All parts that are given must hold."

    private static let path = Shape<StringMatch>.document.checked { path, place, log in
        path.checkPath(at: place.pointer, log)
    }

    /// To sidecars a header that is absent is like one that is empty, unless it is only asked whether it is there.
    private static let absences = Shape<[String: StringMatch]>.headerMatches.checked { matches, place, log in
        for (name, match) in matches.sorted(by: { $0.key < $1.key }) where !match.fitsAnyValue && match.fitsEmptyText {
            log.reportIfNew(
                place.pointer.appending(name), .invalidValue,
                "fits an empty value, so requests without the header would not take the rule either; write {} for any value"
            )
        }
    }

    package mutating func finish(_ reading: Members) { regexSize = reading.regexSize }
}
